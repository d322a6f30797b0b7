"""When a plane is to be looked after, and what is said of one that is silent: pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from domain.deliveries import Trigger
from domain.deliveries.planes import PlaneRequest
from domain.resources import BuildPlane, DataPlane, Resource
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


def silent(resource: Resource) -> str:
    """Returns why a plane does not answer; empty = it does, or nobody has looked yet."""
    if not isinstance(resource, DataPlane | BuildPlane):
        return ""
    told = resource.status.condition(ConditionType.CONNECTED)
    return "" if told is None or told.is_true else told.message
