"""Asks people before the old credential of a secret is locked and destroyed."""

from __future__ import annotations

from temporalio import workflow

from domain import ids
from domain.deliveries.approvals import ApprovalRequest, BoundFacts
from domain.deliveries.rotations import RotationRequest, SecretTurn
from domain.errors import Denied
from domain.secrets.places import scope_of
from runtime import search_attributes as attributes
from workflows.approvals.asking import approved
from workflows.common.progress import Progress
from workflows.secrets.consumers import Consumers


async def agreed(
    request: RotationRequest, turn: SecretTurn, consumers: Consumers, progress: Progress
) -> None:
    """Returns when whom the SecretRotation names have agreed; at once when it names nobody.

    Raises:
        Denied: They refused, or nobody answered in time.
    """
    plan = turn.plan
    if plan.approval is None:
        progress.skip("approval", "nobody needs to agree")
        return
    scope = scope_of(plan.path)
    asked = ApprovalRequest(
        subject=workflow.info().workflow_id,
        organization=plan.organization,
        project=scope.project,
        environment=scope.environment,
        asked=f"lock and destroy the old credential of {plan.path}",
        details=f"Version {turn.version} is used by {', '.join(consumers.names)}.",
        facts=BoundFacts(plan=ids.content_hash(turn.bound)),
        rule=plan.approval,
        requester=request.trigger.actor,
    )
    until = workflow.now() + plan.approval.expires_after
    who = ", ".join(plan.approval.groups) or "whoever may approve there"
    workflow.upsert_search_attributes([attributes.AWAITING.value_set(True)])
    with progress.step("approval", awaiting="approval", until=until, who=who):
        result = await approved(asked)
    workflow.upsert_search_attributes([attributes.AWAITING.value_set(False)])
    if not result.approved or result.hash != asked.hash:
        raise Denied(result.message or f"the approval was {result.outcome.value}")
