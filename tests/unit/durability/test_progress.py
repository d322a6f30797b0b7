from __future__ import annotations

from pathlib import Path

from tests.durability.progress import Progress
from tests.durability.sweep import Outcome

PASSED = Outcome("build", "before activity submit_build", recovery=1.5, seconds=9.0)
FAILED = Outcome("build", "after activity submit_build", ["two Argo Workflows"])


def test_a_resumed_sweep_leaves_out_what_passed_and_repeats_what_failed(tmp_path: Path) -> None:
    first = Progress(tmp_path / "found.jsonl", resume=False)
    first.note(PASSED)
    first.note(FAILED)

    second = Progress(tmp_path / "found.jsonl", resume=True)

    assert second.has_passed(PASSED.scenario, PASSED.point)
    assert not second.has_passed(FAILED.scenario, FAILED.point)
    assert list(second.outcomes()) == [PASSED, FAILED]


def test_what_was_repeated_counts_as_it_ended_last(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "found.jsonl", resume=False)
    progress.note(FAILED)
    progress.note(Outcome(FAILED.scenario, FAILED.point))

    resumed = Progress(tmp_path / "found.jsonl", resume=True)

    assert resumed.has_passed(FAILED.scenario, FAILED.point)
    assert len(list(resumed.outcomes())) == 1


def test_a_sweep_that_is_not_resumed_forgets_what_was_found_before(tmp_path: Path) -> None:
    Progress(tmp_path / "found.jsonl", resume=False).note(PASSED)

    fresh = Progress(tmp_path / "found.jsonl", resume=False)

    assert not fresh.has_passed(PASSED.scenario, PASSED.point)
    assert list(fresh.outcomes()) == []
