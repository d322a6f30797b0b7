"""What may be asked for beyond one's role, for a while. Pure."""

from __future__ import annotations

from datetime import timedelta

from domain.deliveries.approvals import ApprovalRule
from domain.deliveries.break_glass import BreakGlassRequest
from domain.durations import duration_text, parse_duration
from domain.errors import Denied
from domain.resources.organization import Organization


def rule_for(organization: Organization, request: BreakGlassRequest) -> ApprovalRule:
    """Returns who must agree.

    Raises:
        Denied: That cannot be asked for there; says what can.
    """
    policy = organization.spec.break_glass
    if policy is None:
        raise _refused(
            f"organization {organization.name} gives nobody rights for a while",
            "An administrator may allow it: spec.breakGlass of the Organization.",
        )
    if request.role not in policy.roles:
        raise _refused(f"the role {request.role} is not given for a while",
                       f"Ask for {' or '.join(policy.roles)}.")  # fmt: skip
    if policy.environments and request.environment not in policy.environments:
        raise _refused(f"nothing is given for a while in {request.environment}",
                       f"It is in {', '.join(policy.environments)}.")  # fmt: skip
    longest = parse_duration(policy.longest)
    asked = timedelta(seconds=request.seconds)
    if not timedelta(0) < asked <= longest:
        raise _refused(f"a role is given for at most {policy.longest}, not for "
                       f"{duration_text(asked)}", f"Ask for at most {policy.longest}.")  # fmt: skip
    return policy.approval.rule


def _refused(why: str, advice: str) -> Denied:
    return Denied(why, facts={"advice": advice, "reason": "BreakGlassRefused"})
