"""What other procedures learn of a queue of deployments when Temporal or its workers are away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from domain.deliveries import DeployRequest, OperationStatus
from domain.deliveries.promotion_effects import OrderState
from domain.errors import DependencyUnavailable
from domain.phases import Phase
from workflows.deployments.queues import TemporalDeployQueues

pytestmark = pytest.mark.workflows

PLACE = ("acme", "web", "dev")
REQUEST = DeployRequest(organization="acme", component="web", environment="dev", request_id="drift")


class Answering:
    """A client, and the handle it gives, whose every answer is the same error."""

    def __init__(self, result: Exception | None, query: Exception | None = None) -> None:
        self._result = result
        self._query = query

    def get_workflow_handle(self, *_: Any, **__: Any) -> Answering:
        return self

    get_workflow_handle_for = get_workflow_handle

    async def result(self) -> None:
        if self._result is not None:
            raise self._result

    describe = result

    async def start_workflow(self, *_: Any, **__: Any) -> None:
        await self.result()

    async def query(self, *_: Any) -> None:
        if self._query is not None:
            raise self._query


def queues(result: Exception | None, query: Exception | None = None) -> TemporalDeployQueues:
    return TemporalDeployQueues(cast("Client", Answering(result, query)))


def rpc(status: RPCStatusCode) -> RPCError:
    return RPCError("no", status, b"")


async def test_a_place_nobody_ever_deployed_to_is_idle_and_has_no_outcome() -> None:
    unknown = queues(rpc(RPCStatusCode.NOT_FOUND), rpc(RPCStatusCode.NOT_FOUND))

    assert not await unknown.is_busy(*PLACE)
    await unknown.idle(*PLACE)
    assert await unknown.outcome(REQUEST) is None
    assert (await unknown.look(REQUEST)).state is OrderState.LOST
    assert await unknown.stop(REQUEST) is OrderState.LOST


@pytest.mark.parametrize(
    "ask",
    [
        lambda away: away.is_busy(*PLACE),
        lambda away: away.idle(*PLACE),
        lambda away: away.ask(REQUEST),
        lambda away: away.outcome(REQUEST),
        lambda away: away.look(REQUEST),
        lambda away: away.stop(REQUEST),
    ],
    ids=["is busy", "idle", "ask", "outcome", "look", "stop"],
)
async def test_a_server_that_does_not_answer_is_asked_again(
    ask: Callable[[TemporalDeployQueues], Awaitable[object]],
) -> None:
    with pytest.raises(DependencyUnavailable):
        await ask(queues(rpc(RPCStatusCode.UNAVAILABLE)))


async def test_without_a_worker_the_outcome_is_not_known_yet() -> None:
    with pytest.raises(DependencyUnavailable, match="no worker answers"):
        await queues(None, rpc(RPCStatusCode.DEADLINE_EXCEEDED)).outcome(REQUEST)


async def test_a_queue_that_cannot_tell_has_no_outcome_and_its_order_is_lost() -> None:
    silent = cast("Client", Holding(WorkflowQueryFailedError("no such query")))

    assert await queues(None, WorkflowQueryFailedError("no such query")).outcome(REQUEST) is None
    assert (await TemporalDeployQueues(silent).look(REQUEST)).state is OrderState.LOST


class Holding(Answering):
    """A queue in which the order runs, and what became of the wish to stop it."""

    def __init__(self, query: Exception | None = None, withdraw: Exception | None = None) -> None:
        super().__init__(None, query)
        self._withdraw = withdraw
        self.ends = False
        """The order comes to its end just when somebody wants to stop it."""
        self.cancelled = False

    async def describe(self) -> Any:
        return SimpleNamespace(status=WorkflowExecutionStatus.RUNNING)

    async def query(self, *arguments: Any) -> Any:
        await super().query(*arguments)
        return OperationStatus(title="deploy", phase=Phase.RUNNING, running=REQUEST.request_id)

    async def execute_update(self, *_: Any) -> bool:
        if self._withdraw is not None:
            raise self._withdraw
        self._query = rpc(RPCStatusCode.NOT_FOUND) if self.ends else None
        return False

    async def cancel(self) -> None:
        self.cancelled = True


async def test_an_order_that_runs_is_cancelled_and_one_that_just_ended_is_not() -> None:
    runs, ends = Holding(), Holding()
    ends.ends = True

    assert await TemporalDeployQueues(cast("Client", runs)).stop(REQUEST) is OrderState.OPEN
    assert await TemporalDeployQueues(cast("Client", ends)).stop(REQUEST) is OrderState.LOST
    assert (runs.cancelled, ends.cancelled) == (True, False)


async def test_a_wish_to_stop_that_nobody_takes_is_sent_again() -> None:
    away = cast("Client", Holding(withdraw=rpc(RPCStatusCode.UNAVAILABLE)))

    with pytest.raises(DependencyUnavailable, match="does not take it"):
        await TemporalDeployQueues(away).stop(REQUEST)
