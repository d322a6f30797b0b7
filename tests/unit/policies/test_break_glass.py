from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.deliveries.break_glass import BreakGlassRequest
from domain.errors import Denied
from domain.policies.access import Caller, decide
from domain.policies.break_glass import rule_for
from domain.resources import Action, Organization
from domain.resources.rights.grants import BreakGlassPolicy

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
BOB = Caller(subject="id-bob", email="bob@acme.example")


def acme(policy: dict[str, Any] | None = None, *grants: dict[str, Any]) -> Organization:
    return Organization.model_validate(
        {
            "metadata": {"name": "acme"},
            "spec": {"breakGlass": policy} if policy else {},
            "status": {"grants": list(grants)},
        }
    )


def grant(**changes: Any) -> dict[str, Any]:
    until = (NOW + timedelta(hours=1)).isoformat()
    given = {"id": "g1", "user": BOB.email, "role": "admin", "environment": "production"}
    return given | {"reason": "a fire", "until": until} | changes


def may(
    organization: Organization, action: Action, at: datetime | None = NOW, **place: str
) -> bool:
    return decide(organization, BOB, action, at=at, **place).allowed


def test_a_grant_holds_in_its_place_for_its_time_and_for_its_person() -> None:
    given = acme(None, grant())
    assert may(given, Action.HOTFIX, environment="production")
    assert not may(given, Action.HOTFIX, environment="staging")
    assert not may(given, Action.ADMINISTER)
    assert not may(given, Action.HOTFIX, NOW + timedelta(hours=1), environment="production")
    assert not may(given, Action.HOTFIX, None, environment="production")
    other = acme(None, grant(user="ann@acme.example"))
    assert not may(other, Action.HOTFIX, environment="production")


def test_no_grant_lets_anybody_decide_what_others_ask_for() -> None:
    assert not may(acme(None, grant()), Action.APPROVE, environment="production")


def test_what_a_grant_permits_says_by_which_it_does() -> None:
    decision = decide(acme(None, grant()), BOB, Action.DEPLOY, environment="production", at=NOW)
    assert decision.reason == "bob@acme.example has the role admin by break-glass g1"


POLICY = {
    "roles": ["developer"],
    "environments": ["production"],
    "longest": "2h",
    "approval": {"groups": ["leads"]},
}


def asked(**changes: Any) -> BreakGlassRequest:
    fields = {"role": "developer", "environment": "production", "seconds": 3600}
    return BreakGlassRequest.model_validate(
        {"organization": "acme", "person": BOB.email, "reason": "a fire", **fields, **changes}
    )


def test_the_rule_of_the_organization_says_who_must_agree() -> None:
    assert rule_for(acme(POLICY), asked()).groups == ("leads",)


@pytest.mark.parametrize(
    ("policy", "changes", "why"),
    [
        (None, {}, "gives nobody rights for a while"),
        (POLICY, {"role": "admin"}, "the role admin is not given"),
        (POLICY, {"environment": "staging"}, "nothing is given for a while in staging"),
        (POLICY, {"seconds": 7201}, "at most 2h, not for 2h1s"),
        (POLICY, {"seconds": 0}, "at most 2h, not for 0s"),
    ],
)
def test_what_the_organization_does_not_offer_is_refused(
    policy: dict[str, Any] | None, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(Denied, match=why):
        rule_for(acme(policy), asked(**changes))


def test_a_policy_that_names_nobody_who_must_agree_is_none() -> None:
    with pytest.raises(ValidationError, match="names who must agree"):
        BreakGlassPolicy.model_validate({"approval": {"quorum": 1}})
