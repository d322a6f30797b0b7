"""Rights for a while: asked for by a person, agreed to by others, over by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter, Response

from api.access import AccessDep
from api.dependencies import TemporalDep
from api.operations.orders import accepted
from api.schemas.deliveries import Accepted
from api.schemas.rights import BreakGlassOrder, GrantList, GrantView
from api.serving.idempotency import confirm_same
from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.break_glass import BreakGlassRequest
from domain.durations import parse_duration
from domain.policies.break_glass import rule_for
from workflows.rights.starting import start_break_glass

router = APIRouter(prefix="/v1/break-glass", tags=["approvals"])


@router.get("/{organization}", summary="Who has a role for a while")
async def grants(organization: str, access: AccessDep) -> GrantList:
    """Lists what holds now, in the environments that the caller sees."""
    found, now = await access.organization(organization), datetime.now(UTC)
    return GrantList(
        items=tuple(
            GrantView.of(one)
            for one in found.status.grants
            if one.until > now and access.sees(found, one.project, one.environment)
        )
    )


@router.post(
    "/{organization}", status_code=HTTPStatus.ACCEPTED, summary="Ask for a role for a while"
)
async def ask(
    organization: str,
    order: BreakGlassOrder,
    response: Response,
    access: AccessDep,
    client: TemporalDep,
) -> Accepted:
    """Asks those whom ``spec.breakGlass`` of the Organization names; once they agree it holds.

    For members of the organization, for themselves. It ends by itself; they or an administrator end
    it sooner by cancelling the operation. Asking for the same again is the same operation; asking
    for another one in that environment meanwhile is a conflict.
    """
    found = await access.organization(organization)
    ids.slug(order.environment, "environment")
    request = BreakGlassRequest(
        organization=organization,
        project=order.project and ids.slug(order.project, "project"),
        environment=order.environment,
        role=order.role.value,
        person=access.principal,
        reason=order.reason,
        seconds=int(parse_duration(order.duration).total_seconds()),
        trigger=Trigger(actor=access.actor),
    )
    rule_for(found, request)
    handle = await start_break_glass(client, request)
    run_id = handle.first_execution_run_id or handle.result_run_id or ""
    other = (
        f"{request.person} has another role for a while in {order.environment}, or asked for one; "
        f"pavane operations show {handle.id} tells which, and operations cancel ends it"
    )
    await confirm_same(client, handle.id, run_id, request, other)
    answer = accepted(handle.id, run_id)
    response.headers["Location"] = answer.links.self
    return answer
