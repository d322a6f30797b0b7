"""Reads approvals and takes decisions: proves here who decides, lets the workflow judge it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecution, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from api.access import Access
from api.operations.visibility import approver_names
from api.schemas.approvals import ApprovalSummary, ApprovalView
from api.services import Services
from domain import ids
from domain.deliveries.approval_votes import Act, ApprovalDecision, ApprovalPerson
from domain.deliveries.approvals import ApprovalStanding
from domain.errors import Conflict, DependencyUnavailable, InvalidRequest, NotFound
from domain.policies.approvals import is_named
from domain.resources import Action, Organization
from runtime import search_attributes as attributes

_QUERY_LIMIT = timedelta(seconds=5)
_UPDATE_SECONDS = 20
_DECIDE = "decide"
_MOST_ROOMS = 200


@dataclass(frozen=True)
class Order:
    """What the caller does about an approval."""

    act: Act
    text: str = ""
    hash: str = ""
    round: int = 1
    delegate: str = ""


@dataclass(frozen=True)
class Found:
    """An approval the caller may see."""

    handle: WorkflowHandle[Any, Any]
    execution: WorkflowExecution


def person_of(access: Access) -> ApprovalPerson:
    """Returns the caller as an approval writes them down."""
    person = access.person
    return ApprovalPerson(
        subject=person.subject, email=person.email, name=person.name, groups=tuple(person.groups)
    )


async def rooms(access: Access, organization: str) -> dict[str, Organization]:
    """Returns the organizations whose approvals the caller wants, by name; empty = all of theirs.

    Raises:
        NotFound: The one that is named does not exist for the caller.
        InvalidRequest: The caller has a part in more than one query can name.
    """
    if organization:
        return {organization: await access.organization(organization)}
    found = await access.organizations()
    if len(found) > _MOST_ROOMS and not access.is_admin:
        raise InvalidRequest(
            f"you have a part in {len(found)} organizations, of which {_MOST_ROOMS} can be looked "
            "at together: say which one",
            facts={"advice": "Add `--organization NAME`."},
        )
    return {one.name: one for one in found}


def organization_of(execution: WorkflowExecution) -> str:
    """Returns whose approval it is."""
    return _place(execution)["organization"]


async def find(client: Client, access: Access, subject: str) -> Found:
    """Returns an approval that the caller may see.

    Raises:
        NotFound: There is none, or the caller may not know of it.
    """
    missing = NotFound(f"there is no approval of {subject[:100]}")
    try:
        handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(ids.approval_id(subject))
        execution = await handle.describe()
    except InvalidRequest:
        raise missing from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise missing from None
        raise
    place = _place(execution)
    try:
        organization = await access.organization(place.get("organization", "") or "none")
    except NotFound:
        raise missing from None
    if not access.sees(organization, place["project"], place["environment"]):
        raise missing
    return Found(handle, execution)


async def standing(found: Found) -> ApprovalStanding:
    """Returns everything about an approval, open or over.

    Raises:
        DependencyUnavailable: No worker answers.
    """
    try:
        answer: ApprovalStanding = await found.handle.query(
            "approval", result_type=ApprovalStanding, rpc_timeout=_QUERY_LIMIT
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise
        message = "no worker answers: the approval is safe, but cannot be shown at the moment"
        raise DependencyUnavailable(message) from error
    return answer


def signed(services: Services, access: Access, found: Found, order: Order) -> ApprovalDecision:
    """Returns the decision with the proof of who makes it.

    Raises:
        DependencyUnavailable: The API has no key to sign with.
    """
    decision = ApprovalDecision(
        act=order.act,
        hash=order.hash,
        round=order.round,
        text=order.text,
        delegate=order.delegate,
    )
    return services.signer().sign(found.handle.id, decision, person_of(access))


async def decide(
    services: Services, access: Access, found: Found, order: Order, key: str | None
) -> ApprovalView:
    """Sends a decision and answers with what became of it; with equal keys it is one.

    Raises:
        PlatformError: It does not count; says why.
    """
    decision = signed(services, access, found, order)
    identity = f"{access.person.subject}:{key}" if key else decision.assertion
    try:
        async with asyncio.timeout(_UPDATE_SECONDS):
            answer: ApprovalStanding = await found.handle.execute_update(
                _DECIDE,
                decision,
                id=ids.content_hash(identity)[:32],
                result_type=ApprovalStanding,
            )
    except TimeoutError:
        message = "no worker took the decision in time; look whether it counts before you repeat it"
        raise DependencyUnavailable(message) from None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        over = await standing(found)
        raise Conflict(f"approval of {over.request.subject} is over: {over.message}") from None
    return ApprovalView.of(answer, person_of(access))


def summarize(execution: WorkflowExecution, memo: dict[str, Any]) -> ApprovalSummary:
    """Returns the entry of a list, from what visibility keeps."""
    place = _place(execution)
    return ApprovalSummary(
        subject=execution.id.removeprefix(ids.APPROVAL_PREFIX),
        asked=str(memo.get("asked", "")),
        message=str(memo.get("message", "")),
        approvals=int(memo.get("approvals", 0)),
        quorum=int(memo.get("quorum", 1)),
        outcome=str(memo.get("outcome", "")),
        requester=execution.typed_search_attributes.get(attributes.ACTOR) or "",
        expires=execution.typed_search_attributes.get(attributes.DEADLINE),
        opened=execution.start_time,
        closed=execution.close_time,
        **place,
    )


def _place(execution: WorkflowExecution) -> dict[str, str]:
    keys = {
        "organization": attributes.ORGANIZATION,
        "project": attributes.PROJECT,
        "component": attributes.COMPONENT,
        "environment": attributes.ENVIRONMENT,
    }
    found = execution.typed_search_attributes
    return {name: found.get(key) or "" for name, key in keys.items()}


def readable(access: Access, organization: Organization, execution: WorkflowExecution) -> bool:
    """Tells whether the caller may see it."""
    place = _place(execution)
    return access.sees(organization, place["project"], place["environment"])


def decidable(access: Access, organization: Organization, execution: WorkflowExecution) -> bool:
    """Tells whether the caller may decide it, as far as it is known without asking the workflow."""
    person, place = person_of(access), _place(execution)
    requester = execution.typed_search_attributes.get(attributes.ACTOR) or ""
    if requester and is_named(person, requester):
        return False
    listed = execution.typed_search_attributes.get(attributes.APPROVERS) or ()
    if {name for name in approver_names(person) if name.startswith("user:")} & set(listed):
        return True
    return access.may(
        organization,
        Action.APPROVE,
        project=place["project"],
        environment=place["environment"],
    )
