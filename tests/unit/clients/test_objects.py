from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from clients.objects import LogArchive, ObjectStore, archive, tail
from domain.errors import Conflict, InvalidRequest, NotFound, StaleRevision

pytestmark = pytest.mark.unit


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    url = "memory:///" if request.param == "memory" else (tmp_path / "made anew").as_uri()
    return ObjectStore.open(url)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_FLUSH_SECONDS", 0.02)
    monkeypatch.setattr(archive, "_POLL_SECONDS", 0.01)


async def test_what_is_put_is_got(store: ObjectStore) -> None:
    await store.put("a/b", b"one")
    await store.put("a/b", b"two")

    assert await store.get("a/b") == b"two"
    assert await store.has("a/b")
    await store.close()


async def test_missing_object_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(NotFound, match="a/b"):
        await store.get("a/b")
    assert not await store.has("a/b")


async def test_creating_twice_is_a_conflict(store: ObjectStore) -> None:
    await store.put("a", b"one", overwrite=False)

    with pytest.raises(Conflict):
        await store.put("a", b"two", overwrite=False)
    assert await store.get("a") == b"one"


async def test_deleting_what_is_not_there_does_nothing(store: ObjectStore) -> None:
    await store.put("a", b"one")
    await store.delete("a")
    await store.delete("a")

    assert await store.list("a") == []


async def test_key_cannot_leave_the_folder(tmp_path: Path) -> None:
    store = ObjectStore.open((tmp_path / "inside").as_uri())
    (tmp_path / "secret").write_text("no")

    with pytest.raises(InvalidRequest):
        await store.get("../secret")


def test_unusable_url_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        ObjectStore.open("ftp://somewhere/else")


async def test_log_is_read_as_it_was_written(store: ObjectStore) -> None:
    log = await LogArchive.open(store, "logs/x")
    for number in range(3):
        await log.write(b"line %d\n" % number)
        await log.flush()
    await log.finish()

    assert b"".join([part async for part in tail(store, "logs/x")]) == b"line 0\nline 1\nline 2\n"


async def test_large_writes_are_stored_without_waiting(store: ObjectStore) -> None:
    log = await LogArchive.open(store, "logs/x")
    await log.write(b"x" * 70_000)

    assert log.size == 70_000
    await log.close()


async def test_small_writes_are_stored_soon(store: ObjectStore) -> None:
    log = await LogArchive.open(store, "logs/x")
    async with aclosing(tail(store, "logs/x", follow=True)) as parts:
        await log.write(b"small")
        async with asyncio.timeout(5):
            assert await anext(parts) == b"small"
    await log.close()


async def test_second_small_write_after_a_stored_one_is_stored_soon_too(
    store: ObjectStore,
) -> None:
    log = await LogArchive.open(store, "logs/x")
    async with aclosing(tail(store, "logs/x", follow=True)) as parts, asyncio.timeout(10):
        for content in (b"one", b"two", b"three"):
            await log.write(content)
            assert await anext(parts) == content
    await log.close()


async def test_follower_sees_parts_as_they_come_and_the_end(store: ObjectStore) -> None:
    async def follow() -> bytes:
        return b"".join([part async for part in tail(store, "logs/x", follow=True)])

    following = asyncio.create_task(follow())
    log = await LogArchive.open(store, "logs/x")
    await log.write(b"a")
    await log.flush()
    await log.write(b"b")
    await log.finish()

    assert await asyncio.wait_for(following, 5) == b"ab"


async def test_log_that_never_was_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        await anext(tail(store, "logs/none"))


async def test_writer_that_starts_over_knows_what_is_safe(store: ObjectStore) -> None:
    first = await LogArchive.open(store, "logs/x")
    await first.write(b"12345")
    await first.flush()

    second = await LogArchive.open(store, "logs/x")
    assert second.size == 5
    await second.write(b"678")
    await second.finish()

    assert b"".join([part async for part in tail(store, "logs/x")]) == b"12345678"


async def test_replaced_writer_finds_out_and_stops(store: ObjectStore) -> None:
    first = await LogArchive.open(store, "logs/x")
    second = await LogArchive.open(store, "logs/x")
    await second.write(b"new")
    await second.flush()

    await first.write(b"stale")
    with pytest.raises(StaleRevision):
        await first.flush()
    await second.finish()
    assert b"".join([part async for part in tail(store, "logs/x")]) == b"new"
