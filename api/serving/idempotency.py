"""Tells a repeated order from another order under the same key.

What a key was first used for stands in the history of the procedure it started, so nothing needs
to be remembered here and the check holds over restarts and between API processes.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from domain.deliveries import BuildRequest, DeployRequest
from domain.deliveries.appointments import DeployAtRequest
from domain.deliveries.break_glass import BreakGlassRequest
from domain.deliveries.promotions import PromotionRequest
from domain.deliveries.sets import SetRequest
from domain.errors import Conflict

_KEY_LENGTH = 24

_KEY_USED = "this Idempotency-Key was used for another request before"

Order = TypeVar(
    "Order",
    BuildRequest,
    BreakGlassRequest,
    DeployAtRequest,
    DeployRequest,
    PromotionRequest,
    SetRequest,
)


def request_key(idempotency_key: str | None, actor: str) -> str:
    """Returns the name of an order: equal for equal keys of one person, else a new one."""
    if idempotency_key is None:
        return uuid.uuid4().hex
    return hashlib.sha256(f"{actor}\0{idempotency_key}".encode()).hexdigest()[:_KEY_LENGTH]


async def confirm_same(
    client: Client, workflow_id: str, run_id: str, order: Order, otherwise: str = _KEY_USED
) -> None:
    """Returns when the procedure was given no other order under this order's key.

    Raises:
        Conflict: The key was used for another order; ``otherwise`` is the message.
    """
    async for given in _orders(client, workflow_id, run_id, type(order)):
        if _is_other(given, order):
            raise Conflict(otherwise)


async def was_asked(client: Client, workflow_id: str, run_id: str, order: Order) -> bool:
    """Tells whether the procedure was given exactly this order, under the same key."""
    return any(
        [given == order async for given in _orders(client, workflow_id, run_id, type(order))]
    )


async def _orders(
    client: Client, workflow_id: str, run_id: str, kind: type[Order]
) -> AsyncIterator[Order]:
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    async for event in handle.fetch_history_events():
        for payloads in _inputs(event):
            (given,) = await client.data_converter.decode(payloads[:1], [kind])
            yield given


def _is_other(given: Order, order: Order) -> bool:
    return given.trigger.reference == order.trigger.reference and given != order


def _inputs(event: HistoryEvent) -> Iterator[Sequence[Payload]]:
    """Yields the arguments by which an order can come in: start and update."""
    if event.HasField("workflow_execution_started_event_attributes"):
        yield event.workflow_execution_started_event_attributes.input.payloads
    if event.HasField("workflow_execution_signaled_event_attributes"):
        signaled = event.workflow_execution_signaled_event_attributes
        if signaled.signal_name == "requested":
            yield signaled.input.payloads
    if event.HasField("workflow_execution_update_accepted_event_attributes"):
        accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request
        if accepted.input.name == "enqueue":
            yield accepted.input.args.payloads
