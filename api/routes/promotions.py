"""Orders promotions and rollbacks, and tells what stands in their way."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from api.access import AccessDep
from api.dependencies import ClusterDep, IdempotencyKey, ServicesDep, TemporalDep
from api.operations.orders import accepted
from api.schemas.deliveries import Accepted
from api.schemas.promotions import (
    ConfirmOrder,
    PipelineView,
    PlanView,
    PromotionOrder,
    PromotionView,
    RollbackOrder,
)
from api.schemas.reasons import WhyView
from api.serving.idempotency import confirm_same, request_key
from api.views.plans import plan_view
from api.views.promotions import artifact_of, permitted, pipeline_view, promotion_of
from api.views.reasons import why
from api.views.used_secrets import expiring_secrets
from domain.deliveries import Trigger
from domain.deliveries.promotions import Confirmation, PromotionRequest
from domain.deliveries.rollbacks import RollbackRequest
from domain.errors import InvalidRequest, NotFound
from domain.resources import Action
from runtime.errors import as_domain_error
from workflows.promotions.starting import (
    confirm_gate,
    plan_promotion,
    signal_promotion,
    start_rollback,
)

router = APIRouter(prefix="/v1", tags=["promotions"])


@router.post(
    "/promotions",
    status_code=HTTPStatus.ACCEPTED,
    summary="Promote a component to an environment, or plan that",
    responses={200: {"model": PlanView, "description": "The plan; nothing was done."}},
)
async def promote(
    *,
    order: PromotionOrder,
    response: Response,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    services: ServicesDep,
    dry_run: Annotated[bool, Query(alias="dryRun", description="Only plan it.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> Accepted | PlanView:
    """Brings what runs in one environment to the next, through the gates of the pipeline.

    With `dryRun` the same is judged and nothing is done. A hotfix needs a reason and the right to
    it. A newer request takes the place of one that still waits.
    """
    place = (order.organization, order.component, order.environment)
    await permitted(access, cluster, place, Action.READ if dry_run else Action.DEPLOY)
    if order.hotfix:
        if not order.reason.strip():
            raise InvalidRequest("a hotfix needs a reason")
        if not dry_run:
            await permitted(access, cluster, place, Action.HOTFIX)
    key = request_key(idempotency_key, access.actor)
    request = PromotionRequest(
        **order.model_dump(), request_id=key, trigger=Trigger(actor=access.actor, reference=key)
    )
    if dry_run:
        try:
            plan = await plan_promotion(client, request)
        except WorkflowFailureError as failure:
            raise as_domain_error(failure.cause) from failure
        response.status_code = HTTPStatus.OK
        return await plan_view(services, access, client, request, plan)
    handle = await signal_promotion(client, request)
    run_id = handle.first_execution_run_id or ""
    if idempotency_key is not None:
        await confirm_same(client, handle.id, run_id, request)
    answer = accepted(handle.id, run_id, request_id=key)
    response.headers["Location"] = answer.links.self
    return answer


@router.get(
    "/promotions/{organization}/{component}/{environment}",
    summary="The promotion of a place, with what each gate says",
)
async def promotion(
    *,
    organization: str,
    component: str,
    environment: str,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> PromotionView:
    """Returns the promotion that is on its way, or how the last one ended."""
    await permitted(access, cluster, (organization, component, environment), Action.READ)
    found = await promotion_of(client, organization, component, environment)
    return PromotionView.model_validate(found)


@router.post(
    "/promotions/{organization}/{component}/{environment}/confirmations",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Say what you saw at a manual gate",
)
async def confirm(
    *,
    organization: str,
    component: str,
    environment: str,
    order: ConfirmOrder,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> None:
    """Opens or closes a manual gate for exactly what is being promoted."""
    await permitted(access, cluster, (organization, component, environment), Action.DEPLOY)
    word = Confirmation(**order.model_dump(), by=access.actor)
    try:
        await confirm_gate(client, organization, component, environment, word)
    except WorkflowUpdateFailedError as failure:
        raise as_domain_error(failure.cause) from failure
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise NotFound(f"no promotion of {component} to {environment} waits") from error


@router.post("/rollbacks", status_code=HTTPStatus.ACCEPTED, summary="Roll a component back")
async def roll_back(
    *,
    order: RollbackOrder,
    response: Response,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> Accepted:
    """Brings back the last release that did well, or the one that is named.

    Hold and veto keep what goes away from coming back by itself. While a rollback of the place
    runs, another request is the same one.
    """
    place = (order.organization, order.component, order.environment)
    await permitted(access, cluster, place, Action.DEPLOY)
    key = request_key(None, access.actor)
    request = RollbackRequest(
        **order.model_dump(), request_id=key, trigger=Trigger(actor=access.actor, reference=key)
    )
    handle = await start_rollback(client, request)
    answer = accepted(handle.id, handle.first_execution_run_id or "", request_id=key)
    response.headers["Location"] = answer.links.self
    return answer


@router.get(
    "/components/{organization}/{component}/why/{environment}",
    summary="Why an artifact is not in an environment yet",
)
async def why_not(
    *,
    organization: str,
    component: str,
    environment: str,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    services: ServicesDep,
    artifact: Annotated[str, Query(max_length=63)] = "",
) -> WhyView:
    """Lists all that stands between: since when, until when, and who can end it."""
    place = (organization, component, environment)
    await permitted(access, cluster, place, Action.READ)
    if artifact:
        await artifact_of(cluster, organization, component, artifact)
    try:
        found = await why(client, services.records, place, artifact)
    except WorkflowFailureError as failure:
        raise as_domain_error(failure.cause) from failure
    expiring = await expiring_secrets(cluster, services.secrets, *place)
    return found.model_copy(update={"expiring_secrets": expiring})


@router.get(
    "/components/{organization}/{component}/pipeline",
    summary="The pipeline of a component, with what is where",
)
async def pipeline(
    organization: str, component: str, access: AccessDep, cluster: ClusterDep, client: TemporalDep
) -> PipelineView:
    """Returns the environments in order and the rules of each step."""
    await permitted(access, cluster, (organization, component, ""), Action.READ)
    return await pipeline_view(cluster, client, organization, component)
