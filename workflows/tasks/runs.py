"""Runs a scheduled task once, because a person asked for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.planes.task_runs import TaskPlanActivities, TaskRunActivities
from domain import ids
from domain.deliveries import OperationStatus, PreparedRun, TaskRun, TaskRunRequest
from domain.errors import Errored, PlatformError
from domain.phases import Phase
from domain.records import FactResult
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.common.calls import QUICK, WRITE, call, watch
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.common.saga import Saga


@workflow.defn
class TaskRunWorkflow:
    """One run, to its end; a cancel takes its Job away."""

    @workflow.init
    def __init__(self, request: TaskRunRequest) -> None:
        title = f"run {request.component} in {request.environment}"
        self._progress = Progress(title, ("prepare", "start", "run"))
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("task-run"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.COMPONENT.value_set(request.component),
                attributes.ENVIRONMENT.value_set(request.environment),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the run stands."""
        return self._progress.status()

    @workflow.run
    async def run(self, request: TaskRunRequest) -> TaskRun:
        """Runs the task and answers how it ended."""
        saga = Saga()
        facts = _facts(request)
        self._progress.begins(f"run {request.component} in {request.environment}")
        try:
            done = await self._run(request, saga)
        except asyncio.CancelledError:
            await self._cancelled(saga, facts)
            raise
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                await self._cancelled(saga, facts)
                raise
            error = as_domain_error(failure)
            phase = Phase.ERRORED if isinstance(error, Errored) else Phase.FAILED
            self._progress.is_at(phase, error.message)
            facts.add("task-run.ended", result=FactResult.FAILED, message=error.message)
            await facts.write_to_the_end()
            raise as_failure(error) from failure
        facts.add("task-run.ended", message=done.message)
        await facts.write_to_the_end()
        self._progress.is_at(Phase.SUCCEEDED, done.message)
        return done

    async def _cancelled(self, saga: Saga, facts: Facts) -> None:
        await saga.compensate()
        facts.add_cancel("task-run.cancelled", saga.undone)
        await facts.write_to_the_end()
        self._progress.is_at(Phase.CANCELLED, ", ".join(saga.undone))

    async def _run(self, request: TaskRunRequest, saga: Saga) -> TaskRun:
        with self._progress.step("prepare"):
            run = await call(
                TaskPlanActivities.prepare_task_run,
                request,
                f"look what {request.component} runs in {request.environment}",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
        name = run.job["metadata"]["name"]
        saga.add(f"stopped {name}", lambda: self._stop(run))
        with self._progress.step("start"):
            await call(
                TaskRunActivities.start_task_run,
                run,
                f"create Job {name}",
                queue=run.task_queue,
                options=WRITE,
            )
        limit = timedelta(seconds=run.deadline_seconds) + timedelta(minutes=2)
        until = workflow.now() + limit
        with self._progress.step("run", awaiting=f"the end of Job {name}", until=until):
            return await call(
                TaskRunActivities.follow_task_run,
                run.named(),
                f"await the end of Job {name}",
                queue=run.task_queue,
                options=watch(limit),
            )

    async def _stop(self, run: PreparedRun) -> None:
        await call(
            TaskRunActivities.stop_task_run,
            run.named(),
            f"delete Job {run.job['metadata']['name']}",
            queue=run.task_queue,
            options=WRITE,
            even_if_cancelled=True,
        )


def _facts(request: TaskRunRequest) -> Facts:
    return Facts(
        request.organization,
        f"{request.component} in {request.environment}",
        request.trigger,
        component=request.component,
        environment=request.environment,
    )
