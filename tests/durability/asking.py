"""A client by which a process dies exactly when it asks for a procedure, as the intake does."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from temporalio import activity
from temporalio.client import Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle

from tests.durability.orders import Carrier
from tests.durability.points import ASK


class Asking(Interceptor):
    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        return _Watched(next, self._carrier)


class _Watched(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, carrier: Carrier) -> None:
        super().__init__(following)
        self._carrier = carrier
        self._numbers = count(1)

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's name
        if activity.in_activity():
            return await super().start_workflow(input)
        number = next(self._numbers)
        self._at(input.id, "before", number)
        asking = asyncio.ensure_future(super().start_workflow(input))
        # The request is on its way; whether the server has it by now, nobody knows.
        await asyncio.sleep(0)
        self._at(input.id, "during", number)
        try:
            return await asking
        finally:
            self._at(input.id, "after", number)
            self._carrier.trace(input.id, ASK, 0, 0)

    def _at(self, workflow_id: str, moment: str, number: int) -> None:
        order = self._carrier.matching(workflow_id, ASK, "start")
        if order is None or order.point.moment != moment:
            return
        if self._carrier.occurrence(order, moment, str(number)) == order.point.occurrence:
            self._carrier.carry_out(order)
