"""What is written down for good of a deployment or a build."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from domain.deliveries import (
    BuildRequest,
    ClassUpgradeRequest,
    ConfigurationRequest,
    DeployRecord,
    DeployRequest,
    TaskRunRequest,
    Trigger,
)
from domain.records import AuditFact, DeploymentEntry, FactResult, fact_key


def asked(request: DeployRequest) -> AuditFact:
    """Returns the fact that a deployment is wanted; it is written before anything is done."""
    wanted = "put back what drifted" if request.put_back else request.artifact
    return _asked(
        request.organization,
        request.trigger,
        action="deployment.requested",
        subject=f"{request.component} in {request.environment}",
        step=f"{request.request_id}:requested",
        component=request.component,
        environment=request.environment,
        after=wanted or "what the binding wants",
    )


def asked_build(request: BuildRequest) -> AuditFact:
    """Returns the fact that a build is wanted."""
    return _asked(
        request.organization,
        request.trigger,
        action="build.requested",
        subject=f"{request.component} at {request.commit[:12]}",
        step="requested",
        component=request.component,
        after=request.commit,
    )


def asked_run(request: TaskRunRequest) -> AuditFact:
    """Returns the fact that a run of a scheduled task is wanted."""
    return _asked(
        request.organization,
        request.trigger,
        action="task-run.requested",
        subject=f"{request.component} in {request.environment}",
        step="requested",
        component=request.component,
        environment=request.environment,
        after=request.key,
    )


def asked_upgrade(request: ClassUpgradeRequest, revision: str) -> AuditFact:
    """Returns the fact that components are to come to the present content of their class."""
    return _asked(
        request.organization,
        request.trigger,
        action="class-upgrade.requested",
        subject=f"{request.class_kind} {request.class_name}",
        step=f"{revision}:requested",
        after=revision,
    )


def asked_configuration(request: ConfigurationRequest, revision: str) -> AuditFact:
    """Returns the fact that components are to get what a configuration group says."""
    return _asked(
        request.organization,
        request.trigger,
        action="configuration.requested",
        subject=f"ConfigurationGroup {request.group}",
        step=f"{revision}:requested",
        after=revision,
    )


def _asked(
    organization: str, trigger: Trigger, *, action: str, step: str, **about: str
) -> AuditFact:
    info = activity.info()
    workflow_id, run_id = info.workflow_id or "", info.workflow_run_id or ""
    return AuditFact(
        organization=organization,
        key=fact_key(workflow_id, run_id, step),
        actor=trigger.actor or trigger.kind.value,
        authority=f"trigger {trigger.kind.value}",
        action=action,
        # Not the time of this try: all tries of one step tell the same.
        at=info.scheduled_time,
        result=FactResult.ASKED,
        evidence=tuple(one for one in (workflow_id, trigger.reference) if one),
        **about,
    )


def entry_of(record: DeployRecord, at: datetime) -> DeploymentEntry:
    """Returns the entry of the history for a deployment that ended."""
    request, release = record.request, record.release
    name = release.deployment if release else ""
    return DeploymentEntry(
        key=fact_key(record.workflow_id, record.run_id, f"{request.request_id}:ended"),
        organization=request.organization,
        project=release.project if release else "",
        component=request.component,
        environment=request.environment,
        deployment=name,
        action=release.action if release else "deploy",
        actor=request.trigger.actor or request.trigger.kind.value,
        trigger=request.trigger.kind.value,
        reference=request.trigger.reference,
        release=release.bundle.release if release else "",
        artifact=release.artifact if release else request.artifact,
        version=release.version if release else "",
        image=release.image if release else "",
        from_release=release.previous.release if release else "",
        from_artifact=release.from_artifact if release else "",
        from_version=release.from_version if release else "",
        from_image=release.from_image if release else "",
        changed=release.changed if release else False,
        phase=record.phase,
        failure=record.reason,
        message=record.message,
        restored=record.restored,
        asked=request.asked,
        started=record.started or at,
        finished=record.finished or at,
        lead_time=record.lead_time,
        workflow_id=record.workflow_id,
        run_id=record.run_id,
    )
