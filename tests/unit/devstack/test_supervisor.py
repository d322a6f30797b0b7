"""The supervisor with real, tiny processes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from devstack import component_runner
from devstack.assembly import assemble
from devstack.component import CallProbe, Component, FileProbe, Part, Step
from devstack.control import ask, ask_once, listen
from devstack.errors import DevstackError
from devstack.processes import is_alive
from devstack.record import PartPhase, PartStatus, read_record
from devstack.restarts import RestartPolicy
from devstack.state import StateDir
from devstack.supervisor import Supervisor

pytestmark = pytest.mark.unit
SLEEP = ("sleep", "600")
Become = Callable[[Sequence[Part]], "asyncio.Future[None]"]


@pytest.fixture
async def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    quick = RestartPolicy(first=timedelta(milliseconds=5), longest=timedelta(milliseconds=5))
    monkeypatch.setattr(component_runner, "RestartPolicy", lambda: quick)
    context = assemble("test", StateDir(tmp_path / "stack"), "core", platform=False)
    running = Supervisor(context, os.getpid())
    yield running
    await running.stop()


async def become(supervisor: Supervisor, *parts: Part) -> None:
    await supervisor.become(supervisor.context, parts, {})


async def until(
    supervisor: Supervisor, name: str, holds: Callable[[PartStatus], bool]
) -> PartStatus:
    async with asyncio.timeout(20):
        while not holds(status := supervisor.record.parts[name]):  # noqa: ASYNC110 - any fact may be awaited
            await asyncio.sleep(0.005)
    return status


async def until_phase(supervisor: Supervisor, name: str, phase: PartPhase) -> PartStatus:
    return await until(supervisor, name, lambda status: status.phase is phase)


async def test_a_part_starts_only_when_its_needs_are_ready(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    first = Component("first", SLEEP, ready=FileProbe(flag))
    await become(supervisor, Component("second", SLEEP, needs=("first",)), first)
    await until(supervisor, "first", lambda status: status.process is not None)
    waiting = await until_phase(supervisor, "second", PartPhase.WAITING)

    assert (waiting.detail, waiting.process) == ("for first", None)
    flag.touch()
    await until_phase(supervisor, "second", PartPhase.READY)


async def test_dependents_wait_for_what_follows_the_probe(supervisor: Supervisor) -> None:
    unsealed = asyncio.Event()
    events: list[str] = []

    async def unseal() -> None:
        await unsealed.wait()
        events.append("unsealed")

    async def use() -> None:
        events.append("used")

    vault = Component("vault", SLEEP, after_ready=unseal)
    await become(supervisor, vault, Step("use", use, needs=("vault",)))
    await until(supervisor, "vault", lambda status: status.process is not None)
    unsealed.set()
    await until_phase(supervisor, "use", PartPhase.READY)

    assert events == ["unsealed", "used"]


async def test_a_killed_process_is_started_again_and_made_ready_again(
    supervisor: Supervisor,
) -> None:
    made_ready: list[int] = []

    async def count() -> None:
        made_ready.append(1)

    await become(supervisor, Component("one", SLEEP, after_ready=count))
    before = await until_phase(supervisor, "one", PartPhase.READY)
    assert before.process is not None

    os.kill(before.process.pid, signal.SIGKILL)
    after = await until(
        supervisor, "one", lambda s: s.phase is PartPhase.READY and s.process != before.process
    )

    assert (after.restarts, len(made_ready)) == (1, 2)


async def test_what_a_killed_process_had_started_is_gone_and_reaped_before_it_starts_again(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    script = f"sleep 601 & echo $! > {tmp_path}/child; wait"
    parent = Component(
        "parent",
        ("sh", "-c", script),
        ready=CallProbe("child", lambda: _has_content(tmp_path / "child")),
    )
    await become(supervisor, parent)
    before = await until_phase(supervisor, "parent", PartPhase.READY)
    child = int((tmp_path / "child").read_text())
    assert before.process is not None

    os.kill(before.process.pid, signal.SIGKILL)
    await until(
        supervisor, "parent", lambda s: s.phase is PartPhase.READY and s.process != before.process
    )

    with pytest.raises(ProcessLookupError):  # not even a dead one is left
        os.kill(child, 0)


async def test_a_crash_loop_is_given_up_with_its_reason_and_can_be_resumed(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    cure = tmp_path / "cure"
    script = f"test -e {cure} && exec sleep 600; exit 3"
    await become(
        supervisor,
        Component("sick", ("sh", "-c", script), ready=CallProbe("cure", lambda: _exists(cure))),
    )
    failed = await until_phase(supervisor, "sick", PartPhase.FAILED)
    assert "exit status 3" in failed.detail

    cure.touch()
    async for _ in supervisor.serve({"verb": "resume"}):
        pass
    await until_phase(supervisor, "sick", PartPhase.READY)


async def test_what_ends_before_it_is_ready_says_its_last_words_and_not_those_of_others(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    log = supervisor.context.state.log("sick")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("words of long ago\n")
    never = FileProbe(tmp_path / "never")
    script = "echo it begins; echo too many open files >&2; exit 1"
    mute = Component("mute", ("sh", "-c", "exit 1"), ready=never)
    await become(supervisor, Component("sick", ("sh", "-c", script), ready=never), mute)
    failed = await until_phase(supervisor, "sick", PartPhase.FAILED)
    silent = await until_phase(supervisor, "mute", PartPhase.FAILED)

    assert failed.detail.endswith("exit status 1 before it was ready: too many open files")
    assert silent.detail.endswith("exit status 1 before it was ready")


async def test_a_missing_program_is_named(supervisor: Supervisor) -> None:
    await become(supervisor, Component("ghost", ("/does/not/exist",)))

    failed = await until_phase(supervisor, "ghost", PartPhase.FAILED)

    assert "/does/not/exist cannot be started: No such file" in failed.detail


async def test_a_process_that_never_gets_ready_is_ended_and_says_so(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    never = FileProbe(tmp_path / "never")
    late = Component("late", SLEEP, ready=never, ready_timeout=timedelta(milliseconds=50))
    await become(supervisor, late)
    started = await until(supervisor, "late", lambda status: status.process is not None)
    ended = await until_phase(supervisor, "late", PartPhase.RESTARTING)

    assert ended.detail.startswith("not ready after")
    assert started.process is not None
    assert not is_alive(started.process)


async def test_parts_end_in_reverse_and_leave_nothing(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    order = tmp_path / "order"
    script = "trap 'echo $0 >> {order}; exit 0' TERM; touch {flag}; while :; do sleep 0.01; done"
    undone: list[str] = []

    async def undo() -> None:
        undone.append(order.read_text())

    def shell(name: str, *needs: str) -> Component:
        flag = tmp_path / name
        argv = ("sh", "-c", script.format(order=order, flag=flag), name)
        return Component(name, argv, needs=needs, ready=FileProbe(flag))

    async def nothing() -> None: ...

    net = Step("net", nothing, undo=undo)
    await become(supervisor, net, shell("low", "net"), shell("high", "low"))
    top = await until_phase(supervisor, "high", PartPhase.READY)
    await supervisor.stop()

    assert order.read_text() == "high\nlow\n"
    assert undone == ["high\nlow\n"]
    assert top.process is not None
    assert not is_alive(top.process)
    assert read_record(supervisor.context.state.record) is None


async def test_a_process_that_ignores_the_signal_is_killed_with_its_children(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    script = f"trap '' TERM; sleep 601 & echo $! > {tmp_path}/child; wait; sleep 602"
    deaf = Component(
        "deaf",
        ("sh", "-c", script),
        ready=CallProbe("child", lambda: _has_content(tmp_path / "child")),
        stop_timeout=timedelta(milliseconds=50),
    )
    await become(supervisor, deaf)
    await until_phase(supervisor, "deaf", PartPhase.READY)
    child = int((tmp_path / "child").read_text())

    await supervisor.stop()

    assert not _runs(child)


async def test_a_failed_step_is_tried_again_then_given_up(supervisor: Supervisor) -> None:
    tries: list[int] = []

    async def fail() -> None:
        tries.append(1)
        raise DevstackError("the bucket has a hole")

    await become(supervisor, Step("fetch", fail, attempts=2))
    failed = await until_phase(supervisor, "fetch", PartPhase.FAILED)

    assert (failed.detail, len(tries)) == ("the bucket has a hole", 2)


async def test_a_step_that_works_side_by_side_fails_with_the_words_of_its_errors(
    supervisor: Supervisor,
) -> None:
    async def fail() -> None:
        raise ExceptionGroup("side by side", [DevstackError("no bucket"), ValueError("no water")])

    await become(supervisor, Step("fetch", fail, attempts=1))
    failed = await until_phase(supervisor, "fetch", PartPhase.FAILED)

    assert failed.detail == "no bucket; ValueError: no water"


async def test_growing_leaves_what_runs_and_replaces_what_changed(supervisor: Supervisor) -> None:
    same, other = Component("same", SLEEP), Component("other", SLEEP)
    await become(supervisor, same, other)
    before = await until_phase(supervisor, "same", PartPhase.READY)
    await until_phase(supervisor, "other", PartPhase.READY)

    changed = Component("other", ("sleep", "601"))
    await become(supervisor, same, changed, Component("new", SLEEP, needs=("other",)))
    await until_phase(supervisor, "new", PartPhase.READY)

    assert supervisor.record.parts["same"] == before
    other_process = supervisor.record.parts["other"].process
    assert other_process is not None
    assert _command(other_process.pid) == b"sleep\x00601\x00"


async def test_a_need_that_was_replaced_is_still_found_after_a_restart(
    supervisor: Supervisor,
) -> None:
    user = Component("user", SLEEP, needs=("base",))
    await become(supervisor, Component("base", SLEEP), user)
    before = await until_phase(supervisor, "user", PartPhase.READY)
    await become(supervisor, Component("base", ("sleep", "601")), user)

    async for _ in supervisor.serve({"verb": "kill", "name": "user"}):
        pass

    await until(
        supervisor, "user", lambda s: s.phase is PartPhase.READY and s.process != before.process
    )


async def test_a_held_component_stays_down_until_it_is_started(supervisor: Supervisor) -> None:
    await become(supervisor, Component("one", SLEEP))
    before = await until_phase(supervisor, "one", PartPhase.READY)

    async for _ in supervisor.serve({"verb": "stop", "name": "one"}):
        pass
    held = await until_phase(supervisor, "one", PartPhase.HELD)
    assert held.process is None
    assert before.process is not None
    assert not is_alive(before.process)

    async for _ in supervisor.serve({"verb": "start", "name": "one"}):
        pass
    await until_phase(supervisor, "one", PartPhase.READY)


async def test_a_watcher_on_the_socket_sees_a_part_get_ready(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    await become(supervisor, Component("one", SLEEP, ready=FileProbe(flag)))
    deep = tmp_path / ("d" * 90) / "s.sock"
    deep.parent.mkdir()
    server = await listen(deep, supervisor.serve)
    seen: list[str] = []
    try:
        async with asyncio.timeout(20):
            async for reply in ask(deep, {"verb": "watch"}):
                flag.touch()
                seen.append(reply.get("part", {}).get("phase", ""))
                if seen[-1] == "ready":
                    break
        with pytest.raises(DevstackError, match="no component 'two'; it has one"):
            await ask_once(deep, {"verb": "kill", "name": "two"})
    finally:
        server.close()

    assert seen[-1] == "ready"


async def _exists(path: Path) -> bool:
    return _content(path) is not None


async def _has_content(path: Path) -> bool:
    return (_content(path) or "").strip().isdecimal()


def _content(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
