"""``pavane why`` tells also what will stand between, and what could not be looked at."""

from __future__ import annotations

from typing import Any, Self

import pytest
from typer.testing import CliRunner

from cli.commands import promotions
from cli.main import app

pytestmark = pytest.mark.unit
THERE = {"there": True, "artifact": "web-1", "obstacles": [], "operation": ""}
DUE = {"path": "shop/production/db", "expires": "2026-11-30T03:00:00Z", "owner": "db-team"}
UNOWNED = {**DUE, "path": "shop/production/smtp", "owner": ""}


def answer(monkeypatch: pytest.MonkeyPatch, content: dict[str, Any]) -> str:
    """What the command shows of an answer of the API."""

    class Answering:
        def __init__(self, _profile: object) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def get(self, _path: str, **_params: Any) -> Any:
            return content

    monkeypatch.setattr(promotions, "Api", Answering)
    done = CliRunner().invoke(app, ["why", "web", "production", "-n", "acme"])
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("secrets", "told"),
    [
        ([], []),
        ([DUE], ["shop/production/db", "2026-11-30", "db-team"]),
        ([UNOWNED], ["shop/production/smtp", "nobody is named as owner"]),
    ],
)
def test_a_component_that_is_there_tells_which_of_its_secrets_expire(
    monkeypatch: pytest.MonkeyPatch, secrets: list[dict[str, Any]], told: list[str]
) -> None:
    said = answer(monkeypatch, {**THERE, "expiringSecrets": secrets})

    assert "production runs web-1" in said
    assert [word for word in told if word not in said] == []
    assert ("expires" in said) == bool(secrets)


def test_what_could_not_be_looked_at_is_named_so_that_nobody_takes_the_rest_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = "emergency stops: records database [primary]: no answer"
    said = answer(monkeypatch, {**THERE, "notLookedAt": [missing]})

    assert f"! not looked at: {missing}" in said
