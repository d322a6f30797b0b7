"""Looks at the objects of a component on their plane, wherever the plane is. No effect."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from activities.looks.places import LookPlanActivities
from activities.looks.trees import TreeActivities
from domain import ids
from domain.deliveries.trees import ComponentTree, TreeRequest
from workflows.common.calls import PRESENCE, QUICK, Options, call


@workflow.defn
class TreeWorkflow:
    """One look; it lasts until there is something to tell, or the patience of the request."""

    @workflow.run
    async def run(self, request: TreeRequest) -> ComponentTree:
        """Finds what is deployed and has the worker of its plane look at it."""
        look = await call(
            LookPlanActivities.prepare_look,
            request,
            f"find what {request.component} is in {request.environment}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )
        if not look.task_queue:
            return ComponentTree(
                organization=request.organization,
                component=request.component,
                environment=request.environment,
                reason="NothingToRun",
                message="nothing is deployed there",
            )
        return await call(
            TreeActivities.see_tree,
            look,
            f"look at the objects of {request.component} in {request.environment}",
            queue=look.task_queue,
            options=_options(request),
        )


def _options(request: TreeRequest) -> Options:
    """Longer than a worker that was killed takes to come back; who asks need not wait so long."""
    patience = timedelta(seconds=request.patience_seconds if request.known else 0)
    return PRESENCE | {
        "start_to_close_timeout": patience + timedelta(seconds=30),
        "schedule_to_close_timeout": patience + timedelta(minutes=2),
    }
