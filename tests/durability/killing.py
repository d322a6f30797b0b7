"""A plugin by which a real worker dies, or waits, exactly at a point named by an order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from temporalio import activity
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)

from clients.kubernetes.session import Session
from tests.durability.asking import Asking
from tests.durability.orders import Carrier

_LOOK = 0.02


class _Execution:
    """One try of an activity: counts what it does and dies when it is told to."""

    def __init__(self, carrier: Carrier) -> None:
        info = activity.info()
        self._carrier = carrier
        self.workflow_id = info.workflow_id or ""
        self.name = info.activity_type
        self._identity = f"{info.workflow_run_id}/{info.activity_id}"
        self._held = False
        self.effects = 0
        self.beats = 0

    def at(self, moment: str) -> None:
        """Dies here when the order says so."""
        order = self._carrier.matching(self.workflow_id, "activity", self.name)
        if order is None:
            return
        occurrence = self._carrier.occurrence(order, "", self._identity)
        point = order.point
        if (point.occurrence, point.moment) != (occurrence, moment):
            return
        inside = moment == "during"
        if inside and (point.effects, point.beats) not in {(self.effects, 0), (0, self.beats)}:
            return
        self._held = self._carrier.carry_out(order)

    async def released(self) -> None:
        """Waits while the test wants to do something in this very moment."""
        while self._held and not self._carrier.may_go_on():  # noqa: ASYNC110 - another process says so
            await asyncio.sleep(_LOOK)
        self._held = False

    def beat(self) -> None:
        self.beats += 1
        self.at("during")

    async def effect(self) -> None:
        self.effects += 1
        self.at("during")
        await self.released()


_EXECUTION: ContextVar[_Execution | None] = ContextVar("execution", default=None)


class _Watched(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, carrier: Carrier) -> None:
        super().__init__(following)
        self._carrier = carrier

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        super().init(_Beating(outbound))

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        execution = _Execution(self._carrier)
        token = _EXECUTION.set(execution)
        try:
            execution.at("before")
            await execution.released()
            try:
                return await super().execute_activity(input)
            finally:
                execution.at("after")
                await execution.released()
        finally:
            _EXECUTION.reset(token)
            self._carrier.trace(
                execution.workflow_id, execution.name, execution.effects, execution.beats
            )


class _Beating(ActivityOutboundInterceptor):
    def heartbeat(self, *details: Any) -> None:
        super().heartbeat(*details)
        execution = _EXECUTION.get()
        if execution is not None:
            execution.beat()


class _Activities(Interceptor):
    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Watched(next, self._carrier)


class _Runner(WorkflowRunner):
    """Runs workflows as the real one does; looks at what goes into and comes out of each task."""

    def __init__(self, real: WorkflowRunner, carrier: Carrier) -> None:
        self._real = real
        self._carrier = carrier

    def prepare_workflow(self, defn: Any) -> None:
        self._real.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        self._real.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = self._real.create_instance(det)
        activate = instance.activate
        met = _Met(self._carrier, det.info.workflow_id, det.info.run_id)

        def watched(act: WorkflowActivation) -> Any:
            if act.is_replaying:
                return activate(act)
            arrived = [one for job in act.jobs for one in _arriving(job)]
            met.all(act, "in", arrived)
            completion = activate(act)
            met.all(act, "in-after", [(k, n, "after") for k, n, m in arrived if m == "both"])
            commands = completion.successful.commands
            met.all(act, "out", [one for command in commands for one in _leaving(command)])
            return completion

        instance.activate = watched  # type: ignore[method-assign]  # the SDK has no hook there
        return instance


class _Met:
    def __init__(self, carrier: Carrier, workflow_id: str, run_id: str) -> None:
        self._carrier = carrier
        self._workflow_id = workflow_id
        self._run_id = run_id

    def all(self, act: WorkflowActivation, way: str, met: list[tuple[str, str, str]]) -> None:
        for number, (kind, name, told) in enumerate(met):
            moment = "before" if told == "both" else told
            order = self._carrier.matching(self._workflow_id, kind, name)
            if order is None:
                continue
            identity = f"{self._run_id}/{act.history_length}/{way}/{number}"
            occurrence = self._carrier.occurrence(order, moment, identity)
            if (order.point.occurrence, order.point.moment) == (occurrence, moment):
                # A workflow must not wait for a test: whoever holds here only learns that it is so.
                self._carrier.carry_out(order)


def _arriving(job: WorkflowActivationJob) -> Iterator[tuple[str, str, str]]:
    match job.WhichOneof("variant"):
        case "initialize_workflow":
            yield "workflow", "start", "before"
        case "signal_workflow":
            yield "signal", job.signal_workflow.signal_name, "both"
        case "do_update":
            yield "update", job.do_update.name, "both"
        case "cancel_workflow":
            yield "cancel", "workflow", "both"
        case "fire_timer":
            yield "timer", "sleep", "after"
        case "resolve_child_workflow_execution_start":
            yield "child", "start", "after"
        case "resolve_signal_external_workflow":
            yield "outgoing-signal", "signal", "after"


def _leaving(command: WorkflowCommand) -> Iterator[tuple[str, str, str]]:
    match command.WhichOneof("variant"):
        case "start_timer":
            yield "timer", "sleep", "before"
        case "start_child_workflow_execution":
            yield "child", "start", "before"
        case "signal_external_workflow_execution":
            yield "outgoing-signal", "signal", "before"
        case (
            "complete_workflow_execution" | "fail_workflow_execution" | "cancel_workflow_execution"
        ):
            yield "workflow", "end", "before"


def count_effects() -> None:
    """Lets each change of a cluster that an activity makes count as one effect of it."""
    send: Callable[..., Any] = Session.json

    async def counted(self: Session, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await send(self, method, path, **more)
        execution = _EXECUTION.get()
        if execution is not None and method != "GET":
            await execution.effect()
        return answer

    Session.json = counted  # type: ignore[method-assign]  # every write goes through it


class KillPlugin(SimplePlugin):
    """Added to the real worker's own plugin; without an order it changes nothing."""

    def __init__(self, carrier: Carrier) -> None:
        def runner(real: WorkflowRunner | None) -> WorkflowRunner:
            assert real is not None
            return _Runner(real, carrier)

        super().__init__(
            "pavane-durability",
            interceptors=[_Activities(carrier), Asking(carrier)],
            workflow_runner=runner,
        )
