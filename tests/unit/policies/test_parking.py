from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries.parking import Choice, Resolution
from domain.errors import (
    BuildFailed,
    CompensationFailed,
    Denied,
    DependencyUnavailable,
    Errored,
    InvalidRequest,
    PlatformError,
)
from domain.policies import parking

pytestmark = pytest.mark.unit
NOW = datetime(2026, 3, 1, tzinfo=UTC)
STEPS = st.sampled_from([
    ("deploy", "prepare"), ("deploy", "apply"), ("deploy", "rollout"), ("build", "build"),
    ("something", "new"),
])  # fmt: skip


@pytest.mark.parametrize("fault", [Errored("x"), DependencyUnavailable("x")])
def test_technical_faults_park(fault: PlatformError) -> None:
    assert parking.parks("deploy", "apply", fault)
    assert not parking.parks("deploy", "apply", fault, others_wait=True)
    assert not parking.parks("build", "queue", fault)


@pytest.mark.parametrize(
    "verdict", [BuildFailed("x"), Denied("x"), InvalidRequest("x"), CompensationFailed("x")]
)
def test_verdicts_and_failed_undos_end(verdict: PlatformError) -> None:
    assert not parking.parks("deploy", "apply", verdict)


@given(place=STEPS, choice=st.sampled_from(list(Choice)), reason=st.sampled_from(["", "why"]))
def test_a_resolution_is_taken_exactly_if_it_is_a_choice_and_has_a_reason(
    place: tuple[str, str], choice: Choice, reason: str
) -> None:
    parked = parking.parked(*place, "fault", NOW)
    artifact = "a1" if choice is Choice.FIX else ""
    taken = not parking.refusal(parked, Resolution(choice=choice, reason=reason, artifact=artifact))

    assert taken is (choice in parked.choices and bool(reason))


@given(place=STEPS)
def test_every_parked_flow_can_be_retried_and_given_up_and_waits_a_bounded_time(
    place: tuple[str, str],
) -> None:
    parked = parking.parked(*place, "fault", NOW)

    assert {Choice.RETRY, Choice.COMPENSATE} <= set(parked.choices)
    assert parked.since < parked.reminder < parked.until


def test_what_is_not_parked_takes_no_resolution() -> None:
    assert "not parked" in parking.refusal(None, Resolution(choice=Choice.RETRY, reason="why"))


def test_only_a_fix_changes_the_input() -> None:
    parked = parking.parked("deploy", "apply", "fault", NOW)
    changed = Resolution(choice=Choice.RETRY, reason="why", artifact="a2")

    assert "only fix" in parking.refusal(parked, changed)
