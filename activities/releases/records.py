"""Keeps Deployment, binding and Release telling the truth about a deployment."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any

from temporalio import activity

from activities.builds.artifacts import labels
from activities.common.kinds import platform
from activities.common.statuses import judged, now, write_status, write_status_of
from activities.common.together import together
from activities.releases.bindings import asked_binding
from activities.releases.retention import forget_old
from clients.kubernetes.cluster import Cluster
from domain.deliveries import DeployRecord, DeployRequest, PreparedRelease
from domain.errors import Conflict, NotFound
from domain.phases import Phase
from domain.policies.teardown.holds import UNDEPLOY
from domain.rendering import labels as names
from domain.resources import Deployment, Metadata, Release, Resource
from domain.resources.binding import Binding, BindingStatus, EndpointAddress, ResourceUsage
from domain.resources.build import OperationRef, TriggerInfo
from domain.resources.conditions import ConditionType, without_condition
from domain.resources.configured import GivenRevision
from domain.resources.deployment import (
    DeployAction,
    DeploymentSpec,
    DeploymentStatus,
    ReleaseHealth,
    ReleaseStatus,
)

FINALIZER = UNDEPLOY


async def begin(
    cluster: Cluster,
    binding: Binding,
    prepared: PreparedRelease,
    request: DeployRequest,
    release: Release | None,
) -> None:
    """Writes the Release and the Deployment down and says on the binding that it runs.

    The three do not depend on each other, so they are written at once. The Deployment gets its
    status when it ends; until then the binding tells where it stands. Idempotent.
    """
    deployment = Deployment(
        metadata=Metadata(
            name=prepared.deployment,
            namespace=prepared.organization,
            labels={
                **labels(prepared.organization, prepared.project, prepared.component),
                names.ENVIRONMENT: prepared.environment,
            },
        ),
        spec=DeploymentSpec(
            binding_ref=prepared.binding,
            binding_generation=prepared.generation,
            component_ref=prepared.component,
            environment_ref=prepared.environment,
            release_ref=prepared.bundle.release,
            artifact_ref=prepared.artifact,
            image=prepared.image,
            action=DeployAction(prepared.action),
            trigger=TriggerInfo(**request.trigger.model_dump()),
        ),
    )
    message = f"{_action(prepared)} of {prepared.version or prepared.component} runs"
    writes: list[Coroutine[Any, Any, object]] = [_once(cluster, deployment)]
    if release is not None:
        writes.append(_once(cluster, release))
    if prepared.changed and not request.put_back:
        status = binding.status.model_copy(
            update={"deployment_ref": prepared.deployment, "operation": _operation()}
        )
        judging = _judge(cluster, binding, status, ready=False, reason="Deploying", message=message)
        writes.append(judging)
    await together(*writes)


async def _once(cluster: Cluster, resource: Resource) -> None:
    """Creates a resource named by what it is about, if it is not there yet."""
    try:
        await cluster.create(resource.manifest())
    except Conflict:
        activity.logger.debug("%s %s is written down already", resource.kind, resource.name)


async def end(
    cluster: Cluster,
    record: DeployRecord,
    at: datetime,
    history: Coroutine[Any, Any, object],
) -> None:
    """Writes how a deployment ended everywhere it is told, and the history along. Idempotent.

    The binding comes last: who waits for it finds the records complete.
    """
    request, prepared = record.request, record.release
    succeeded = prepared is not None and record.phase is Phase.SUCCEEDED
    writes: list[Coroutine[Any, Any, object]] = [history]
    if prepared is not None:
        writes.append(_end_deployment(cluster, record, prepared, at))
    if prepared is not None and succeeded and not request.put_back:
        writes.append(_end_release(cluster, prepared, at))
    await together(*writes)
    if request.put_back:
        # The release was there before and is there after: only the drift procedure tells of it.
        return
    binding = await asked_binding(cluster, request, prepared.binding_kind if prepared else "")
    if binding is None:
        return
    await _end_binding(cluster, record, binding)
    if prepared is None or not succeeded:
        return
    if prepared.previous.release not in {"", prepared.bundle.release}:
        await forget_old(cluster, prepared)
    if binding.is_deleted and prepared.action == DeployAction.UNDEPLOY:
        await _let_go(cluster, binding)


async def _end_deployment(
    cluster: Cluster, record: DeployRecord, prepared: PreparedRelease, at: datetime
) -> None:
    """Writes the whole status, all of which the record knows; nothing is read before."""
    finished = _seconds(record.finished) or at
    status = DeploymentStatus(
        phase=record.phase,
        reason=record.reason,
        message=_told(record),
        log_tail=record.log_tail,
        restored=record.restored,
        url=prepared.url,
        operation=OperationRef(workflow_id=record.workflow_id, run_id=record.run_id),
        started=_seconds(record.started),
        finished=finished,
    )
    told = judged(
        status,
        ready=record.phase is Phase.SUCCEEDED,
        reason=record.reason or record.phase.value,
        message=_told(record),
        generation=1,  # a Deployment never changes
        at=finished,
    )
    with suppress(NotFound):  # somebody deleted the record meanwhile
        await write_status_of(cluster, Deployment, prepared.deployment, prepared.organization, told)


def _seconds(at: datetime | None) -> datetime | None:
    return at.replace(microsecond=0) if at else None


async def _end_binding(cluster: Cluster, record: DeployRecord, binding: Binding) -> None:
    """The binding shows what runs: after a failure that is what ran before, or nothing."""
    prepared = record.release
    status = binding.status
    if prepared is not None and record.phase is Phase.SUCCEEDED:
        undeployed = prepared.action == DeployAction.UNDEPLOY
        status = BindingStatus(
            artifact_ref="" if undeployed else prepared.artifact,
            version="" if undeployed else prepared.version,
            image="" if undeployed else prepared.image,
            release_ref=prepared.bundle.release,
            deployment_ref=prepared.deployment,
            class_revision_ref="" if undeployed else prepared.class_revision,
            interfaces="" if undeployed else prepared.interfaces,
            configuration=() if undeployed else _given(prepared),
            usage=ResourceUsage(**prepared.taken.model_dump()),
            url="" if undeployed else prepared.url,
            plane_ref="" if undeployed else prepared.plane,
            endpoints=() if undeployed else _reached(prepared),
            operation=status.operation,
            conditions=status.conditions,
        )
    generation = prepared.generation if prepared else record.generation
    await _judge(
        cluster,
        binding,
        status,
        ready=record.phase is Phase.SUCCEEDED,
        reason=_binding_reason(record),
        message=_told(record),
        generation=generation,
    )


def _reached(prepared: PreparedRelease) -> tuple[EndpointAddress, ...]:
    return tuple(EndpointAddress(**one.model_dump()) for one in prepared.endpoints)


def _given(prepared: PreparedRelease) -> tuple[GivenRevision, ...]:
    return tuple(
        GivenRevision(group_ref=one.group, revision_ref=one.revision)
        for one in prepared.configuration
    )


async def _end_release(cluster: Cluster, prepared: PreparedRelease, at: datetime) -> None:
    """The new release is healthy, the one before is retired."""
    where = prepared.organization
    writes: list[Coroutine[Any, Any, object]] = []
    if prepared.bundle.release:
        suspended = prepared.action == DeployAction.SUSPEND
        health = ReleaseHealth.SUSPENDED if suspended else ReleaseHealth.HEALTHY
        told = ReleaseStatus(health=health, applied=at)
        writes.append(write_status_of(cluster, Release, prepared.bundle.release, where, told))
    before = prepared.previous.release
    if before and before != prepared.bundle.release:
        writes.append(_retire(cluster, before, where))
    await together(*writes)


async def _retire(cluster: Cluster, release: str, where: str) -> None:
    retired = {"status": {"health": ReleaseHealth.RETIRED.value}}
    with suppress(NotFound):
        await cluster.patch(platform("Release"), release, where, retired, "status")


async def _let_go(cluster: Cluster, binding: Binding) -> None:
    """Lets Kubernetes delete a binding whose objects are gone."""
    kept = [each for each in binding.metadata.finalizers if each != FINALIZER]
    await cluster.patch(
        platform(binding.kind),
        binding.name,
        binding.namespace,
        {"metadata": {"finalizers": kept}},
    )


_REASONS = {"undeploy": "Undeployed", "suspend": "Suspended", "rollback": "RolledBack"}


def _binding_reason(record: DeployRecord) -> str:
    if record.phase is Phase.SUCCEEDED:
        action = record.release.action if record.release else ""
        return _REASONS.get(action, "Deployed")
    return record.reason or record.phase.value


def _told(record: DeployRecord) -> str:
    if record.phase is Phase.SUCCEEDED and record.release is not None:
        what = record.release.version or record.release.component
        unchanged = "" if record.release.changed else "; nothing changed, nothing was rolled out"
        return f"{_action(record.release)} of {what} succeeded{unchanged}"
    undone = f"; {', '.join(record.undone)}" if record.undone else ""
    return f"{record.message or record.phase.value}{undone}"


def _action(prepared: PreparedRelease) -> str:
    return "put-back" if prepared.put_back else prepared.action


def _operation() -> OperationRef:
    info = activity.info()
    return OperationRef(workflow_id=info.workflow_id or "", run_id=info.workflow_run_id or "")


async def _judge(
    cluster: Cluster,
    resource: Binding,
    status: BindingStatus,
    *,
    ready: bool,
    reason: str,
    message: str,
    generation: int | None = None,
) -> None:
    observed = resource.metadata.generation if generation is None else generation
    # Drift has a writer of its own; a copy of its condition would outlive it.
    own = without_condition(status.conditions, ConditionType.DRIFTED)
    status = status.model_copy(update={"conditions": own})
    told = judged(
        status, ready=ready, reason=reason, message=message, generation=observed, at=now()
    )
    await write_status(cluster, resource, told)
