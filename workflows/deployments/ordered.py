"""Has a deployment carried out by the queue of its place, and learns how it ended.

The queue tells (signal ``deployment_ended``), so nothing waits in an activity: hundreds of
promotions at once would take all slots that the deployments need themselves.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.promotions.standing import PromotionActivities
from domain import ids
from domain.deliveries import Deployment, DeployRequest
from domain.deliveries.promotion_effects import OrderState
from workflows.common.calls import QUICK, call, to_the_end

_LOOK = timedelta(minutes=10)
"""How long nothing may be heard before it is looked: a queue may have been terminated."""


class OrderedDeployments:
    """The deployments one run asked for."""

    def __init__(self) -> None:
        self._ended: dict[str, Deployment] = {}

    def ended(self, deployment: Deployment) -> None:
        """The queue told how one of them ended."""
        self._ended[deployment.request_id] = deployment

    async def carry_out(
        self, order: DeployRequest, *, even_if_cancelled: bool = False
    ) -> Deployment | None:
        """Asks for a deployment and returns how it ended; None = nobody knows of it any more."""
        where = f"{order.component} in {order.environment}"
        await call(
            PromotionActivities.ask_deployment,
            order,
            f"ask for {order.rollback or order.artifact} of {where}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=even_if_cancelled,
        )
        waiting = self._wait(order, even_if_cancelled=even_if_cancelled)
        return await (to_the_end(waiting) if even_if_cancelled else waiting)

    async def stop(self, order: DeployRequest) -> None:
        """Takes a deployment back: out of its queue, or undone; returns when that is over."""
        state = await call(
            PromotionActivities.stop_deployment,
            order,
            f"stop the deployment of {order.component} to {order.environment}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )
        if state is OrderState.OPEN:
            await to_the_end(self._wait(order, even_if_cancelled=True))

    async def _wait(self, order: DeployRequest, *, even_if_cancelled: bool) -> Deployment | None:
        key = order.request_id
        while key not in self._ended:
            try:
                await workflow.wait_condition(
                    lambda: key in self._ended,
                    timeout=_LOOK,
                    timeout_summary=f"look what became of the deployment to {order.environment}",
                )
            except TimeoutError:
                found = await call(
                    PromotionActivities.find_deployment,
                    order,
                    f"look what became of the deployment to {order.environment}",
                    queue=ids.CONTROL_QUEUE,
                    options=QUICK,
                    even_if_cancelled=even_if_cancelled,
                )
                if found.state is not OrderState.OPEN and key not in self._ended:
                    return found.deployment
        return self._ended[key]


async def tell_ended(workflow_id: str, deployment: Deployment) -> None:
    """Tells who waits for a deployment how it ended; who waits no longer need not know."""
    try:
        handle = workflow.get_external_workflow_handle(workflow_id)
        await handle.signal("deployment_ended", deployment)
    except FailureError:
        workflow.logger.info("%s waits no longer for its deployment", workflow_id)
