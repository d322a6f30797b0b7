"""Lists operations from Temporal's visibility. The only place that writes its query language."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

from temporalio.client import Client, WorkflowExecution
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import DependencyUnavailable, InvalidRequest
from domain.phases import Phase
from runtime import search_attributes as attributes

Kind = Literal["build", "build-request", "deploy", "drift", "promotion", "rollback"]

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


def quoted(value: str) -> str:
    """Returns ``value`` as a string literal of the query language."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _equals(key: SearchAttributeKey[str], value: str) -> str:
    return f"{key.name} = {quoted(value)}"


def query(filters: Filters) -> str:
    """Returns the visibility query for the filters."""
    terms = ["ExecutionStatus != 'ContinuedAsNew'"]
    if not filters.kind:
        # A lane only orders builds: who waits in it is seen at the builds.
        terms.append(f"{attributes.KIND.name} != {quoted(attributes.LANE)}")
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


async def page(
    client: Client, filters: Filters, *, limit: int, token: str
) -> tuple[list[WorkflowExecution], str]:
    """Returns one page of executions, newest first, and the token of the next one.

    Raises:
        InvalidRequest: The token is none of ours.
        DependencyUnavailable: The search attributes are not registered yet.
    """
    found = client.list_workflows(
        query(filters), page_size=limit, next_page_token=_decoded(token), limit=limit
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
