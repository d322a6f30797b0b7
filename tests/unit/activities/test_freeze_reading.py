from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from temporalio.testing import ActivityEnvironment

from activities.guards.freezes import FreezeActivities, FreezeReader
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


class Kept:
    """The API server, which has these windows."""

    def __init__(self, *windows: dict[str, Any]) -> None:
        self.items = windows
        self.asked = 0

    async def list(self, _: object, namespace: str) -> Kept:
        assert namespace == "acme"
        self.asked += 1
        return self


def window(policy: str, begins: timedelta) -> dict[str, Any]:
    start = (datetime.now(UTC) + begins).strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "apiVersion": "choreo.dev/v1alpha1",
        "kind": "FreezeWindow",
        "metadata": {"name": "weekend", "namespace": "acme"},
        "spec": {
            "reason": "off call",
            "inProgress": policy,
            "schedule": {"start": start, "duration": "48h"},
        },
    }


def reading(kept: Kept, watched: Watched) -> FreezeReader:
    return FreezeReader(cast("Cluster", kept), cast("SharedWatches", watched))


def reader(policy: str, begins: timedelta) -> FreezeReader:
    one = window(policy, begins)
    return reading(Kept(one), Watched(one))


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


async def test_a_window_that_is_gone_keeps_nothing_closed_though_the_watch_has_it_still() -> None:
    assert (await reading(Kept(), Watched(window("Hold", -HOUR))).read(PLACE)).is_open


async def test_who_is_told_sees_a_window_that_the_watch_does_not_have_yet() -> None:
    kept = Kept(window("Revert", -HOUR))
    activities = FreezeActivities(cast("Cluster", kept), cast("SharedWatches", Watched()))
    told = await ActivityEnvironment().run(activities.read_freeze, PLACE)
    assert (told.is_open, told.in_progress) == (False, "Revert")


async def test_an_open_place_costs_no_request() -> None:
    kept = Kept()
    assert (await reading(kept, Watched()).read(PLACE)).is_open
    assert not kept.asked
