"""What a rollback orders, and what it answers."""

from __future__ import annotations

from temporalio import workflow

from domain.deliveries import DeployRequest, Trigger
from domain.deliveries.rollbacks import Rollback, RollbackFacts, RollbackRequest
from domain.errors import Denied, Errored, PlatformError
from domain.phases import Phase
from domain.policies.promotion.rollback import KnownRelease


def order_of(request: RollbackRequest, facts: RollbackFacts, target: KnownRelease) -> DeployRequest:
    """Returns the deployment that brings a release back; the same one however often it is tried."""
    info = workflow.info()
    return DeployRequest(
        organization=request.organization,
        component=request.component,
        environment=request.environment,
        request_id=f"rollback-{info.run_id}",
        artifact=target.artifact,
        rollback=target.name,
        binding=facts.binding,
        binding_kind=facts.binding_kind,
        tell=info.workflow_id,
        trigger=Trigger(
            kind=request.trigger.kind, actor=request.trigger.actor, reference=info.workflow_id
        ),
    )


def result_of(
    request: RollbackRequest,
    facts: RollbackFacts | None,
    target: KnownRelease | None,
    message: str,
) -> Rollback:
    """Returns what came of a rollback that did what was asked."""
    return Rollback(
        organization=request.organization,
        component=request.component,
        environment=request.environment,
        request_id=request.request_id,
        phase=Phase.SUCCEEDED,
        bad=facts.running if facts else request.bad,
        release=target.name if target else "",
        artifact=target.artifact if target else "",
        message=message,
    )


def phase_of(error: PlatformError) -> Phase:
    """Returns in which phase a rollback ended that failed so."""
    if isinstance(error, Denied):
        return Phase.DENIED
    return Phase.ERRORED if isinstance(error, Errored) else Phase.FAILED
