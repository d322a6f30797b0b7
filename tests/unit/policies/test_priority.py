from __future__ import annotations

import pytest

from domain.deliveries import DeployRequest, Trigger, TriggerKind
from domain.policies.priority import ASKED, CHANGE, FIRST, priority_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "first", "expected"),
    [
        (TriggerKind.API, False, ASKED),
        (TriggerKind.API, True, ASKED),
        (TriggerKind.RESOURCE, False, CHANGE),
        (TriggerKind.RESOURCE, True, FIRST),
        (TriggerKind.AUTOMATIC, False, CHANGE),
    ],
)
def test_who_waits_goes_before_what_runs_and_that_before_what_is_new(
    kind: TriggerKind, first: bool, expected: int
) -> None:
    request = DeployRequest(
        organization="acme",
        component="web",
        environment="dev",
        request_id="r",
        first=first,
        trigger=Trigger(kind=kind),
    )
    assert priority_of(request) == expected
    assert ASKED < CHANGE < FIRST
