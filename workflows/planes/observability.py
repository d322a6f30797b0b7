"""Looks after one ObservabilityPlane for as long as it is declared: whether its systems answer.

They tell nobody when they are gone, so they are asked by the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.planes.observability import ObservabilityActivities, ObserverActivities
from activities.planes.reports import PlaneReportActivities
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.observing import Observer
from domain.deliveries.planes import ObservabilityRequest, ObservabilitySeen, PlaneReport
from domain.errors import PlatformError
from domain.phases import Phase
from domain.records import FactResult
from domain.resources import ObservabilityPlane
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error
from workflows.common.calls import PRESENCE, QUICK, Options, call, stop_if_cancelled
from workflows.common.facts import Facts
from workflows.common.progress import Progress

_EVERY = timedelta(minutes=5)
_STEPS = ("ask",)
_BY_ITS_PLANES = "asked-by-its-planes"


@workflow.defn
class ObservabilityCheckWorkflow:
    """Looks after one ObservabilityPlane of one organization."""

    @workflow.init
    def __init__(self, request: ObservabilityRequest) -> None:
        self._request = request
        self._changed = False
        self._connected = request.connected
        self._rounds = 0
        what = f"ObservabilityPlane {request.plane}"
        self._progress = Progress(f"look after {what}", _STEPS)
        self._facts = Facts(request.organization, what, request.trigger)
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("plane-check"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.COMPONENT.value_set(request.plane),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.run
    async def run(self, _request: ObservabilityRequest) -> None:
        """Asks until the plane is not declared any more."""
        try:
            while await self._look():
                with suppress(asyncio.TimeoutError):
                    await workflow.wait_condition(
                        lambda: self._changed,
                        timeout=_EVERY,
                        timeout_summary=f"ask {self._request.plane} again",
                    )
                if workflow.info().is_continue_as_new_suggested():
                    await workflow.wait_condition(workflow.all_handlers_finished)
                    known = {"connected": self._connected}
                    workflow.continue_as_new(self._request.model_copy(update=known))
        except asyncio.CancelledError:
            self._facts.add_cancel("plane-check.cancelled")
            await self._facts.write_to_the_end()
            self._progress.is_at(Phase.CANCELLED, "nobody looks after it until it is changed")
            raise
        self._progress.is_at(Phase.SUCCEEDED, "it is not declared any more")

    @workflow.signal
    def changed(self, request: ObservabilityRequest) -> None:
        """The resource is another one: perhaps its addresses, or who asks."""
        self._changed = self._changed or _asked(request) != _asked(self._request)
        self._request = request

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the look stands."""
        return self._progress.status()

    async def _look(self) -> bool:
        """One look; False = it is not declared any more."""
        self._changed = False
        self._rounds += 1
        self._facts.begin_again(self._rounds)
        self._progress.restart()
        self._progress.begins(f"look after {self._request.plane}")
        with self._progress.step("ask"):
            return await self._ask()

    async def _ask(self) -> bool:
        request = self._request
        seen = await self._seen(request)
        exists = await call(
            PlaneReportActivities.report_plane,
            PlaneReport(
                organization=request.organization,
                plane=request.plane,
                plane_kind=ObservabilityPlane.kind,
                connected=seen.connected,
                message=seen.message,
                at=workflow.now(),
            ),
            f"tell that {request.plane} {'answers' if seen.connected else 'is silent'}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )
        if exists and self._connected is not seen.connected:
            await self._turned(seen)
        return exists

    async def _seen(self, request: ObservabilityRequest) -> ObservabilitySeen:
        """What the workers say who use it; where none does, one of the control plane."""
        planes: tuple[Observer, ...] = ()
        if workflow.patched(_BY_ITS_PLANES):
            found = await call(
                ObserverActivities.find_observers,
                request,
                f"find the planes that use {request.plane}",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
            planes = found.planes
        if not planes:
            return await _told(request, ids.GATES_QUEUE, QUICK)
        answers = await asyncio.gather(*(_told_by(request, one) for one in planes))
        return _together(planes, answers)

    async def _turned(self, seen: ObservabilitySeen) -> None:
        self._connected = seen.connected
        self._facts.add(
            "plane.connected" if seen.connected else "plane.silent",
            result=FactResult.DONE if seen.connected else FactResult.FAILED,
            message=seen.message,
        )
        await self._facts.write()


def _asked(request: ObservabilityRequest) -> tuple[object, ...]:
    return request.prometheus_url, request.logs_url, request.asked_as


async def _told(request: ObservabilityRequest, queue: str, options: Options) -> ObservabilitySeen:
    return await call(
        ObservabilityActivities.ask_observability,
        request,
        f"ask whether {request.plane} answers",
        queue=queue,
        options=options,
    )


def _together(
    planes: Sequence[Observer], answers: Sequence[ObservabilitySeen | str]
) -> ObservabilitySeen:
    """What all say; a plane that is away says so itself, so it counts only where all are."""
    told = list(zip(planes, answers, strict=True))
    wrong = [
        f"asked by plane {by.plane}: {seen.message}"
        for by, seen in told
        if isinstance(seen, ObservabilitySeen) and not seen.connected
    ]
    away = [seen for _, seen in told if isinstance(seen, str)]
    if len(away) == len(told):
        wrong = away
    return ObservabilitySeen(connected=not wrong, message="; ".join(wrong))


async def _told_by(request: ObservabilityRequest, by: Observer) -> ObservabilitySeen | str:
    """What the worker of a plane says; why not, where it is away."""
    try:
        return await _told(request, by.task_queue, PRESENCE)
    except (FailureError, PlatformError) as failure:
        stop_if_cancelled()
        return as_domain_error(failure).message
