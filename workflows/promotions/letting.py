"""Lets a promotion go through its gates, unless it must give way or its time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

from domain.deliveries.promotions import PromotionFacts
from domain.errors import Denied
from workflows.promotions.passage import Passage


async def let_through(passage: Passage, gives_way: Callable[[], bool]) -> PromotionFacts | None:
    """Returns the facts with which all is open; None = it gave way, and nothing was done by then.

    Raises:
        Denied: A gate is closed, people said no, or the request expired.
    """
    work = asyncio.ensure_future(passage.through())
    try:
        await _either(work, gives_way, passage.request.expires)
    except (asyncio.CancelledError, Denied):
        await _stopped(work)
        raise
    await _stopped(work)
    if not gives_way():
        return work.result()
    if not work.cancelled():
        work.exception()  # looked at: it no longer matters
    return None


async def _either(
    work: asyncio.Task[PromotionFacts], gives_way: Callable[[], bool], expires: datetime | None
) -> None:
    limit = None if expires is None else max(expires - workflow.now(), timedelta(seconds=1))
    try:
        await workflow.wait_condition(
            lambda: work.done() or gives_way(), timeout=limit, timeout_summary="give up"
        )
    except TimeoutError:
        message = f"it was not let through by {expires:%Y-%m-%d %H:%M} UTC"
        raise Denied(message, facts={"reason": "Expired"}) from None


async def _stopped(work: asyncio.Task[PromotionFacts]) -> None:
    if not work.done():
        work.cancel()
        await workflow.wait([work])
