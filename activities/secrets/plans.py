"""Reads what a SecretRotation says; for the task queue `control`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from temporalio import activity
from temporalio.service import RPCError, RPCStatusCode

from activities.common.reading import find, listed, read
from activities.common.statuses import now, write_status
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries.leaks import LeakRequest, LeakResources, LeakRotation
from domain.deliveries.rotations import (
    CertificateName,
    CertificateTarget,
    DatabaseTarget,
    RegistryTarget,
    RotationNote,
    RotationPlan,
    RotationRequest,
)
from domain.deliveries.secrets import FindConsumers, PlaneQueues
from domain.errors import DependencyUnavailable, NotFound
from domain.phases import Phase
from domain.resources import DataPlane
from domain.resources.build import OperationRef
from domain.resources.conditions import MESSAGE_LIMIT, ConditionType, set_condition
from domain.resources.rotation import (
    CertificateRotation,
    IssuerChange,
    SecretRotation,
    SecretRotationStatus,
)
from domain.secrets import leaks
from domain.secrets.places import scope_of


class RotationPlanActivities:
    """Readings of the control plane about rotations."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def plan_rotation(self, request: RotationRequest) -> RotationPlan:
        """Returns what is to be turned over and how.

        Idempotent: a reading. When the SecretRotation is gone, so is its timetable afterwards: that
        is what a timetable does at its next time.

        Raises:
            NotFound: There is no such SecretRotation.
        """
        try:
            found = await read(
                self._cluster, SecretRotation, request.rotation, request.organization
            )
        except NotFound:
            await _forget_timetable(ids.rotation_id(request.organization, request.rotation))
            raise
        planes = await listed(self._cluster, DataPlane, request.organization)
        spec, database = found.spec, found.spec.database
        plan = RotationPlan(
            organization=request.organization,
            rotation=request.rotation,
            engine=spec.engine.value,
            path=spec.vault_path,
            fields=spec.fields,
            database=DatabaseTarget(**database.model_dump()) if database else None,
            app_role=spec.app_role,
            certificates=_certificates(spec.pki) if spec.pki else None,
            registry=RegistryTarget(**spec.registry.model_dump()) if spec.registry else None,
            max_age_seconds=spec.max_age_seconds,
            must_have=spec.consumer_refs,
            quiet_seconds=spec.grace_seconds,
            destroy_after_seconds=spec.destroy_after_seconds,
            approval=spec.approval.rule if spec.approval else None,
            planes=_queues(planes),
        )
        return plan.model_copy(update=_soon(found)) if request.leaked else plan

    @activity.defn
    async def read_leak(self, request: LeakRequest) -> LeakResources:
        """Returns the SecretRotations of a project, and the planes. Idempotent: a reading."""
        rotations = await listed(self._cluster, SecretRotation, request.organization)
        planes = await listed(self._cluster, DataPlane, request.organization)
        return LeakResources(
            rotations=tuple(
                LeakRotation(
                    name=one.name,
                    path=one.spec.vault_path,
                    engine=one.spec.engine.value,
                    approvers=_approvers(one),
                )
                for one in rotations
                if not one.is_deleted and scope_of(one.spec.vault_path).project == request.project
            ),
            planes=_queues(planes),
        )

    @activity.defn
    async def note_rotation(self, note: RotationNote) -> None:
        """Writes into the status of a SecretRotation how its rotation stands.

        Idempotent; one that is gone is left. Cancel: not heeded, it is short.
        """
        found = await find(self._cluster, SecretRotation, note.rotation, note.organization)
        if found is None:
            return
        try:
            await write_status(self._cluster, found, noted(found, note, now()))
        except NotFound:
            activity.logger.debug("SecretRotation %s is gone", note.rotation)

    @activity.defn
    async def list_planes(self, request: FindConsumers) -> PlaneQueues:
        """Returns where the planes of an organization are served. Idempotent: a reading."""
        planes = await listed(self._cluster, DataPlane, request.organization)
        return PlaneQueues(queues=_queues(planes))


def noted(rotation: SecretRotation, note: RotationNote, at: datetime) -> SecretRotationStatus:
    """Returns the status of a SecretRotation after its rotation began, parked or ended."""
    done = note.phase is Phase.SUCCEEDED
    conditions = set_condition(
        rotation.status.conditions,
        ConditionType.ROTATED,
        "True" if done else "False",
        note.phase.value,
        note.message[:MESSAGE_LIMIT],
        observed_generation=rotation.metadata.generation,
        now=at,
    )
    return SecretRotationStatus(
        last_rotated=at if done else rotation.status.last_rotated,
        version=note.version or rotation.status.version,
        expires=note.expires if done else rotation.status.expires,
        operation=OperationRef(workflow_id=note.workflow_id, run_id=note.run_id),
        conditions=tuple(one for one in conditions if one.type == ConditionType.ROTATED),
    )


async def _forget_timetable(name: str) -> None:
    try:
        await activity.client().get_schedule_handle(name).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise DependencyUnavailable(f"the timetable {name} cannot be removed") from error


def _certificates(pki: CertificateRotation) -> CertificateTarget:
    return CertificateTarget(
        role=pki.role,
        certificates=tuple(CertificateName(**one.model_dump()) for one in pki.certificates),
        ttl_seconds=pki.ttl_seconds,
        issuer_ttl_seconds=pki.issuer_ttl_seconds,
        always_new_issuer=pki.new_issuer is IssuerChange.ALWAYS,
    )


def _soon(rotation: SecretRotation) -> dict[str, Any]:
    """What is other for a credential that strangers know: little time, and nobody is asked."""
    spec = rotation.spec
    return {
        "quiet_seconds": min(spec.grace_seconds, int(leaks.QUIET.total_seconds())),
        "destroy_after_seconds": min(spec.destroy_after_seconds, int(leaks.LOCKED.total_seconds())),
        "approval": None,
        "leaked": True,
    }


def _approvers(rotation: SecretRotation) -> tuple[str, ...]:
    approval = rotation.spec.approval
    if approval is None:
        return ()
    return tuple(sorted({*approval.rule.groups, *approval.rule.required_groups})) or ("anybody",)


def _queues(planes: Iterable[DataPlane]) -> tuple[str, ...]:
    return tuple(sorted({plane.task_queue for plane in planes}))
