"""How promotions, plans and rollbacks are started and told, from the API and from the intake."""

from __future__ import annotations

import uuid
from datetime import timedelta

from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.deliveries.promotions import (
    Confirmation,
    Promotion,
    PromotionPlan,
    PromotionRequest,
)
from domain.deliveries.rollbacks import Rollback, RollbackRequest
from workflows.common.opening import opened
from workflows.deployments.attributes import promotion_attributes, rollback_attributes
from workflows.promotions.plans import PlanPromotionWorkflow
from workflows.promotions.promotion import PromotionWorkflow
from workflows.promotions.rollback import RollbackWorkflow

_URGENT = Priority(priority_key=1)
_PLAN_LIMIT = timedelta(seconds=60)


async def signal_promotion(
    client: Client, request: PromotionRequest
) -> WorkflowHandle[PromotionWorkflow, Promotion]:
    """Asks for a promotion. Idempotent by ``request.request_id`` while the place is busy.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await opened(
        client,
        PromotionWorkflow.run,
        request,
        place=ids.promotion_id(request.organization, request.component, request.environment),
        queue=ids.LANES_QUEUE,
        signal="requested",
        search_attributes=promotion_attributes(request),
        static_summary=f"promote {request.artifact or request.component} to {request.environment}",
        static_details=f"Asked by {request.trigger.actor or request.trigger.kind.value}",
    )


async def stir_promotion(
    client: Client, organization: str, component: str, environment: str
) -> bool:
    """Has an open promotion look at its facts again; False = there is none."""
    workflow_id = ids.promotion_id(organization, component, environment)
    handle = client.get_workflow_handle_for(PromotionWorkflow.run, workflow_id)
    try:
        await handle.signal(PromotionWorkflow.facts_changed)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


async def confirm_gate(
    client: Client, organization: str, component: str, environment: str, word: Confirmation
) -> None:
    """Gives a person's word about a manual gate to the promotion that waits for it.

    Raises:
        WorkflowUpdateFailedError: It does not wait for that.
        RPCError: NOT_FOUND when there is no promotion.
    """
    workflow_id = ids.promotion_id(organization, component, environment)
    handle = client.get_workflow_handle_for(PromotionWorkflow.run, workflow_id)
    await handle.execute_update(PromotionWorkflow.confirm, word)


async def plan_promotion(client: Client, request: PromotionRequest) -> PromotionPlan:
    """Returns what a promotion would do; nothing is written."""
    return await client.execute_workflow(
        PlanPromotionWorkflow.run,
        request,
        id=ids.promotion_plan_id(
            request.organization, request.component, request.environment, uuid.uuid4().hex
        ),
        task_queue=ids.ORCHESTRATION_QUEUE,
        execution_timeout=_PLAN_LIMIT,
        static_summary=f"plan of {request.component} to {request.environment}",
    )


async def start_rollback(
    client: Client, request: RollbackRequest
) -> WorkflowHandle[RollbackWorkflow, Rollback]:
    """Starts a rollback, or adopts the one that runs: there is one at a time in a place.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await opened(
        client,
        RollbackWorkflow.run,
        request,
        place=ids.rollback_id(request.organization, request.component, request.environment),
        queue=ids.ORCHESTRATION_QUEUE,
        priority=_URGENT,
        search_attributes=rollback_attributes(request),
        static_summary=f"roll {request.component} back in {request.environment}",
        static_details=f"Asked by {request.trigger.actor or request.trigger.kind.value}",
    )
