"""Reads what a SecretRotation says; for the task queue `control`."""

from __future__ import annotations

from collections.abc import Iterable

from temporalio import activity

from activities.common.reading import listed, read
from clients.kubernetes.cluster import Cluster
from domain.deliveries.rotations import (
    DatabaseTarget,
    RotationPlan,
    RotationRequest,
)
from domain.deliveries.secrets import FindConsumers, PlaneQueues
from domain.resources import DataPlane
from domain.resources.rotation import SecretRotation


class RotationPlanActivities:
    """Readings of the control plane about rotations."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def plan_rotation(self, request: RotationRequest) -> RotationPlan:
        """Returns what is to be turned over and how. Idempotent: a reading.

        Raises:
            NotFound: There is no such SecretRotation.
        """
        found = await read(self._cluster, SecretRotation, request.rotation, request.organization)
        planes = await listed(self._cluster, DataPlane, request.organization)
        spec, database = found.spec, found.spec.database
        return RotationPlan(
            organization=request.organization,
            rotation=request.rotation,
            engine=spec.engine.value,
            path=spec.vault_path,
            fields=spec.fields,
            database=DatabaseTarget(**database.model_dump()) if database else None,
            app_role=spec.app_role,
            must_have=spec.consumer_refs,
            quiet_seconds=spec.grace_seconds,
            destroy_after_seconds=spec.destroy_after_seconds,
            approval=spec.approval.rule if spec.approval else None,
            planes=_queues(planes),
        )

    @activity.defn
    async def list_planes(self, request: FindConsumers) -> PlaneQueues:
        """Returns where the planes of an organization are served. Idempotent: a reading."""
        planes = await listed(self._cluster, DataPlane, request.organization)
        return PlaneQueues(queues=_queues(planes))


def _queues(planes: Iterable[DataPlane]) -> tuple[str, ...]:
    return tuple(sorted({plane.task_queue for plane in planes}))
