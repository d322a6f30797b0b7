"""Has organizations take turns at the workers, however much one of them has to do."""

from __future__ import annotations

import dataclasses
from typing import Any

from temporalio.client import (
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.common import Priority

from domain import ids


def shared(priority: Priority, workflow_id: str) -> Priority:
    """Returns the priority with the share of the organization that the procedure works for.

    Activities and child workflows have the share of the workflow that begins them. It counts
    among tasks of equal priority, and where the server has ``matching.enableFairness``.
    """
    if priority.fairness_key is not None:
        return priority
    return dataclasses.replace(priority, fairness_key=ids.tenant_of(workflow_id) or None)


class ShareInterceptor(Interceptor):
    """Gives every procedure that is started the share of its organization."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        """Wraps the calls of the client."""
        return _Shared(next)


class _Shared(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's name
        input.priority = shared(input.priority, input.id)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self,
        input: StartWorkflowUpdateWithStartInput,  # noqa: A002 - the SDK's name
    ) -> WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        start.priority = shared(start.priority, start.id)
        return await super().start_update_with_start_workflow(input)
