"""Tells on a plane whether it is connected and what there is on it."""

from __future__ import annotations

from temporalio import activity

from activities.common.reading import find
from clients.kubernetes.cluster import Cluster
from domain.deliveries.planes import PlaneReport
from domain.errors import InvalidRequest
from domain.resources import BuildPlane, DataPlane, ObservabilityPlane, set_condition
from domain.resources.conditions import ConditionType, Reason

MANAGER = "pavane-plane-check"
_MODELS: dict[str, type[DataPlane | BuildPlane | ObservabilityPlane]] = {
    DataPlane.kind: DataPlane,
    BuildPlane.kind: BuildPlane,
    ObservabilityPlane.kind: ObservabilityPlane,
}


class PlaneReportActivities:
    """Effects of plane checks on the control plane."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def report_plane(self, report: PlaneReport) -> bool:
        """Writes the status; False = there is no such plane any more.

        Idempotent: equal content writes nothing new.

        Raises:
            InvalidRequest: There is no such kind of plane.
        """
        model = _MODELS.get(report.plane_kind)
        if model is None:
            raise InvalidRequest(f"there is no kind of plane {report.plane_kind}")
        plane = await find(self._cluster, model, report.plane, report.organization)
        if plane is None or plane.is_deleted:
            return False
        conditions = set_condition(
            plane.status.conditions,
            ConditionType.CONNECTED,
            report.connected,
            Reason.CONNECTED if report.connected else Reason.PLANE_SILENT,
            report.message,
            observed_generation=plane.metadata.generation,
            now=report.at.replace(microsecond=0),
        )
        told = next(one for one in conditions if one.type == ConditionType.CONNECTED)
        known = plane.status.capabilities.model_dump(mode="json", by_alias=True)
        if report.found is not None:
            found = plane.status.capabilities.model_copy(update=report.found.model_dump())
            known = found.model_dump(mode="json", by_alias=True)
        status = {
            "capabilities": known,
            "checked": report.at.replace(microsecond=0).isoformat().replace("+00:00", "Z"),
            "conditions": [told.model_dump(mode="json", by_alias=True)],
        }
        await self._cluster.apply_status(
            plane.status_manifest() | {"status": status}, manager=MANAGER
        )
        return True
