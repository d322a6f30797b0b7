"""The inbox: lists and shows approvals, takes decisions, comments and delegations."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BeforeValidator

from api.access import AccessDep
from api.dependencies import IdempotencyKey, ServicesDep, TemporalDep
from api.operations.visibility import Inbox, approvals_query, page_of
from api.schemas.approvals import (
    ApprovalList,
    ApprovalView,
    CommentOrder,
    DecisionOrder,
    DelegationOrder,
    SignedDecision,
)
from api.views.approvals import (
    Order,
    decidable,
    decide,
    find,
    organization_of,
    person_of,
    readable,
    rooms,
    signed,
    standing,
    summarize,
)
from domain.deliveries.approval_votes import Act

router = APIRouter(prefix="/v1/approvals", tags=["approvals"])
_SUBJECT = "{subject:path}"
_LIFETIME_SECONDS = 300
_BARE = BeforeValidator(lambda value: value == "" or value)
"""A name without a value means yes."""


@router.get("", summary="List approvals, newest first")
async def list_approvals(
    *,
    access: AccessDep,
    client: TemporalDep,
    organization: Annotated[
        str, Query(max_length=63, description="Empty = all in which you have a part.")
    ] = "",
    mine: Annotated[
        bool, _BARE, Query(description="Only open ones that you may decide; `?mine` is enough.")
    ] = False,
    closed: Annotated[bool, Query(description="Those that are over as well.")] = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    page: Annotated[str, Query(max_length=4096)] = "",
) -> ApprovalList:
    """One query of visibility, of one organization or of all in which you have a part.

    Of a page only what you may see is shown; each organization's own access rules decide that.
    """
    known = await rooms(access, organization)
    if not known:
        return ApprovalList(items=())
    person = person_of(access) if mine else None
    names = () if access.is_admin and not organization else tuple(known)
    inbox = Inbox(names, person, closed=closed and not mine)
    executions, following = await page_of(client, approvals_query(inbox), limit=limit, token=page)
    wanted = decidable if mine else readable
    items = [
        summarize(execution, dict(await execution.memo()))
        for execution in executions
        if (owner := known.get(organization_of(execution))) and wanted(access, owner, execution)
    ]
    return ApprovalList(items=tuple(items), next_page=following)


@router.post(f"/{_SUBJECT}/decision", summary="Approve or reject")
async def decision(
    subject: str,
    order: DecisionOrder,
    access: AccessDep,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> ApprovalView:
    """Answers at once whether it counts. Bound to `hash`: when what is asked changed, it does not.

    The same decision again counts once.
    """
    found = await find(await services.temporal(), access, subject)
    made = Order(Act(order.decision), order.reason, order.hash, order.round)
    return await decide(services, access, found, made, idempotency_key)


@router.post(f"/{_SUBJECT}/comments", summary="Say something without deciding")
async def comment(
    subject: str,
    order: CommentOrder,
    access: AccessDep,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> ApprovalView:
    """Adds a comment."""
    found = await find(await services.temporal(), access, subject)
    made = Order(Act.COMMENT, order.text)
    return await decide(services, access, found, made, idempotency_key)


@router.post(f"/{_SUBJECT}/delegation", summary="Let somebody decide instead")
async def delegation(
    subject: str,
    order: DelegationOrder,
    access: AccessDep,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> ApprovalView:
    """Lends your right for this approval; a later delegation takes its place."""
    found = await find(await services.temporal(), access, subject)
    made = Order(Act.DELEGATE, order.reason, delegate=order.to)
    return await decide(services, access, found, made, idempotency_key)


@router.post(f"/{_SUBJECT}/signature", summary="Sign a decision for Temporal's CLI or UI")
async def signature(
    subject: str, order: DecisionOrder, access: AccessDep, services: ServicesDep
) -> SignedDecision:
    """Decides nothing: returns the input of the workflow's Update or Signal `decide`."""
    found = await find(await services.temporal(), access, subject)
    made = Order(Act(order.decision), order.reason, order.hash, order.round)
    content = signed(services, access, found, made).model_dump(mode="json")
    written = json.dumps(content).replace("'", "'\\''")
    return SignedDecision(
        workflow_id=found.handle.id,
        input=content,
        command=f"temporal workflow update execute --workflow-id {found.handle.id} "
        f"--name decide --input '{written}'",
        expires_in_seconds=_LIFETIME_SECONDS,
    )


@router.get(f"/{_SUBJECT}", summary="Show an approval")
async def show(subject: str, access: AccessDep, services: ServicesDep) -> ApprovalView:
    """Shows what is asked, who said what, what is missing and until when."""
    found = await find(await services.temporal(), access, subject)
    return ApprovalView.of(await standing(found), person_of(access))
