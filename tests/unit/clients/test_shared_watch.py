from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

import pytest

from clients.kubernetes import (
    Cluster,
    Expired,
    Kind,
    Listing,
    SharedWatch,
    SharedWatches,
    WatchEvent,
)
from domain.errors import DependencyUnavailable

pytestmark = pytest.mark.unit

PODS = Kind("v1", "Pod", "pods", namespaced=True)


def pod(name: str, version: int = 1, uid: str = "", **more: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "acme", "uid": uid or name, "resourceVersion": str(version)}
    return {"metadata": meta | {"managedFields": [{"manager": "x"}]}, **more}


class ScriptedCluster:
    """Lists what it is given; a watch reports what is put into its queue, errors included."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.version = 100
        self.lists = 0
        self.watched_from: list[str] = []
        self.changes: asyncio.Queue[WatchEvent | Exception | None] = asyncio.Queue()

    async def list(self, kind: Kind, namespace: str = "", labels: str = "") -> Listing:
        self.lists += 1
        return Listing(list(self.items), str(self.version))

    async def watch(
        self, kind: Kind, namespace: str, labels: str, *, resource_version: str
    ) -> AsyncGenerator[WatchEvent, None]:
        self.watched_from.append(resource_version)
        while (change := await self.changes.get()) is not None:
            if isinstance(change, Exception):
                raise change
            yield change

    def shared(self, **options: Any) -> SharedWatch:
        return SharedWatch(cast("Cluster", self), PODS, **options)


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.kubernetes.backoff.random.random", lambda: -1.0)


async def take(events: AsyncIterator[WatchEvent], count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(5):
        return [
            (event.type, event.object["metadata"]["resourceVersion"])
            for event in [await anext(events) for _ in range(count)]
        ]


async def test_subscriber_gets_what_is_there_and_then_changes() -> None:
    cluster = ScriptedCluster(pod("a"))
    shared = cluster.shared()
    async with shared.subscribe() as events:
        assert await take(events, 1) == [("ADDED", "1")]
        await cluster.changes.put(WatchEvent("MODIFIED", pod("a", 2)))
        await cluster.changes.put(WatchEvent("DELETED", pod("a", 3)))
        assert (await take(events, 1))[-1][0] in {"MODIFIED", "DELETED"}
    await shared.close()


async def test_later_subscriber_gets_what_is_there_too() -> None:
    cluster = ScriptedCluster(pod("a"), pod("b"))
    shared = cluster.shared()
    await shared.synced()
    async with shared.subscribe() as events:
        assert await take(events, 2) == [("ADDED", "1"), ("ADDED", "1")]
    assert cluster.lists == 1
    await shared.close()


async def test_slow_subscriber_sees_the_last_state_once_and_does_not_hold_up_others() -> None:
    cluster = ScriptedCluster(pod("a"))
    shared = cluster.shared()
    async with shared.subscribe() as slow, shared.subscribe() as quick:
        await take(slow, 1)
        await take(quick, 1)
        for version in range(2, 1002):
            await cluster.changes.put(WatchEvent("MODIFIED", pod("a", version)))
        while (await take(quick, 1))[0][1] != "1001":
            pass

        assert await take(slow, 1) == [("MODIFIED", "1001")]
    await shared.close()


async def test_addition_that_was_changed_before_it_was_taken_is_still_an_addition() -> None:
    cluster = ScriptedCluster()
    shared = cluster.shared()
    async with shared.subscribe() as events:
        await shared.synced()
        cluster.changes.put_nowait(WatchEvent("ADDED", pod("a", 1)))
        cluster.changes.put_nowait(WatchEvent("MODIFIED", pod("a", 2)))
        cluster.changes.put_nowait(WatchEvent("ADDED", pod("z", 3)))
        while len(shared.store) < 2:  # noqa: ASYNC110 - the store has no event
            await asyncio.sleep(0)

        assert await take(events, 2) == [("ADDED", "2"), ("ADDED", "3")]
    await shared.close()


async def test_deletion_and_new_creation_under_one_name_are_both_told() -> None:
    cluster = ScriptedCluster(pod("a", 1, "first"))
    shared = cluster.shared()
    async with shared.subscribe() as events:
        await take(events, 1)
        cluster.changes.put_nowait(WatchEvent("DELETED", pod("a", 2, "first")))
        cluster.changes.put_nowait(WatchEvent("ADDED", pod("a", 3, "second")))

        assert await take(events, 2) == [("DELETED", "2"), ("ADDED", "3")]
    assert shared.store["acme", "a"]["metadata"]["uid"] == "second"
    await shared.close()


async def test_expired_watch_lists_again_and_tells_what_was_missed() -> None:
    cluster = ScriptedCluster(pod("kept"), pod("changed"), pod("gone"), pod("renewed", 1, "one"))
    shared = cluster.shared()
    async with shared.subscribe() as events:
        await take(events, 4)
        cluster.items = [pod("kept"), pod("changed", 7), pod("new", 8), pod("renewed", 9, "two")]
        await cluster.changes.put(Expired("too old"))
        async with asyncio.timeout(5):
            seen = [await anext(events) for _ in range(5)]

    assert {(event.type, event.object["metadata"]["name"]) for event in seen} == {
        ("DELETED", "gone"),
        ("DELETED", "renewed"),
        ("ADDED", "renewed"),
        ("ADDED", "new"),
        ("MODIFIED", "changed"),
    }
    assert cluster.lists == 2
    await shared.close()


async def test_broken_connection_goes_on_from_the_last_bookmark_without_listing() -> None:
    cluster = ScriptedCluster(pod("a"))
    shared = cluster.shared()
    async with shared.subscribe() as events:
        await take(events, 1)
        bookmark = WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": "500"}})
        await cluster.changes.put(bookmark)
        await cluster.changes.put(DependencyUnavailable("cut"))
        await cluster.changes.put(WatchEvent("MODIFIED", pod("a", 501)))

        assert await take(events, 1) == [("MODIFIED", "501")]
    assert cluster.watched_from == ["100", "500"]
    assert cluster.lists == 1
    await shared.close()


async def test_managed_fields_are_not_kept() -> None:
    shared = ScriptedCluster(pod("a")).shared()
    await shared.synced()

    assert "managedFields" not in shared.store["acme", "a"]["metadata"]
    await shared.close()


async def test_predicate_chooses_and_its_bug_hurts_nobody_else() -> None:
    cluster = ScriptedCluster(pod("a"), pod("b", 2))
    shared = cluster.shared()
    async with (
        shared.subscribe(lambda obj: bool(obj["missing"])) as broken,
        shared.subscribe(lambda obj: obj["metadata"]["name"] == "b") as chosen,
    ):
        assert await take(chosen, 1) == [("ADDED", "2")]
        with pytest.raises(KeyError):
            await anext(broken)
    await shared.close()


async def test_bug_in_the_watch_reaches_everybody_who_waits() -> None:
    cluster = ScriptedCluster()
    shared = cluster.shared()
    async with shared.subscribe() as events:
        await shared.synced()
        await cluster.changes.put(ZeroDivisionError("bug"))
        with pytest.raises(ZeroDivisionError):
            await anext(events)
    await shared.close()


async def test_unused_watch_stops_and_starts_anew_when_needed() -> None:
    cluster = ScriptedCluster(pod("a"))
    shared = cluster.shared(linger=0.01)
    async with shared.subscribe() as events:
        await take(events, 1)
        assert shared.unused_for() == 0
    async with asyncio.timeout(5):
        while not shared.unused_for():  # noqa: ASYNC110 - the stop has no event
            await asyncio.sleep(0.01)

    assert not shared.store
    async with shared.subscribe() as events:
        assert await take(events, 1) == [("ADDED", "1")]
    assert cluster.lists == 2
    await shared.close()


async def test_one_watch_serves_all_who_want_the_same() -> None:
    watches = SharedWatches(cast("Cluster", ScriptedCluster()))

    assert watches.of(PODS, "acme") is watches.of(PODS, "acme")
    assert watches.of(PODS, "acme") is not watches.of(PODS, "acme", "app=web")
    await watches.close()
