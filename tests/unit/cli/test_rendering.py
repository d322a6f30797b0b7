"""``pavane render --diff``: all that is told to people is told to programs, too."""

from __future__ import annotations

import json
from typing import Any, Self

import pytest
from typer.testing import CliRunner

from cli.commands import golden_paths
from cli.main import app

pytestmark = pytest.mark.unit
FOUND = {
    "running": "web-dev-1",
    "objects": [{"kind": "Service"}],
    "changes": [{"object": "Deployment/web", "field": ".spec.replicas", "before": 1, "after": 2}],
    "pairs": ["+ shop-web -> web at TCP 8080"],
    "network": ["- out to 192.0.2.0/24 at TCP 5432"],
    "notes": ["Connection mail: spec.policy has no effect"],
}


def test_pairs_ways_and_notes_are_part_of_the_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answering:
        def __init__(self, _profile: object) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def get(self, _path: str, **_params: Any) -> Any:
            return FOUND

    monkeypatch.setattr(golden_paths, "Api", Answering)
    asked = ["render", "web", "-e", "dev", "-n", "acme", "--diff", "-o", "json"]

    done = CliRunner().invoke(app, asked)

    assert json.loads(done.stdout) == {key: FOUND[key] for key in FOUND if key != "objects"}
