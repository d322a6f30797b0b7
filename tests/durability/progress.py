"""What a sweep has found so far, kept in a file, so that one of hours can be made in pieces.

A file belongs to the code it was found with: what passed yesterday says nothing of today's code.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from tests.durability.sweep import Outcome

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "sweep"


def version() -> str:
    """The commit, and what is changed in it."""
    commit = _git("rev-parse", "--short=12", "HEAD").strip()
    changes = _git("diff", "HEAD") + _git("ls-files", "--others", "--exclude-standard")
    return f"{commit}-{hashlib.sha256(changes.encode()).hexdigest()[:8]}" if changes else commit


def _git(*arguments: str) -> str:
    return subprocess.run(
        ("git", *arguments), cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


class Progress:
    """Outcomes by what was done where; those of an earlier piece count when they passed."""

    def __init__(self, file: Path, *, resume: bool) -> None:
        self._file = file
        self._known: dict[tuple[str, str], Outcome] = {}
        file.parent.mkdir(parents=True, exist_ok=True)
        if not resume:
            file.unlink(missing_ok=True)
        elif file.exists():
            for line in file.read_text().splitlines():
                outcome = Outcome(**json.loads(line))
                self._known[outcome.scenario, outcome.point] = outcome

    def has_passed(self, scenario: str, point: str) -> bool:
        outcome = self._known.get((scenario, point))
        return outcome is not None and not outcome.problems

    def note(self, outcome: Outcome) -> None:
        """Keeps an outcome, whatever becomes of the rest of the sweep."""
        self._known[outcome.scenario, outcome.point] = outcome
        with self._file.open("a") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")

    def outcomes(self) -> Iterable[Outcome]:
        """All there are, from this piece and from earlier ones."""
        return self._known.values()
