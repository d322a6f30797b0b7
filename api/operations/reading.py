"""Reads operations: what Temporal says about the run, what the procedure says about itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic.alias_generators import to_camel
from starlette.convertors import Convertor, register_url_convertor
from temporalio.client import (
    Client,
    WorkflowContinuedAsNewError,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from api.operations.retries import retries
from api.schemas.deliveries import DeploymentView, Failure, Links, OperationSummary, OperationView
from domain import ids
from domain.deliveries import OperationStatus
from domain.errors import Denied, Errored, InvalidRequest, NotFound, PlatformError, Superseded
from domain.phases import Phase
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error

_QUERY_LIMIT = timedelta(seconds=2)
RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_ENDED: dict[WorkflowExecutionStatus, Phase] = {
    WorkflowExecutionStatus.COMPLETED: Phase.SUCCEEDED,
    WorkflowExecutionStatus.CANCELED: Phase.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: Phase.ERRORED,
    WorkflowExecutionStatus.TIMED_OUT: Phase.ERRORED,
    WorkflowExecutionStatus.FAILED: Phase.FAILED,
}
_NO_WORKER = {
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.FAILED_PRECONDITION,
}


_WITHOUT_PLACE = {"build", "build-request", "plane-check", "teardown", "tenant"}
"""Kinds whose key is no environment."""


class _OperationConvertor(Convertor[str]):
    """As many segments as its kind has, and perhaps a run id: ``/events`` is never part of it."""

    regex = (
        r"(?:tenant/[^/]+|rotation/[^/]+/[^/]+|[^/]+/[^/]+/[^/]+/[^/]+)"
        r"(?:/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?"
    )

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("operation", _OperationConvertor())


@dataclass(frozen=True)
class Reference:
    """An operation named by a caller: a procedure and perhaps one run of it."""

    procedure: ids.OperationId
    run_id: str = ""
    """Empty = the latest run."""

    @classmethod
    def of(cls, text: str) -> Reference:
        """Takes the id of an operation apart.

        Raises:
            NotFound: It is not the id of an operation, so there is none of that name.
        """
        procedure, _, last = text.rpartition("/")
        try:
            return cls(ids.parse(text))
        except InvalidRequest as error:
            if not RUN_ID.fullmatch(last):
                raise NotFound(error.message) from error
        try:
            return cls(ids.parse(procedure), last)
        except InvalidRequest as error:
            raise NotFound(error.message) from error

    def handle(self, client: Client) -> WorkflowHandle[Any, Any]:
        """Returns the handle of that run."""
        return client.get_workflow_handle(str(self.procedure), run_id=self.run_id or None)


def operation_id(workflow_id: str, run_id: str) -> str:
    """Returns the id by which callers know a run of a procedure."""
    return f"{workflow_id}/{run_id}" if run_id else workflow_id


def links(workflow_id: str, run_id: str) -> Links:
    """Returns where to go on from an operation."""
    base = f"/v1/operations/{operation_id(workflow_id, run_id)}"
    procedure = ids.parse(workflow_id)
    logs = f"/v1/builds/{procedure.organization}/{procedure.component}/{procedure.key}/logs"
    return Links(
        self=base,
        events=f"{base}/events",
        cancel=f"{base}/cancel",
        logs=logs if procedure.kind == "build" else "",
    )


def summarize(execution: WorkflowExecution) -> OperationSummary:
    """Returns the entry of a list."""
    return OperationSummary(**_basics(execution), phase=_listed_phase(execution))


def _basics(execution: WorkflowExecution) -> dict[str, Any]:
    procedure = ids.parse(execution.id)
    return {
        "id": operation_id(execution.id, execution.run_id),
        "kind": procedure.kind,
        "organization": procedure.organization,
        "component": procedure.component,
        "environment": "" if procedure.kind in _WITHOUT_PLACE else procedure.key,
        "commit": procedure.key if procedure.kind == "build" else "",
        "actor": _attribute(execution, attributes.ACTOR),
        "started": execution.start_time,
        "finished": execution.close_time,
    }


def _attribute(execution: WorkflowExecution, key: SearchAttributeKey[str]) -> str:
    return execution.typed_search_attributes.get(key) or ""


def _listed_phase(execution: WorkflowExecution) -> Phase:
    """The phase the procedure wrote; where it had no chance to, what Temporal knows."""
    phase = _phase(_attribute(execution, attributes.PHASE)) or Phase.PENDING
    if execution.status in {None, WorkflowExecutionStatus.RUNNING} or phase.is_terminal:
        return phase
    assert execution.status is not None  # noqa: S101 - said by the line above
    return _ENDED.get(execution.status, Phase.ERRORED)


async def read(client: Client, reference: Reference) -> OperationView:
    """Returns an operation in all detail, also while no worker runs.

    Raises:
        RPCError: NOT_FOUND when there is none.
    """
    return await view_of(client, await reference.handle(client).describe())


async def view_of(client: Client, execution: WorkflowExecutionDescription) -> OperationView:
    """Returns what was described in all detail."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    status, note = await _status(handle)
    view: dict[str, Any] = {
        "phase": status.phase if status else _listed_phase(execution),
        "summary": status.summary if status else "",
        "steps": status.steps if status else (),
        "waiting_for": status.waiting_for if status else None,
        "parked": status.parked if status else None,
        "retrying": await retries(client, execution),
        "queue": status.queue if status else (),
        "deployments": _deployments(status),
        "note": note,
        "links": links(execution.id, execution.run_id),
    }
    if execution.status not in {None, WorkflowExecutionStatus.RUNNING}:
        view |= {"waiting_for": None, "parked": None} | await _ending(handle, execution)
    return OperationView(**_basics(execution), **view)


def _deployments(status: OperationStatus | None) -> tuple[DeploymentView, ...]:
    done = status.deployments if status else ()
    return tuple(DeploymentView.model_validate(one, from_attributes=True) for one in done)


async def _status(handle: WorkflowHandle[Any, Any]) -> tuple[OperationStatus | None, str]:
    try:
        status: OperationStatus = await handle.query(
            "status", result_type=OperationStatus, rpc_timeout=_QUERY_LIMIT
        )
    except RPCError as error:
        if error.status not in _NO_WORKER:
            raise
        return None, "no worker answers: the steps are not known at the moment"
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError):
        # Procedures that are over in a moment, such as build requests, have no steps to tell.
        return None, ""
    return status, ""


async def _ending(handle: WorkflowHandle[Any, Any], execution: WorkflowExecution) -> dict[str, Any]:
    """Returns phase, result and failure of a run that is over."""
    try:
        result = await handle.result(follow_runs=False)
    except WorkflowContinuedAsNewError:
        # A queue that went on anew after its running deployment was cancelled.
        return {"phase": _listed_phase(execution)}
    except WorkflowFailureError as failure:
        return _failed(execution, as_domain_error(failure.cause))
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise
        return {"phase": _listed_phase(execution)}
    content: dict[str, Any] = result if isinstance(result, dict) else {}
    shown = {to_camel(name): value for name, value in content.items()}
    return {"phase": _result_phase(content), "result": shown or None}


def _result_phase(result: Mapping[str, Any]) -> Phase:
    return _phase(str(result.get("phase", ""))) or Phase.SUCCEEDED


def _phase(name: str) -> Phase | None:
    return Phase(name) if name in Phase.__members__.values() else None


def _failed(execution: WorkflowExecution, error: PlatformError) -> dict[str, Any]:
    status = execution.status or WorkflowExecutionStatus.FAILED
    phase = _ENDED.get(status, Phase.ERRORED)
    if status is WorkflowExecutionStatus.FAILED:
        phase = phase_of(error)
    if phase is Phase.CANCELLED:
        return {"phase": phase}
    facts = dict(error.facts)
    failure = Failure(
        type=type(error).__name__, message=error.message, log=facts.pop("log", ""), facts=facts
    )
    return {"phase": phase, "failure": failure}


def phase_of(error: PlatformError) -> Phase:
    """Returns in which phase an operation ended that failed so."""
    if isinstance(error, Superseded):
        return Phase.SUPERSEDED
    if isinstance(error, Denied):
        return Phase.DENIED
    return Phase.ERRORED if isinstance(error, Errored) else Phase.FAILED
