"""Looks what a promotion would do and wait for. The same reading and the same rules; no effect."""

from __future__ import annotations

from temporalio import workflow

from activities.promotions.standing import PromotionActivities
from domain import ids
from domain.deliveries.promotions import PromotionPlan, PromotionRequest
from domain.policies.promotion.gates import Case, evaluate
from domain.policies.promotion.plan import plan
from workflows.common.calls import QUICK, call


@workflow.defn
class PlanPromotionWorkflow:
    """One look; over in a moment."""

    @workflow.run
    async def run(self, request: PromotionRequest) -> PromotionPlan:
        """Reads the facts, judges all gates, and says what would come of it."""
        facts = await call(
            PromotionActivities.read_promotion,
            request,
            f"look at {request.component} and the gates of {request.environment}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )
        outcomes = {one.name: one for one in facts.judged}
        case = Case(request=request, facts=facts, outcomes=outcomes, now=workflow.now())
        return plan(request, facts, evaluate(case))
