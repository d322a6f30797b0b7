from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from intake import work_queue
from intake.work_queue import WorkQueue

pytestmark = pytest.mark.unit


async def test_key_that_waits_is_looked_at_once() -> None:
    looks: Counter[str] = Counter()
    last = asyncio.Event()

    async def look(key: str) -> bool:
        looks[key] += 1
        if key == "last":
            last.set()
        return True

    queue = WorkQueue(look, hands=1)
    queue.add(["a", "b", "a", "a"])
    queue.add(["last"])
    working = asyncio.create_task(queue.run())
    async with asyncio.timeout(5):
        await last.wait()
    working.cancel()

    assert looks == {"a": 1, "b": 1, "last": 1}


async def test_key_that_changes_while_it_is_looked_at_is_looked_at_again_never_at_once() -> None:
    state, seen, at_once = 1, [], 0
    entered, go_on, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def look(key: str) -> bool:
        nonlocal at_once
        at_once += 1
        assert at_once == 1
        seen.append(state)
        entered.set()
        await go_on.wait()
        at_once -= 1
        if state == 2 and seen[-1] == 2:
            finished.set()
        return True

    queue = WorkQueue(look, hands=4)
    queue.add(["a"])
    working = asyncio.create_task(queue.run())
    async with asyncio.timeout(5):
        await entered.wait()
        state = 2
        queue.add(["a", "a"])
        go_on.set()
        await finished.wait()
    working.cancel()

    assert seen == [1, 2]


async def test_key_that_failed_is_looked_at_later_while_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work_queue, "_FIRST_SECONDS", 0.01)
    looks: list[str] = []
    recovered = asyncio.Event()

    async def look(key: str) -> bool:
        looks.append(key)
        if key == "bad" and looks.count("bad") == 3:
            recovered.set()
        return key != "bad" or looks.count("bad") == 3

    queue = WorkQueue(look, hands=1)
    queue.add(["bad", "good"])
    working = asyncio.create_task(queue.run())
    async with asyncio.timeout(5):
        await recovered.wait()
    working.cancel()

    assert looks == ["bad", "good", "bad", "bad"]


async def test_bug_in_a_look_ends_the_work() -> None:
    async def look(key: str) -> bool:
        raise ZeroDivisionError

    queue = WorkQueue(look, hands=2)
    queue.add(["a"])

    with pytest.raises(ExceptionGroup) as caught:
        await queue.run()
    assert caught.group_contains(ZeroDivisionError)


async def test_a_key_of_lower_rank_is_taken_first_whenever_it_came() -> None:
    seen: list[str] = []
    last = asyncio.Event()

    async def look(key: str) -> bool:
        seen.append(key)
        if len(seen) == 4:
            last.set()
        return True

    queue = WorkQueue(look, hands=1, rank=lambda key: 0 if key == "urgent" else 1)
    queue.add(["a", "b", "c"])
    queue.add(["urgent"])
    working = asyncio.create_task(queue.run())
    async with asyncio.timeout(5):
        await last.wait()
    working.cancel()

    assert seen == ["urgent", "a", "b", "c"]


async def test_shares_take_turns_however_many_keys_wait_in_one_of_them() -> None:
    seen: list[str] = []
    last = asyncio.Event()

    async def look(key: str) -> bool:
        seen.append(key)
        if key == "a1":
            queue.add(["b1"])
        if len(seen) == 6:
            last.set()
        return True

    queue = WorkQueue(look, hands=1, share=lambda key: key[0])
    queue.add(["a1", "a2", "a3", "a4"])
    working = asyncio.create_task(queue.run())
    async with asyncio.timeout(5):
        while len(seen) < 5:  # noqa: ASYNC110 - the last look itself is what is waited for
            await asyncio.sleep(0)
    queue.add(["a5"])
    async with asyncio.timeout(5):
        await last.wait()
    working.cancel()

    assert seen == ["a1", "b1", "a2", "a3", "a4", "a5"]
