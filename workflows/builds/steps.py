"""Steps of a build that need nothing of it but its plan."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.builds.runs import BuildRunActivities
from domain.deliveries import BuildPlan
from workflows.common.calls import WRITE, call


async def tell_older(plan: BuildPlan) -> None:
    """Tells running builds of older commits of the branch to give way; gone ones are fine."""
    for older in plan.older:
        handle = workflow.get_external_workflow_handle(older)
        try:
            await handle.signal("superseded", workflow.info().workflow_id)
        except FailureError:
            workflow.logger.info("build %s has ended already", older)


async def stop_build(plan: BuildPlan) -> None:
    """Stops what runs of a build and removes its pods, even while the build is cancelled."""
    await call(
        BuildRunActivities.stop_build,
        plan,
        f"stop {plan.name}",
        queue=plan.task_queue,
        options=WRITE,
        even_if_cancelled=True,
    )
