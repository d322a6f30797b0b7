"""What is said of an organization's set-up, as conditions. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from domain.deliveries.tenants import TenantApplied, TenantCondition, TenantPlan, TenantRecord
from domain.errors import PlatformError
from domain.resources.conditions import ConditionType, Reason

_OF_STEP = {
    "read": ConditionType.NAMESPACE,
    "access": ConditionType.ACCESS,
    "planes": ConditionType.PLANES,
}
TENANT_CONDITIONS = (
    ConditionType.NAMESPACE,
    ConditionType.ACCESS,
    ConditionType.ADMISSION,
    ConditionType.PLANES,
)
"""What the set-up tells; ``Ready`` is told by the intake."""
_SHOWN = 5


def conditions(
    plan: TenantPlan, control: TenantApplied, planes: Mapping[str, TenantApplied]
) -> tuple[TenantCondition, ...]:
    """Returns what holds when the control plane is set up and these planes are."""
    without = [name for name, one in planes.items() if not one.admission]
    without += [] if control.admission else ["the control plane"]
    waited = [one.plane for one in plan.planes if one.plane not in planes]
    return (
        _holds(ConditionType.NAMESPACE, f"namespace {plan.organization}"),
        _holds(ConditionType.ACCESS, _access(plan)),
        TenantCondition(
            type=ConditionType.ADMISSION,
            holds=True,
            reason="Unsupported" if without else Reason.SET_UP,
            message=(
                f"{', '.join(sorted(without))} cannot refuse objects itself "
                "(no ValidatingAdmissionPolicy): only the platform's own checks hold there"
                if without
                else "images and labels are checked by the API servers as well"
            ),
        ),
        TenantCondition(
            type=ConditionType.PLANES,
            holds=not waited,
            reason=Reason.WAITING_FOR_PLANE if waited else Reason.SET_UP,
            message=(
                f"waiting for {_few(waited)}"
                if waited
                else f"{sum(len(one.places) for one in plan.planes)} namespaces"
            ),
        ),
    )


def failed(organization: str, step: str, error: PlatformError) -> TenantRecord:
    """Returns what is told of a set-up that ended at a step."""
    reason = error.facts.get("reason") or type(error).__name__
    return TenantRecord(
        organization=organization,
        generation=0,
        conditions=(
            TenantCondition(
                type=_OF_STEP.get(step, ConditionType.PLANES),
                holds=False,
                reason=reason,
                message=error.message,
            ),
        ),
    )


def _access(plan: TenantPlan) -> str:
    if not plan.inexact:
        return "kubectl lets everybody do in this namespace what the API lets them do"
    return (
        f"rules limited to a project or environment ({_few(plan.inexact)}) give kubectl no rights "
        "in this namespace: use the API or the command line"
    )


def _holds(of_type: ConditionType, message: str) -> TenantCondition:
    return TenantCondition(type=of_type, holds=True, reason=Reason.SET_UP, message=message)


def _few(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
