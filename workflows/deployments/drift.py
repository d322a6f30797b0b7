"""Looks at what somebody else changed on a plane, tells it, has it put back by policy.

Why it is so: docs/decisions/0007. One workflow per place, woken by what the watch of the plane
sees. It changes nothing itself: a put-back is a request in the queue of deployments like any other.
It ends when it remembers nothing any more: put-backs are counted for an hour, contests for a day.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from activities.planes.drift import DriftPlaneActivities
from activities.releases.drift import DriftActivities
from domain import ids
from domain.deliveries import (
    DeployRequest,
    DriftPlace,
    DriftRecord,
    DriftReport,
    DriftRequest,
    Inspection,
    InspectRelease,
    OperationStatus,
    Trigger,
    TriggerKind,
)
from domain.phases import Phase
from domain.policies.put_backs import (
    DriftVerdict,
    contested,
    described,
    judge_drift,
    put_backs_of,
    remembered_until,
)
from domain.resources.conditions import Reason
from runtime import search_attributes as attributes
from workflows.common.calls import QUICK, call, stop_if_cancelled, watch
from workflows.common.progress import Progress

_STEPS = ("quiet", "inspect", "record", "put back", "remember")
_SETTLE = timedelta(seconds=1)
"""Changes come in bursts; one look after a burst sees all of it."""
_LONGEST_DEPLOYMENT = timedelta(hours=6)
_SHOWN_OBJECTS = 5


@workflow.defn
class DriftWorkflow:
    """Keeps one place as its release wants it, or says what is different and who did it."""

    @workflow.init
    def __init__(self, request: DriftRequest) -> None:
        self._request = request
        self._memory = request.memory
        self._seen = True
        self._report = DriftReport(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
        )
        title = f"drift of {request.component} in {request.environment}"
        self._progress = Progress(title, _STEPS)
        self._is_listed = False

    @workflow.run
    async def run(self, _request: DriftRequest) -> DriftReport:
        """Looks until all is as wanted or left as it is, and nothing is remembered any more."""
        while await self._is_needed():
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                again = {"memory": self._memory, "seen": "continued"}
                workflow.continue_as_new(self._request.model_copy(update=again))
            self._seen = False
            self._progress.restart()
            await self._look()
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._progress.is_at(Phase.SUCCEEDED, self._summary())
        return self._report

    @workflow.signal
    def changed(self, request: DriftRequest) -> None:
        """The watch of the plane saw that somebody else changed something, or that it is undone."""
        self._request = request.model_copy(update={"memory": self._request.memory})
        self._seen = True

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the look stands and what is waited for."""
        return self._progress.status()

    async def _is_needed(self) -> bool:
        """Waits for the next thing to look at; False when there is nothing to wait for."""
        if self._seen:
            return True
        until = remembered_until(self._memory)
        if until is None or until <= workflow.now():
            return False
        holds = bool(self._memory.contests)
        who = ", ".join(sorted({one.manager for one in self._memory.contests if one.manager}))
        with self._progress.step(
            "remember",
            awaiting="the end of a contest" if holds else "another change of what was put back",
            until=until,
            who=f"{who or 'whoever changed it'}, a deployment with --force" if holds else "",
        ):
            try:
                await workflow.wait_condition(
                    lambda: self._seen,
                    timeout=until - workflow.now(),
                    timeout_summary="left alone until" if holds else "put-backs are counted until",
                )
            except TimeoutError:
                # After a contest it is tried again; after a quiet hour there is nothing to look at.
                self._memory = self._memory.model_copy(update={"notes": (), "contests": ()})
                return holds
        await workflow.sleep(_SETTLE, summary="let a burst of changes pass")
        return True

    async def _look(self) -> None:
        """One look at the place: quiet, inspect, record, put back."""
        self._progress.is_at(Phase.RUNNING)
        with self._progress.step("quiet", awaiting="the end of deployments"):
            place = await self._quiet()
        if not place.release:
            await self._nothing_runs(place)
            return
        with self._progress.step("inspect"):
            found = await self._inspect(place)
        self._report = self._report.model_copy(
            update={"release": place.release, "drifted": found.drifted}
        )
        verdict = judge_drift(
            found.drifted,
            self._memory,
            restore=place.restore,
            limit=place.limit,
            now=workflow.now(),
        )
        if not await self._record(place, found, verdict):
            self._seen = True
            return
        self._memory = verdict.memory
        self._report = self._report.model_copy(update={"contested": bool(verdict.contests)})
        if verdict.put_back:
            await self._put_back(place, verdict)
        else:
            self._progress.skip("put back", "nothing is to be put back")

    def _list(self) -> None:
        """Shows the run in lists of operations: the many looks that find nothing stay out."""
        if self._is_listed:
            return
        self._is_listed = True
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("drift"),
                attributes.ORGANIZATION.value_set(self._request.organization),
                attributes.COMPONENT.value_set(self._request.component),
                attributes.ENVIRONMENT.value_set(self._request.environment),
                attributes.ACTOR.value_set(TriggerKind.AUTOMATIC.value),
            ]
        )

    async def _quiet(self) -> DriftPlace:
        """Returns the place as it is while no deployment of it runs."""
        while True:
            place = await call(
                DriftActivities.read_drift_place,
                self._request,
                f"what is wanted of {self._request.component}",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
            if not place.busy:
                return place
            await call(
                DriftActivities.await_deployments,
                self._request,
                f"await the end of deployments to {self._request.environment}",
                queue=ids.CONTROL_QUEUE,
                options=watch(_LONGEST_DEPLOYMENT),
            )

    async def _nothing_runs(self, place: DriftPlace) -> None:
        """Nothing that runs can have drifted: what was told of it is taken back."""
        for name in ("inspect", "put back"):
            self._progress.skip(name, "no release runs")
        await self._record(place, Inspection(), DriftVerdict())
        self._memory = DriftVerdict().memory
        self._report = self._report.model_copy(update={"release": "", "drifted": ()})

    async def _inspect(self, place: DriftPlace) -> Inspection:
        return await call(
            DriftPlaneActivities.inspect_release,
            InspectRelease(bundle=place.bundle, organization=self._request.organization),
            f"compare {place.release} with the plane",
            queue=place.task_queue,
            options=QUICK,
        )

    async def _record(
        self, place: DriftPlace, found: Inspection, verdict: DriftVerdict, failure: str = ""
    ) -> bool:
        """Tells the drift on the binding; False when the place changed since it was looked at."""
        if not found.drifted and not place.told:
            self._progress.skip("record", "all is as the release wants it")
            return True
        self._list()
        reason, message = self._told(place, found, verdict, failure)
        without_objects = place.bundle.model_copy(update={"objects": (), "stored": ""})
        with self._progress.step("record"):
            return await call(
                DriftActivities.record_drift,
                DriftRecord(
                    request=self._request,
                    place=place.model_copy(update={"bundle": without_objects}),
                    drifted=found.drifted,
                    reason=reason,
                    message=message,
                ),
                f"record {len(found.drifted)} drifted fields",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )

    def _told(
        self, place: DriftPlace, found: Inspection, verdict: DriftVerdict, failure: str
    ) -> tuple[Reason, str]:
        fields = described(found.drifted)
        if failure:
            return Reason.PUT_BACK_FAILED, f"putting back failed: {failure}; {fields}"
        if verdict.contests:
            where = self._request.environment
            why = contested(verdict.contests, self._request.component, where, place.limit)
            return Reason.DRIFT_CONTESTED, f"{why}; {fields}"
        if not verdict.put_back:
            return Reason.DRIFTED, fields
        times = put_backs_of(found.drifted, verdict.memory)
        return Reason.PUTTING_BACK, f"{fields}; put-back {times} of {place.limit} within an hour"

    async def _put_back(self, place: DriftPlace, verdict: DriftVerdict) -> None:
        """Has the objects put back by the queue of deployments and looks at the result."""
        request = self._deploy_request(place, verdict.put_back)
        self._report = self._report.model_copy(update={"put_backs": self._report.put_backs + 1})
        with self._progress.step("put back", awaiting="the deployment that puts back"):
            await call(
                DriftActivities.ask_put_back,
                request,
                f"ask to put back {', '.join(verdict.put_back[:_SHOWN_OBJECTS])}",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
            done = await call(
                DriftActivities.await_put_back,
                request,
                "await the deployment that puts back",
                queue=ids.CONTROL_QUEUE,
                options=watch(_LONGEST_DEPLOYMENT),
            )
        stop_if_cancelled()
        if done is None or done.phase is Phase.SUCCEEDED:
            self._seen = True
            return
        await self._failed(place, done.message or done.phase.value)

    async def _failed(self, place: DriftPlace, failure: str) -> None:
        """Tells that putting back failed; the next change or sweep tries again."""
        left = await self._inspect(place)
        self._report = self._report.model_copy(update={"drifted": left.drifted})
        told = place.model_copy(update={"told": True})
        if not await self._record(told, left, DriftVerdict(), failure):
            self._seen = True

    def _deploy_request(self, place: DriftPlace, objects: tuple[str, ...]) -> DeployRequest:
        request = self._request
        event = [workflow.info().workflow_id, workflow.info().run_id, self._report.put_backs]
        return DeployRequest(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            request_id=f"drift-{ids.content_hash(event)[:16]}",
            binding=place.binding,
            put_back=objects,
            release=place.release,
            force_conflicts=True,
            trigger=Trigger(
                kind=TriggerKind.AUTOMATIC,
                reference=f"drift of {', '.join(objects[:_SHOWN_OBJECTS])}",
            ),
        )

    def _summary(self) -> str:
        if not self._report.drifted:
            return "all is as the release wants it"
        count = len(self._report.drifted)
        return f"{count} field{'s' if count > 1 else ''} left as somebody else made them"
