"""Decides about parked operations: who may, and how the flow is told."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from domain.deliveries.parking import Choice, Resolution
from domain.errors import Conflict, DependencyUnavailable
from domain.resources import Action
from runtime.errors import as_domain_error

_OF_THE_PLATFORM = frozenset({"break-glass", "leak", "plane-check", "teardown", "tenant"})
_BY_KIND = {
    "build": Action.BUILD,
    "deploy": Action.DEPLOY,
    "promotion": Action.DEPLOY,
    "rollback": Action.DEPLOY,
}


def action_of(kind: str, choice: Choice) -> Action:
    """Returns what a person must be allowed to do to choose that."""
    if choice is Choice.COMPENSATE:
        return cancel_action(kind)
    if choice is Choice.SKIP:
        return Action.ADMINISTER
    return _BY_KIND.get(kind, Action.ADMINISTER)


def cancel_action(kind: str) -> Action:
    """Returns what a person must be allowed to do to stop an operation.

    What sets up or removes rights, planes and organizations is for those who administer them: a
    developer must not be able to keep a right from being taken away.
    """
    return Action.ADMINISTER if kind in _OF_THE_PLATFORM else Action.CANCEL


async def decide_parked(handle: WorkflowHandle[Any, Any], resolution: Resolution) -> None:
    """Tells the flow.

    Raises:
        InvalidRequest: The flow refuses it; the message says why and what can be chosen.
        Conflict: It is over, or it is not parked.
    """
    try:
        await handle.execute_update("resolve", resolution)
    except WorkflowUpdateFailedError as refused:
        raise as_domain_error(refused) from refused
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Conflict(f"{handle.id} is over: there is nothing to decide") from error
        raise DependencyUnavailable(f"{handle.id}: no worker takes the decision") from error
