from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.deliveries.standings import RollbackNote
from domain.policies.promotion.rollback import KnownRelease, RollbackCase, choose
from tests.unit.promotion.cases import NOW

pytestmark = pytest.mark.unit


def known(name: str, days: int, **changes: Any) -> KnownRelease:
    return KnownRelease(name=name, artifact=name, since=NOW - timedelta(days=days), **changes)


def case(**changes: Any) -> RollbackCase:
    history = (known("r1", 9), known("r2", 5), known("r3", 1))
    return RollbackCase(**{"running": "r3", "known": history, "now": NOW, **changes})


def note(bad: str, to: str, *, hours: int = 1, automatic: bool = True) -> RollbackNote:
    at = NOW - timedelta(hours=hours)
    return RollbackNote(id=f"{bad}-{hours}", bad=bad, to=to, at=at, automatic=automatic)


def test_the_last_release_that_did_well_before_is_brought_back() -> None:
    chosen = choose(case()).release
    assert chosen is not None
    assert chosen.name == "r2"


def test_what_was_rolled_back_once_is_not_brought_back_by_itself() -> None:
    chosen = choose(case(rollbacks=(note("r2", "r1", hours=90, automatic=False),))).release
    assert chosen is not None
    assert chosen.name == "r1"


def test_a_named_release_must_have_run_here_and_be_kept() -> None:
    assert choose(case(wanted="r1")).release == known("r1", 9)
    assert "never ran here" in choose(case(wanted="other")).refused
    assert "runs already" in choose(case(wanted="r3")).refused
    gone = (known("r1", 9, is_stored=False),)
    assert "no longer kept" in choose(case(wanted="r1", known=gone)).refused


def test_nothing_to_go_back_to_is_said() -> None:
    assert "no verified release" in choose(case(known=(known("r3", 1),))).refused


def test_what_is_too_old_is_brought_back_by_name_only() -> None:
    old = (known("r1", 40),)
    assert "40 days old" in choose(case(known=old)).refused
    assert choose(case(known=old, wanted="r1")).release == old[0]


def test_automation_never_rolls_back_a_rollback_and_a_person_may() -> None:
    rolled = {"running": "r2", "rollbacks": (note("r3", "r2"),)}
    assert "brought back by a rollback itself" in choose(case(automatic=True, **rolled)).refused
    assert choose(case(**rolled)).release == known("r1", 9)


def test_automation_rolls_back_so_often_a_day_and_no_more() -> None:
    twice = (note("x", "y", hours=20), note("z", "y", hours=2))
    assert choose(case(automatic=True, rollbacks=twice, per_day=3)).release
    assert "within a day" in choose(case(automatic=True, rollbacks=twice, per_day=2)).refused
    yesterday = (note("x", "y", hours=30), note("z", "y", hours=2))
    assert choose(case(automatic=True, rollbacks=yesterday, per_day=2)).release
    by_hand = (note("x", "y", automatic=False), note("z", "y", hours=2, automatic=False))
    assert choose(case(automatic=True, rollbacks=by_hand, per_day=1)).release


def test_no_rollback_a_day_means_automation_never_does() -> None:
    assert choose(case(automatic=True, per_day=0)).refused
