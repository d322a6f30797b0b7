"""Keeps Deployment, ServiceBinding and Release telling the truth about a deployment."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from activities.artifacts import labels
from activities.kinds import platform
from activities.reading import find, listed, read
from activities.statuses import judged, now, write_status
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries import DeployRecord, DeployRequest, PreparedRelease
from domain.errors import Conflict
from domain.phases import Phase
from domain.policies.retention import StoredRelease, expired_releases
from domain.rendering import labels as names
from domain.resources import Deployment, Metadata, Release, ServiceBinding
from domain.resources.binding import ServiceBindingStatus
from domain.resources.build import OperationRef, TriggerInfo
from domain.resources.conditions import ConditionType, without_condition
from domain.resources.deployment import (
    DeployAction,
    DeploymentSpec,
    DeploymentStatus,
    ReleaseHealth,
    ReleaseStatus,
)

FINALIZER = "choreo.dev/undeploy"
"""Keeps a binding that is being deleted until its objects are gone from the plane."""


async def begin(
    cluster: Cluster, binding: ServiceBinding, prepared: PreparedRelease, request: DeployRequest
) -> None:
    """Says on the Deployment and on the binding that a deployment runs. Idempotent."""
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
    try:
        await cluster.create(deployment.manifest())
    except Conflict:
        activity.logger.info("deployment %s is written down already", prepared.deployment)
    message = f"{_action(prepared)} of {prepared.version or prepared.component} runs"
    running = DeploymentStatus(
        phase=Phase.RUNNING, message=message, operation=_operation(), started=now()
    )
    await _judge(cluster, deployment, running, ready=False, reason="Deploying", message=message)
    if prepared.changed and not request.put_back:
        status = binding.status.model_copy(
            update={"deployment_ref": prepared.deployment, "operation": _operation()}
        )
        await _judge(cluster, binding, status, ready=False, reason="Deploying", message=message)


async def end(cluster: Cluster, record: DeployRecord, at: datetime) -> None:
    """Writes how a deployment ended everywhere it is told. Idempotent."""
    request, prepared = record.request, record.release
    if prepared is not None:
        await _end_deployment(cluster, record, prepared, at)
    if request.put_back:
        # The release was there before and is there after: only the drift procedure tells of it.
        return
    name = request.binding or ids.binding_name(request.component, request.environment)
    binding = await find(cluster, ServiceBinding, name, request.organization)
    if binding is None:
        return
    await _end_binding(cluster, record, binding)
    if prepared is None or record.phase is not Phase.SUCCEEDED:
        return
    await _end_release(cluster, prepared, at)
    if binding.is_deleted and prepared.action == DeployAction.UNDEPLOY:
        await _let_go(cluster, binding)


async def _end_deployment(
    cluster: Cluster, record: DeployRecord, prepared: PreparedRelease, at: datetime
) -> None:
    deployment = await find(cluster, Deployment, prepared.deployment, prepared.organization)
    if deployment is None:
        return
    succeeded = record.phase is Phase.SUCCEEDED
    status = deployment.status.model_copy(
        update={
            "phase": record.phase,
            "reason": record.reason,
            "message": _told(record),
            "log_tail": record.log_tail,
            "restored": record.restored,
            "url": prepared.url,
            "finished": deployment.status.finished or at,
        }
    )
    await _judge(
        cluster,
        deployment,
        status,
        ready=succeeded,
        reason=record.reason or record.phase.value,
        message=_told(record),
    )


async def _end_binding(cluster: Cluster, record: DeployRecord, binding: ServiceBinding) -> None:
    """The binding shows what runs: after a failure that is what ran before, or nothing."""
    prepared = record.release
    status = binding.status
    if prepared is not None and record.phase is Phase.SUCCEEDED:
        undeployed = prepared.action == DeployAction.UNDEPLOY
        status = ServiceBindingStatus(
            artifact_ref="" if undeployed else prepared.artifact,
            version="" if undeployed else prepared.version,
            image="" if undeployed else prepared.image,
            release_ref=prepared.bundle.release,
            deployment_ref=prepared.deployment,
            url="" if undeployed else prepared.url,
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


async def _end_release(cluster: Cluster, prepared: PreparedRelease, at: datetime) -> None:
    """The new release is healthy, the one before is retired, those beyond the tenth are gone."""
    where = prepared.organization
    if prepared.bundle.release:
        suspended = prepared.action == DeployAction.SUSPEND
        health = ReleaseHealth.SUSPENDED if suspended else ReleaseHealth.HEALTHY
        release = await read(cluster, Release, prepared.bundle.release, where)
        await write_status(cluster, release, ReleaseStatus(health=health, applied=at))
    before = prepared.previous.release
    if before and before != prepared.bundle.release:
        old = await find(cluster, Release, before, where)
        if old is not None:
            retired = old.status.model_copy(update={"health": ReleaseHealth.RETIRED})
            await write_status(cluster, old, retired)
    await _forget_releases(cluster, prepared)


async def _forget_releases(cluster: Cluster, prepared: PreparedRelease) -> None:
    selector = f"{names.COMPONENT}={prepared.component},{names.ENVIRONMENT}={prepared.environment}"
    releases = await listed(cluster, Release, prepared.organization, selector)
    stored = [
        StoredRelease(
            name=release.name,
            last_used=release.status.applied or release.metadata.creation_timestamp or now(),
        )
        for release in releases
    ]
    in_use = {prepared.bundle.release, prepared.previous.release}
    for name in expired_releases(stored, in_use):
        await cluster.delete(platform("Release"), name, prepared.organization)


async def _let_go(cluster: Cluster, binding: ServiceBinding) -> None:
    """Lets Kubernetes delete a binding whose objects are gone."""
    kept = [each for each in binding.metadata.finalizers if each != FINALIZER]
    await cluster.patch(
        platform("ServiceBinding"),
        binding.name,
        binding.namespace,
        {"metadata": {"finalizers": kept}},
    )


def _binding_reason(record: DeployRecord) -> str:
    if record.phase is Phase.SUCCEEDED:
        action = record.release.action if record.release else ""
        return {"undeploy": "Undeployed", "suspend": "Suspended"}.get(action, "Deployed")
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
    resource: Deployment | ServiceBinding,
    status: DeploymentStatus | ServiceBindingStatus,
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
