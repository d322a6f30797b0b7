"""Answers leaks: what would be done, a person's word for it, and the evidence."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from api.access import AccessDep
from api.dependencies import TemporalDep
from api.operations.orders import accepted
from api.schemas.deliveries import Accepted
from api.schemas.leaks import ConfirmLeak, LeakView, ReportLeak
from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.leaks import Confirmation, LeakReport, LeakRequest
from domain.errors import DependencyUnavailable, NotFound
from domain.resources import Action
from runtime.errors import as_domain_error
from workflows.leaks.response import LeakResponseWorkflow
from workflows.leaks.starting import confirm_leak, start_leak_response

router = APIRouter(prefix="/v1/leaks", tags=["secrets"])
Environment = Annotated[
    str, Query(max_length=63, description="As it was reported. Empty = all environments.")
]


@router.post("/{organization}/{project}", status_code=HTTPStatus.ACCEPTED, summary="Report a leak")
async def report(
    *,
    organization: str,
    project: str,
    order: ReportLeak,
    response: Response,
    access: AccessDep,
    client: TemporalDep,
) -> Accepted:
    """Plans what is to be done, or answers with the response that is on its way.

    Nothing is done before the plan is confirmed.
    """
    await access.require(
        organization, Action.ADMINISTER, project=project, environment=order.environment
    )
    handle = await start_leak_response(
        client,
        LeakRequest(
            organization=organization,
            project=project,
            environment=order.environment,
            reason=order.reason,
            trigger=Trigger(actor=access.actor),
        ),
    )
    answer = accepted(handle.id, handle.first_execution_run_id or handle.result_run_id or "")
    response.headers["Location"] = answer.links.self
    return answer


@router.get("/{organization}/{project}", summary="Where the response to a leak stands")
async def show(
    organization: str,
    project: str,
    access: AccessDep,
    client: TemporalDep,
    environment: Environment = "",
) -> LeakView:
    """Shows the plan and what was done, of the latest response: the evidence."""
    await access.require(organization, Action.READ, project=project, environment=environment)
    return await _view(_handle(client, organization, project, environment))


@router.post("/{organization}/{project}/confirm", summary="Confirm what is to be done")
async def confirm(
    *,
    organization: str,
    project: str,
    order: ConfirmLeak,
    access: AccessDep,
    client: TemporalDep,
) -> LeakView:
    """Takes the caller's word for exactly the plan they saw; all rotations begin at once.

    Refused when it is another one by now: look at it once more.
    """
    await access.require(
        organization, Action.ADMINISTER, project=project, environment=order.environment
    )
    handle = _handle(client, organization, project, order.environment)
    try:
        told = await confirm_leak(handle, Confirmation(plan=order.plan, actor=access.actor))
    except WorkflowUpdateFailedError as refused:
        raise as_domain_error(refused) from refused
    except RPCError as error:
        raise _unknown(handle.id, error) from error
    return LeakView.of(handle.id, told)


def _handle(
    client: Client, organization: str, project: str, environment: str
) -> WorkflowHandle[LeakResponseWorkflow, LeakReport]:
    name = ids.leak_id(organization, project, environment)
    return client.get_workflow_handle_for(LeakResponseWorkflow.run, name)


async def _view(handle: WorkflowHandle[LeakResponseWorkflow, LeakReport]) -> LeakView:
    try:
        found: LeakReport = await handle.query(LeakResponseWorkflow.report)
    except RPCError as error:
        raise _unknown(handle.id, error) from error
    return LeakView.of(handle.id, found)


def _unknown(name: str, error: RPCError) -> NotFound | DependencyUnavailable:
    if error.status is RPCStatusCode.NOT_FOUND:
        return NotFound(f"{name}: no response to a leak is on its way there")
    return DependencyUnavailable(f"{name}: no worker answers")
