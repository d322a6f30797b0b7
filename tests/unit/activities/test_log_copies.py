from __future__ import annotations

from contextlib import aclosing

import pytest

from activities.looks import log_copies
from activities.looks.log_copies import LogCopy, LogCopyActivities
from clients.objects import ObjectStore, tail
from domain import ids
from domain.deliveries.logs import CopyOfLog, LogRequest
from domain.policies.log_lines import LogLine

FIRST, SECOND = "2026-11-27T11:49:16.000000001Z", "2026-11-27T11:49:16.000000002Z"
REQUEST = LogRequest(
    organization="acme", project="shop", component="web", environment="dev", look="one"
)


@pytest.fixture
def store() -> ObjectStore:
    return ObjectStore.open("memory:///")


def line(time: str, text: str) -> LogLine:
    return LogLine(time, "uid/main", "web-1", text.encode())


async def copied(store: ObjectStore) -> bytes:
    key = ids.log_copy_key("acme", "one")
    async with aclosing(tail(store, key, follow=True)) as parts:
        return b"".join([part async for part in parts])


async def test_a_later_attempt_goes_on_where_the_copy_ends(store: ObjectStore) -> None:
    killed = await LogCopy.open(store, REQUEST)
    await killed.add(line(FIRST, "one"))
    await killed.add(LogLine.note("uid/main", "web-1", "interrupted"))
    await killed.close()

    again = await LogCopy.open(store, REQUEST)
    assert again.seen("uid/main") == FIRST
    await again.add(line(SECOND, "two"))
    await again.finish()

    texts = [LogLine.parse(one).text for one in (await copied(store)).splitlines()]
    assert texts == [b"one", b"-- interrupted", b"two"]


async def test_what_the_asker_knows_is_not_forgotten(store: ObjectStore) -> None:
    asked = REQUEST.model_copy(update={"seen": {"uid/main": SECOND}})

    assert (await LogCopy.open(store, asked)).seen("uid/main") == SECOND


async def test_a_copy_takes_only_so_much_and_says_so(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_copies, "_MOST_BYTES", 100)
    copy = await LogCopy.open(store, REQUEST)
    for number in range(9):
        await copy.add(line(FIRST, f"line {number}"))
    await copy.finish()

    lines = (await copied(store)).splitlines()
    assert copy.is_full
    assert b"line 1" in lines[1]
    assert b"fewer lines" in lines[2]
    assert len(lines) == 3


async def test_nothing_is_left_of_a_copy_that_was_dropped(store: ObjectStore) -> None:
    copy = await LogCopy.open(store, REQUEST)
    await copy.add(line(FIRST, "one"))
    await copy.finish()
    drop = LogCopyActivities(store).drop_log_copy

    for _ in range(2):
        await drop(CopyOfLog(organization="acme", look="one"))

    assert await store.list("logs/looks") == []
