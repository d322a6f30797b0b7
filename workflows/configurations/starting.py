"""How releases of configuration are asked for."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain import ids
from domain.deliveries import ConfigurationRelease, ConfigurationRequest
from workflows.configurations.release import ConfigurationWorkflow


async def signal_configuration(
    client: Client, request: ConfigurationRequest
) -> WorkflowHandle[ConfigurationWorkflow, ConfigurationRelease]:
    """Has a configuration group released, or has the release that runs look at it again.

    Raises:
        InvalidRequest: A name is not valid.
    """
    actor = request.trigger.actor or request.trigger.kind.value
    return await client.start_workflow(
        ConfigurationWorkflow.run,
        request,
        id=ids.configuration_id(request.organization, request.group),
        task_queue=ids.LANES_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="asked",
        start_signal_args=[request],
        static_summary=f"release ConfigurationGroup {request.group}",
        static_details=f"Asked by {actor}",
    )
