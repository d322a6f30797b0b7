"""``pavane open``: which address it prints, and what it says when there is none to choose."""

from __future__ import annotations

from typing import Any, Self

import pytest
from typer.testing import CliRunner

from cli.commands import addresses
from cli.errors import ExitCode, Problem
from cli.main import app

pytestmark = pytest.mark.unit

PUBLIC = {"name": "http", "type": "HTTP", "visibility": "public", "url": "http://web.dev/"}
INNER = {"name": "admin", "type": "HTTP", "visibility": "project", "url": "http://web.ns.svc:9"}


def place(name: str, *endpoints: dict[str, str], url: str = "") -> dict[str, Any]:
    return {"environment": name, "endpoints": list(endpoints), "url": url}


class _Api:
    """Answers with the status of one component."""

    places: tuple[dict[str, Any], ...] = ()

    def __init__(self, _profile: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/v1/components/acme/web/status"
        return {"environments": self.places}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> type[_Api]:
    monkeypatch.setattr(addresses, "Api", _Api)
    monkeypatch.setattr("webbrowser.open", lambda url: pytest.fail(f"opened {url}"))
    return _Api


def opened(*arguments: str) -> tuple[str, str]:
    ran = CliRunner().invoke(app, ["open", "web", *arguments, "-n", "acme"])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.stdout.strip(), ran.stderr


def test_the_public_address_of_the_only_place_is_printed_and_nothing_opened_in_a_script(
    told: type[_Api],
) -> None:
    told.places = (place("development", PUBLIC, INNER), place("staging"))
    assert opened() == ("http://web.dev/", "")


def test_an_endpoint_that_is_not_public_says_so(told: type[_Api]) -> None:
    told.places = (place("development", PUBLIC, INNER),)
    address, said = opened("development", "admin")
    assert address == INNER["url"]
    assert "known on the plane only" in " ".join(said.split())


def test_what_runs_since_before_addresses_were_told_has_its_main_one(told: type[_Api]) -> None:
    told.places = (place("development", url="http://old/"),)
    assert opened()[0] == "http://old/"


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        ((), "answers in development, staging: name one", ExitCode.USAGE),
        (("production",), "answers nowhere in production", ExitCode.NOT_FOUND),
        (("nowhere",), "has no environment nowhere: it has development", ExitCode.NOT_FOUND),
        (("staging", "rpc"), "has no endpoint rpc: it has http", ExitCode.NOT_FOUND),
    ],
)
def test_what_cannot_be_chosen_is_told_with_what_there_is(
    told: type[_Api], arguments: tuple[str, ...], said: str, code: ExitCode
) -> None:
    told.places = (place("development", PUBLIC), place("staging", PUBLIC), place("production"))
    with pytest.raises(Problem, match=said) as refused:
        opened(*arguments)
    assert refused.value.code is code
