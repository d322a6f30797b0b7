from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from activities.guards.freezes import FreezeReader
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from domain.deliveries import FreezePlace

pytestmark = pytest.mark.unit
PLACE = FreezePlace(organization="acme", project="shop", environment="production")
HOUR = timedelta(hours=1)


class Watched:
    """A watch that has seen these windows."""

    def __init__(self, *windows: dict[str, Any]) -> None:
        self.store = {("acme", one["metadata"]["name"]): one for one in windows}

    def of(self, _: object) -> Watched:
        return self

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[None]:
        yield

    async def synced(self) -> None:
        """It knows them all."""


def reader(policy: str, begins: timedelta) -> FreezeReader:
    start = (datetime.now(UTC) + begins).strftime("%Y-%m-%dT%H:%M:%S")
    window = {
        "apiVersion": "choreo.dev/v1alpha1",
        "kind": "FreezeWindow",
        "metadata": {"name": "weekend", "namespace": "acme"},
        "spec": {
            "reason": "off call",
            "inProgress": policy,
            "schedule": {"start": start, "duration": "48h"},
        },
    }
    return FreezeReader(cast("Cluster", None), cast("SharedWatches", Watched(window)))


async def test_it_is_told_beforehand_that_a_freeze_will_undo_what_is_under_way() -> None:
    told = await reader("Revert", HOUR).telling(PLACE, 2 * HOUR)
    assert told is not None
    assert (told.is_open, told.reverts_then) == (True, True)
    assert told.until is not None
    assert HOUR / 2 < told.until - told.at <= HOUR


@pytest.mark.parametrize(("policy", "begins"), [("Hold", HOUR), ("Revert", 3 * HOUR)])
async def test_nothing_is_told_of_what_undoes_nothing_or_is_far_away(
    policy: str, begins: timedelta
) -> None:
    assert await reader(policy, begins).telling(PLACE, 2 * HOUR) is None


async def test_a_freeze_that_lasts_is_told_with_what_it_wants() -> None:
    told = await reader("Hold", -HOUR).telling(PLACE)
    assert told is not None
    assert (told.in_progress, told.message) == ("Hold", "freeze weekend: off call")
