"""How procedures about secrets are started."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from domain import ids
from domain.deliveries.rotations import Rotation, RotationRequest
from domain.deliveries.secrets import SecretChange, SecretChanged
from workflows.secrets.changes import SecretChangeWorkflow
from workflows.secrets.rotation import RotationWorkflow


async def start_rotation(
    client: Client, request: RotationRequest
) -> WorkflowHandle[RotationWorkflow, Rotation]:
    """Starts the turning over of a secret, or returns the one that runs."""
    return await client.start_workflow(
        RotationWorkflow.run,
        request,
        id=ids.rotation_id(request.organization, request.rotation),
        task_queue=ids.LANES_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"rotate {request.rotation}",
        static_details=f"Asked by {request.trigger.actor or request.trigger.kind.value}",
    )


async def start_change(
    client: Client, change: SecretChange, key: str
) -> WorkflowHandle[SecretChangeWorkflow, SecretChanged]:
    """Starts writing down, and perhaps delivering, what a person did. Idempotent by the key."""
    return await client.start_workflow(
        SecretChangeWorkflow.run,
        change,
        id=f"secret-change/{change.organization}/{key}",
        task_queue=ids.ORCHESTRATION_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"{change.action} {change.path}"[:200],
    )
