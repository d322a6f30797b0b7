"""The four measures of delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.phases import Phase
from domain.policies.insights import insights, usual_times
from domain.records import DeploymentEntry, LeadTime

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=10)


def entry(number: int, **changes: Any) -> DeploymentEntry:
    begun = START + timedelta(hours=number)
    return DeploymentEntry.model_validate(
        {
            "key": f"deploy/{number}",
            "organization": "acme",
            "project": "shop",
            "component": "web",
            "environment": "production",
            "actor": "dev@example.test",
            "release": f"web-{number}",
            "phase": Phase.SUCCEEDED,
            "started": begun,
            "finished": begun + timedelta(seconds=30),
            "lead_time": LeadTime(build=60, queue=0, apply=1, rollout=9 + number),
            **changes,
        }
    )


def test_place_has_frequency_lead_time_failure_rate_and_time_to_restore() -> None:
    entries = [
        entry(1),
        entry(2),
        entry(3, phase=Phase.FAILED, restored=True),
        entry(4, action="rollback", from_release="web-2", lead_time=LeadTime()),
    ]

    (place,) = insights(entries, START, END)

    assert (place.project, place.environment, place.changes) == ("shop", "production", 3)
    assert place.deployments_per_day == 0.2
    assert (place.lead_time.count, place.lead_time.median) == (2, 71.5)
    assert place.change_failure_rate == 0.667, "one failed, one was rolled back"
    assert (place.time_to_restore.count, place.time_to_restore.median) == (2, 30)


def test_usual_times_are_medians_of_what_happened_and_went_well() -> None:
    lead = [LeadTime(approval=60, queue=0), LeadTime(approval=600), LeadTime(approval=90)]
    entries = [entry(number, lead_time=one) for number, one in enumerate(lead)]
    failed = entry(9, phase=Phase.FAILED, lead_time=LeadTime(approval=9_000, freeze=1))

    assert usual_times([*entries, failed]) == {"approval": 90, "queue": 0}
    assert usual_times([]) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "suspend"},
        {"action": "put-back"},
        {"action": "undeploy"},
        {"changed": False},
        {"phase": Phase.CANCELLED},
    ],
)
def test_what_is_no_change_does_not_count_as_one(changes: dict[str, Any]) -> None:
    (place,) = insights([entry(1, **changes)], START, END)
    assert (place.changes, place.deployments_per_day) == (0, 0)
    assert place.change_failure_rate is None
    assert place.lead_time.median is None


def test_only_what_ended_within_the_period_counts() -> None:
    entries = [entry(-1), entry(1), entry(240)]
    (place,) = insights(entries, START, END)
    assert place.changes == 1
    assert insights(entries, END + timedelta(days=9), END + timedelta(days=10)) == ()


def test_rate_of_a_change_that_was_rolled_back_twice_is_not_above_one() -> None:
    back = [entry(n, action="rollback", from_release="web-1") for n in (2, 3)]
    (place,) = insights([entry(1), *back], START, END)
    assert place.change_failure_rate == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.sampled_from(list(Phase)), st.booleans()), max_size=30
    )
)
def test_rate_is_a_share_and_the_median_is_never_above_p90(
    drawn: list[tuple[int, Phase, bool]],
) -> None:
    entries = [entry(number, phase=phase, restored=told) for number, phase, told in drawn]
    for place in insights(entries, START, END):
        assert place.change_failure_rate is None or 0 <= place.change_failure_rate <= 1
        for spread in (place.lead_time, place.time_to_restore):
            assert spread.median is None or spread.p90 is None or spread.median <= spread.p90
