"""The secrets of one response to a leak: what is known of them, and each being turned over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import (
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from activities.secrets.delivery import SecretDelivery
from activities.secrets.paths import SecretPathActivities
from activities.secrets.plans import RotationPlanActivities
from domain import ids
from domain.deliveries.leaks import (
    LeakedSecret,
    LeakEntry,
    LeakFacts,
    LeakOutcome,
    LeakPlan,
    LeakRequest,
    ListSecrets,
)
from domain.deliveries.rotations import PlaneConsumers, Rotation, RotationRequest
from domain.deliveries.secrets import FindConsumers
from domain.errors import Errored, PlatformError
from domain.secrets import leaks
from runtime.errors import as_domain_error
from workflows.common.calls import PRESENCE, QUICK, call, stop_if_cancelled, to_the_end
from workflows.secrets.rotation import RotationWorkflow

_AGAIN, _LONGEST = timedelta(seconds=5), timedelta(minutes=2)
"""How long is waited for a rotation that is told to give way: at first, and later on."""
_GIVES_WAY = timedelta(hours=12)
"""How long a rotation that runs already may take to undo itself."""


async def planned(request: LeakRequest) -> LeakPlan:
    """Looks which secrets there are and who uses them; returns what is to be done.

    A plane that does not answer is named in the plan: a leak waits for nobody.

    Raises:
        InvalidRequest: There is nothing to do, or too much at once.
    """
    resources = await call(
        RotationPlanActivities.read_leak,
        request,
        f"which rotations project {request.project} has",
        queue=ids.CONTROL_QUEUE,
        options=QUICK,
    )
    listed = await call(
        SecretPathActivities.list_secrets,
        ListSecrets(organization=request.organization, project=request.project),
        f"which secrets project {request.project} has",
        queue=ids.SECRETS_QUEUE,
        options=QUICK,
    )
    answers = await asyncio.gather(*(_users(request, queue) for queue in resources.planes))
    facts = LeakFacts(
        resources=resources,
        paths=listed.paths,
        consumers=tuple(one for one in answers if one is not None),
        silent_planes=tuple(
            queue for queue, one in zip(resources.planes, answers, strict=True) if one is None
        ),
    )
    return leaks.plan_of(request, facts)


async def _users(request: LeakRequest, queue: str) -> PlaneConsumers | None:
    """Returns who uses secrets of the project on a plane; None = it does not answer."""
    try:
        found = await call(
            SecretDelivery.find_consumers,
            FindConsumers(organization=request.organization, path="", project=request.project),
            f"who uses secrets of {request.project} on {queue}",
            queue=queue,
            options=PRESENCE,
        )
    except (FailureError, PlatformError) as failure:
        stop_if_cancelled()
        if is_cancelled_exception(failure):
            raise
        return None
    return PlaneConsumers(queue=queue, items=found.items)


class LeakedSecrets:
    """How each of them stands. Lives inside one workflow run."""

    def __init__(self, request: LeakRequest) -> None:
        self._request = request
        self._states: dict[str, LeakedSecret] = {}
        self._children: list[workflow.ChildWorkflowHandle[RotationWorkflow, Rotation]] = []
        self._is_stopped = False

    @property
    def states(self) -> tuple[LeakedSecret, ...]:
        """All of them, by path."""
        return tuple(self._states.values())

    async def replace(self, plan: LeakPlan) -> None:
        """Turns all over at once; returns when each has ended, well or not."""
        for entry in plan.entries:
            self._states[entry.path] = LeakedSecret(
                path=entry.path,
                rotation=entry.rotation,
                engine=entry.engine,
                consumers=entry.consumers,
                operation=ids.rotation_id(self._request.organization, entry.rotation),
            )
        tasks = [asyncio.create_task(self._replace(entry)) for entry in plan.entries]
        if not tasks:
            return
        try:
            # Not gather: a cancel of that would not wait until rotations have undone themselves.
            await workflow.wait(tasks)
        except asyncio.CancelledError:
            self._is_stopped = True
            for child in self._children:
                if not child.done():
                    child.cancel()
            await to_the_end(workflow.wait(tasks))
            raise

    async def _replace(self, entry: LeakEntry) -> None:
        self._tell(entry, outcome=LeakOutcome.RUNNING, begun=workflow.now())
        try:
            child = await self._begun(entry)
            self._children.append(child)
            if self._is_stopped:
                child.cancel()  # it began in the moment in which everything was stopped
            done = await child
        except (FailureError, PlatformError, asyncio.CancelledError) as failure:
            stopped = isinstance(failure, asyncio.CancelledError) or is_cancelled_exception(failure)
            message = "stopped by a person" if stopped else as_domain_error(failure).message
            self._tell(entry, outcome=LeakOutcome.FAILED, message=message, ended=workflow.now())
            return
        self._tell(
            entry,
            outcome=LeakOutcome.REPLACED,
            before=done.before,
            version=done.version,
            consumers=done.consumers,
            message=done.message,
            ended=workflow.now(),
        )

    async def _begun(
        self, entry: LeakEntry
    ) -> workflow.ChildWorkflowHandle[RotationWorkflow, Rotation]:
        """Begins the rotation; one that runs already, at its own pace, is told to give way.

        Raises:
            Errored: It did not.
            asyncio.CancelledError: The response was stopped meanwhile.
        """
        request = self._request
        name = ids.rotation_id(request.organization, entry.rotation)
        asked = RotationRequest(
            organization=request.organization,
            rotation=entry.rotation,
            trigger=request.trigger,
            leaked=True,
        )
        given_up = workflow.now() + _GIVES_WAY
        told, pause = False, _AGAIN
        while workflow.now() < given_up:
            if self._is_stopped:
                raise asyncio.CancelledError
            try:
                return await workflow.start_child_workflow(
                    RotationWorkflow.run,
                    asked,
                    id=name,
                    task_queue=ids.LANES_QUEUE,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    static_summary=f"rotate {entry.rotation}: it leaked",
                )
            except WorkflowAlreadyStartedError:
                self._tell(entry, message="waits until the rotation that ran has undone itself")
            if not told:
                await workflow.get_external_workflow_handle(name).cancel()
                told = True
            await workflow.sleep(pause, summary=f"until {name} has given way"[:200])
            pause = min(pause * 2, _LONGEST)
        raise Errored(f"{name} ran already and did not give way")

    def _tell(self, entry: LeakEntry, **changes: object) -> None:
        self._states[entry.path] = self._states[entry.path].model_copy(update=changes)
