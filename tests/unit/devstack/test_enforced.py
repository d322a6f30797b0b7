"""What a stack tells about the enforcement of network policies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devstack.enforced import STATUS, enforcement
from devstack.state import StateDir

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            {"enforced": True, "detail": "", "pods": 3, "policies": 7},
            "enforced (7 policies, 3 pods)",
        ),
        (
            {"enforced": False, "detail": "no br_netfilter", "pods": 0, "policies": 0},
            "NOT enforced: no br_netfilter",
        ),
    ],
)
def test_the_status_says_what_is_enforced_and_why_not(
    tmp_path: Path, told: dict[str, object], sentence: str
) -> None:
    state = StateDir(tmp_path)
    folder = state.data / "node"
    folder.mkdir(parents=True)
    assert enforcement(state) == ""
    (folder / STATUS).write_text(json.dumps(told))
    assert enforcement(state) == sentence
