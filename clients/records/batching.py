"""Writes that arrive while another is being written go together in the next transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Work = TypeVar("Work")
Answer = TypeVar("Answer")


class Batching(Generic[Work, Answer]):
    """One writer of a process: a burst of small writes costs a few commits, not one each."""

    def __init__(
        self, write: Callable[[Sequence[Work]], Awaitable[Sequence[Answer]]], largest: int
    ) -> None:
        self._write = write
        self._largest = largest
        self._waiting: list[tuple[Work, asyncio.Future[Answer]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, work: Work) -> Answer:
        """Returns when the transaction with this piece of work is committed, or raises why not.

        A caller that is cancelled does not stop what others wait for; its work may be written.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, answer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._work_off(), name="records writer")
        return await answer

    async def close(self) -> None:
        """Waits until everything submitted is written or refused."""
        if self._writer is not None:
            await self._writer

    async def _work_off(self) -> None:
        while self._waiting:
            batch, self._waiting = (
                self._waiting[: self._largest],
                self._waiting[self._largest :],
            )
            try:
                answers = await self._write([work for work, _ in batch])
            except Exception as error:  # noqa: BLE001 - handed to each who waits
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
