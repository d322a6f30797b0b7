"""Lists operations from Temporal's visibility. The only place that writes its query language."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from temporalio.client import Client, WorkflowExecution
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from domain.deliveries.approval_votes import ApprovalPerson
from domain.errors import DependencyUnavailable, InvalidRequest
from domain.phases import Phase
from runtime import search_attributes as attributes

Kind = Literal[
    "break-glass",
    "build",
    "build-request",
    "configuration",
    "deploy",
    "deploy-at",
    "drift",
    "leak",
    "plane-check",
    "promotion",
    "rollback",
    "rotation",
    "set",
    "teardown",
    "tenant",
]

_CLOSED_BY_SERVER: dict[Phase, str] = {
    Phase.CANCELLED: "ExecutionStatus = 'Canceled'",
    Phase.ERRORED: "ExecutionStatus IN ('Terminated', 'TimedOut')",
}
"""Ends that the procedure itself had no chance to write into its phase."""


@dataclass(frozen=True)
class Filters:
    """Which operations are wanted; an empty field admits all."""

    organization: str = ""
    component: str = ""
    environment: str = ""
    kind: Kind | None = None
    phase: Phase | None = None


@dataclass(frozen=True)
class Inbox:
    """Which approvals are wanted."""

    organizations: tuple[str, ...] = ()
    """Of these alone; empty = of all, for who has a part in all."""
    person: ApprovalPerson | None = None
    """Only open ones that this person may decide; None = all."""
    closed: bool = False
    """Those that are over as well."""


def quoted(value: str) -> str:
    """Returns ``value`` as a string literal of the query language."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _equals(key: SearchAttributeKey[str], value: str) -> str:
    return f"{key.name} = {quoted(value)}"


def _one_of(key: SearchAttributeKey[Any], values: Iterable[str]) -> str:
    return f"{key.name} IN ({', '.join(quoted(value) for value in values)})"


def query(filters: Filters) -> str:
    """Returns the visibility query for the filters."""
    terms = ["ExecutionStatus != 'ContinuedAsNew'"]
    if not filters.kind:
        # A lane only orders builds, an approval is waited for: both are seen at who waits.
        terms += [f"{attributes.KIND.name} != {quoted(kind)}" for kind in attributes.NO_OPERATIONS]
    if filters.organization:
        terms.append(_equals(attributes.ORGANIZATION, filters.organization))
    else:
        terms.append(f"{attributes.ORGANIZATION.name} IS NOT NULL")
    if filters.component:
        terms.append(_equals(attributes.COMPONENT, filters.component))
    if filters.environment:
        terms.append(_equals(attributes.ENVIRONMENT, filters.environment))
    if filters.kind:
        terms.append(_equals(attributes.KIND, filters.kind))
    if filters.phase:
        terms.append(_phase(filters.phase))
    return " AND ".join(terms)


def _phase(phase: Phase) -> str:
    written = _equals(attributes.PHASE, phase.value)
    if not phase.is_terminal:
        return f"({written} AND ExecutionStatus = 'Running')"
    if by_server := _CLOSED_BY_SERVER.get(phase):
        return f"({written} OR {by_server})"
    return written


def approvals_query(inbox: Inbox) -> str:
    """Returns the visibility query of an inbox: one, whatever groups the person is in."""
    terms = [
        "ExecutionStatus != 'ContinuedAsNew'",
        _equals(attributes.KIND, attributes.APPROVAL),
    ]
    if inbox.organizations:
        terms.append(_one_of(attributes.ORGANIZATION, inbox.organizations))
    if not inbox.closed:
        terms += ["ExecutionStatus = 'Running'", f"{attributes.AWAITING.name} = true"]
    if inbox.person is not None:
        terms.append(_one_of(attributes.APPROVERS, approver_names(inbox.person)))
    return " AND ".join(terms)


def approver_names(person: ApprovalPerson) -> tuple[str, ...]:
    """Returns by what an approval names those who may decide it, this person among them."""
    own = sorted({person.subject.casefold(), person.email.casefold()} - {""})
    return ("*", *person.groups, *(f"user:{name}" for name in own))


async def page(
    client: Client, filters: Filters, *, limit: int, token: str
) -> tuple[list[WorkflowExecution], str]:
    """Returns one page of operations, newest first, and the token of the next one.

    Raises:
        InvalidRequest: The token is none of ours.
        DependencyUnavailable: The search attributes are not registered yet.
    """
    return await page_of(client, query(filters), limit=limit, token=token)


async def page_of(
    client: Client, wanted: str, *, limit: int, token: str
) -> tuple[list[WorkflowExecution], str]:
    """Returns one page of what a query finds, newest first, and the token of the next one.

    Raises:
        InvalidRequest: The token is none of ours.
        DependencyUnavailable: The search attributes are not registered yet.
    """
    found = client.list_workflows(
        wanted, page_size=limit, next_page_token=_decoded(token), limit=limit
    )
    try:
        await found.fetch_next_page(page_size=limit)
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        if "search attribute" in error.message.lower():
            message = "Temporal does not know Pavane's search attributes yet: a worker adds them"
            raise DependencyUnavailable(message) from error
        raise InvalidRequest("the page token is not valid") from error
    following = found.next_page_token
    return list(found.current_page or ()), _encoded(following) if following else ""


def _encoded(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def _decoded(token: str) -> bytes | None:
    if not token:
        return None
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("the page token is not valid") from error
