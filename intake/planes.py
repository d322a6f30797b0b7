"""When a plane is to be looked after, and what is said of one that is silent: pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from domain.deliveries import Trigger
from domain.deliveries.observing import AskedAs
from domain.deliveries.planes import ObservabilityRequest, PlaneRequest
from domain.resources import BuildPlane, DataPlane, ObservabilityPlane, Resource
from domain.resources.conditions import ConditionType


@dataclass(frozen=True)
class CheckPlane:
    """A plane is declared, or declared in another way."""

    request: PlaneRequest

    @classmethod
    def of(cls, plane: DataPlane | BuildPlane, trigger: Trigger) -> CheckPlane | None:
        """Returns what to ask for; None = it is about to go."""
        if plane.is_deleted:
            return None
        return cls(
            PlaneRequest(
                organization=plane.organization,
                plane=plane.name,
                plane_kind=plane.kind,
                task_queue=plane.task_queue,
                trigger=trigger,
            )
        )


@dataclass(frozen=True)
class CheckObservability:
    """An ObservabilityPlane is declared, or declared in another way."""

    request: ObservabilityRequest

    @classmethod
    def of(cls, plane: ObservabilityPlane, trigger: Trigger) -> CheckObservability | None:
        """Returns what to ask for; None = it is about to go."""
        if plane.is_deleted:
            return None
        return cls(
            ObservabilityRequest(
                organization=plane.organization,
                plane=plane.name,
                prometheus_url=plane.spec.prometheus_url,
                logs_url=plane.spec.logs_url,
                asked_as=AskedAs.of(plane),
                trigger=trigger,
            )
        )


def silent(resource: Resource) -> str:
    """Returns why a plane does not answer; empty = it does, or nobody has looked yet."""
    if not isinstance(resource, DataPlane | BuildPlane | ObservabilityPlane):
        return ""
    told = resource.status.condition(ConditionType.CONNECTED)
    return "" if told is None or told.is_true else told.message
