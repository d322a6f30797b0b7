"""Turns secrets over: start, look, hold, roll back."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)

from api.access import Access, AccessDep
from api.dependencies import ClusterDep, TemporalDep
from api.kinds import kind_of
from api.operations.orders import accepted
from api.schemas.deliveries import Accepted
from api.schemas.secrets import HoldRotation, RollBackRotation, RotationView
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.rotations import HoldOrder, RotationRequest, RotationStatus
from domain.errors import Conflict
from domain.resources import Action, parse_as
from domain.resources.rotation import SecretRotation
from domain.secrets.places import scope_of
from runtime.errors import as_domain_error
from workflows.secrets.starting import start_rotation

router = APIRouter(prefix="/v1/rotations", tags=["secrets"])


@router.post("/{organization}/{name}", status_code=HTTPStatus.ACCEPTED, summary="Rotate a secret")
async def rotate(
    *,
    organization: str,
    name: str,
    response: Response,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> Accepted:
    """Starts the rotation that a SecretRotation describes, or answers with the one that runs."""
    await permit_rotation(access, cluster, organization, name, Action.ADMINISTER)
    request = RotationRequest(
        organization=organization, rotation=name, trigger=Trigger(actor=access.actor)
    )
    handle = await start_rotation(client, request)
    answer = accepted(handle.id, handle.first_execution_run_id or handle.result_run_id or "")
    response.headers["Location"] = answer.links.self
    return answer


@router.get("/{organization}/{name}", summary="Where a rotation stands")
async def status(
    organization: str, name: str, access: AccessDep, cluster: ClusterDep, client: TemporalDep
) -> RotationView:
    """Tells versions, consumers, and who still uses the old credential; of the latest run."""
    await permit_rotation(access, cluster, organization, name, Action.READ)
    return await _view(_handle(client, organization, name))


@router.post("/{organization}/{name}/hold", summary="Hold a rotation, or let it go on")
async def hold(
    *,
    organization: str,
    name: str,
    order: HoldRotation,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> RotationView:
    """It stops at its next safe point, with everything that works still working."""
    await permit_rotation(access, cluster, organization, name, Action.ADMINISTER)
    handle = await _running(client, organization, name)
    asked = HoldOrder(holds=order.holds, actor=access.actor, reason=order.reason)
    try:
        await handle.execute_update("hold", asked)
    except WorkflowUpdateFailedError as refused:
        raise as_domain_error(refused) from refused
    return await _view(handle)


@router.post("/{organization}/{name}/rollback", summary="Undo a rotation")
async def roll_back(
    *,
    organization: str,
    name: str,
    order: RollBackRotation,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> RotationView:
    """Brings the old credential back to everyone. Possible until the old one is destroyed."""
    await permit_rotation(access, cluster, organization, name, Action.ADMINISTER)
    handle = await _running(client, organization, name)
    view = await _view(handle)
    if not view.can_roll_back:
        raise Conflict(f"{view.id}: the old credential is destroyed; rotate once more instead")
    await handle.cancel(reason=f"{access.actor}: {order.reason}")
    return view


def _handle(client: Client, organization: str, name: str) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle(ids.rotation_id(organization, name))


async def _running(client: Client, organization: str, name: str) -> WorkflowHandle[Any, Any]:
    """Returns the rotation that runs.

    Raises:
        Conflict: The last one is over.
    """
    handle = _handle(client, organization, name)
    if (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
        raise Conflict(f"{handle.id} is over: `pavane secret rotate {name}` begins another one")
    return handle


async def _view(handle: WorkflowHandle[Any, Any]) -> RotationView:
    found: RotationStatus = await handle.query("rotation", result_type=RotationStatus)
    return RotationView.of(handle.id, found)


async def permit_rotation(
    access: Access, cluster: Cluster, organization: str, name: str, action: Action
) -> None:
    """Returns when the person may do that where the secret of a rotation belongs.

    Raises:
        Denied: They may not.
        NotFound: There is no such rotation for this person.
    """
    await access.organization(organization)
    content = await cluster.get(kind_of(SecretRotation), name, organization)
    scope = scope_of(parse_as(SecretRotation, content).spec.vault_path)
    await access.require(organization, action, project=scope.project, environment=scope.environment)
