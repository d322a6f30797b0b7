from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from activities.common.kinds import PODS
from activities.common.observation import Changes
from clients.kubernetes.watch import ADDED, DELETED, MODIFIED, WatchEvent
from domain.errors import DependencyUnavailable

pytestmark = pytest.mark.unit


def pod(uid: str, phase: str = "Pending") -> dict[str, Any]:
    return {"metadata": {"name": "web", "uid": uid}, "status": {"phase": phase}}


async def of(*events: WatchEvent) -> AsyncIterator[WatchEvent]:
    for event in events:
        yield event


async def test_objects_are_known_as_they_were_seen_last() -> None:
    seen = Changes()
    await seen.take(
        PODS,
        of(
            WatchEvent(ADDED, pod("a")),
            WatchEvent(ADDED, pod("b")),
            WatchEvent(MODIFIED, pod("b", "Running")),
            WatchEvent(DELETED, pod("a")),
        ),
    )

    assert seen.objects(PODS) == [pod("b", "Running")]


async def test_a_wait_ends_at_the_next_change_and_tells_of_a_broken_watch() -> None:
    async def breaks() -> AsyncIterator[WatchEvent]:
        yield WatchEvent(ADDED, pod("a"))
        raise DependencyUnavailable("no answer")

    seen = Changes()
    taking = asyncio.create_task(seen.take(PODS, breaks()))
    await taking

    with pytest.raises(DependencyUnavailable):
        await seen.wait(timedelta(seconds=10))
