"""Shows what a promotion would do and wait for, with what only the API knows of it."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.client import Client

from api.access import Access
from api.schemas.promotions import ChangeView, GateView, PlanView
from api.services import Services
from api.views import approvals
from clients.records import HistoryFilter
from domain import ids
from domain.deliveries.promotions import PromotionFacts, PromotionPlan, PromotionRequest
from domain.errors import NotFound, PlatformError
from domain.policies.access import holders
from domain.policies.insights import usual_times
from domain.records import DeploymentEntry
from domain.resources import Action
from domain.resources.gates import APPROVAL

_KNOWN = 500
"""Deployments by which a plan says how long things usually take."""


async def plan_view(
    services: Services,
    access: Access,
    client: Client,
    request: PromotionRequest,
    plan: PromotionPlan,
) -> PlanView:
    """Returns a plan as callers get it: also who may agree, who did, and how long it usually takes.

    Without the records nobody knows the last; all else is told, and that this is not.
    """
    facts = plan.facts
    asks = facts.rules.approval is not None
    if request.hotfix and APPROVAL in facts.rules.skips:
        asks = False
    known, missing = await _known(services, facts)
    organization = await access.organization(facts.organization)
    return PlanView(
        organization=facts.organization,
        component=facts.component,
        environment=facts.environment,
        source=facts.source.environment,
        artifact=facts.artifact.name if facts.artifact else "",
        release=facts.release,
        hash=plan.hash,
        nothing_to_do=plan.nothing_to_do,
        problem=facts.problem,
        refused=facts.refused,
        gates=tuple(GateView.model_validate(one) for one in plan.gates),
        changes=tuple(ChangeView.model_validate(one) for one in facts.changes),
        configuration=facts.configuration,
        network=facts.network,
        pairs=facts.pairs,
        approvals=plan.approvals,
        approval=await _approval(client, access, facts) if asks else "",
        approvers=holders(
            organization, Action.APPROVE, project=facts.project, environment=facts.environment
        )
        if asks
        else (),
        waits=plan.waits,
        usual_seconds=usual_times(known),
        not_looked_at=missing,
    )


async def _approval(client: Client, access: Access, facts: PromotionFacts) -> str:
    """Says how the approval stands that is open; empty = none is."""
    subject = ids.promotion_id(facts.organization, facts.component, facts.environment)
    try:
        found = await approvals.standing(await approvals.find(client, access, subject))
    except NotFound:
        return ""
    if found.outcome is not None:
        return ""
    about = "exactly this" if found.hash == facts.agreed else "something else"
    return f"{found.message or 'nobody decided yet'}; asked about {about}"


async def _known(
    services: Services, facts: PromotionFacts
) -> tuple[Sequence[DeploymentEntry], tuple[str, ...]]:
    """Returns what came to the environment before, and why it is not known where it is not."""
    before = HistoryFilter(facts.organization, facts.project, environment=facts.environment)
    try:
        found = await services.records().history(before, _KNOWN)
    except PlatformError as error:
        return (), (f"how long it usually takes: {error.message}",)
    return [one.entry for one in found], ()
