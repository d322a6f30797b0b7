"""Brings a stack up, follows it, takes it down: what the command line does, without a terminal."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from devstack import control, profiles
from devstack.assembly import AcquiredPrograms, assemble
from devstack.errors import DevstackError, NotRunning, PartFailed
from devstack.processes import ProcessId, is_alive
from devstack.record import PartPhase, PartStatus, StackRecord, read_record
from devstack.repair import undo_leftovers
from devstack.state import StateDir, locked, state_dir

_PAUSE = 0.02
_PATIENCE = timedelta(seconds=120)
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Wish:
    """The stack a person asked for."""

    name: str
    profile: str = "full"
    platform: bool = True

    @property
    def state(self) -> StateDir:
        """The folder of the stack."""
        return state_dir(self.name)

    def grown_from(self, record: StackRecord) -> "Wish":
        """This wish and what already runs; an `up` never takes anything away.

        Raises:
            DevstackError: The one has Temporal for development, the other one as services.
        """
        both = {self.profile, record.profile}
        if "ha" in both and len(both) > 1:
            message = (
                f"stack {self.name} is {record.profile} and cannot become {self.profile}: Temporal "
                f"keeps its data elsewhere; `pavane stack reset --name {self.name}` first, or take "
                "another --name"
            )
            raise DevstackError(message)
        return replace(
            self,
            profile=both.pop() if len(both) == 1 else "full",
            platform=self.platform or record.platform,
        )


def running(state: StateDir) -> StackRecord | None:
    """The record of a stack whose supervisor lives; None otherwise."""
    record = read_record(state.record)
    return record if record is not None and record.is_alive else None


async def begin(wish: Wish, programs: Mapping[str, Path]) -> bool:
    """Starts the supervisor, or lets the running one grow or try again; returns before it is ready.

    Repairs first what a dead supervisor left behind.

    Returns:
        Whether anything had to be started.

    Raises:
        AlreadyRunning: another command is working on the stack.
        PreflightFailed: a port asked for is occupied.
        DevstackError: the supervisor did not start.
    """
    with locked(wish.state):
        wish.state.create()
        AcquiredPrograms(programs).write(wish.state)
        record = running(wish.state)
        if record is not None:
            return await _continue(wish, record)
        await undo_leftovers(wish.name, wish.state)
        context = assemble(wish.name, wish.state, wish.profile, platform=wish.platform)
        profiles.parts(context)
        await _spawn(wish)
        return True


def _told(failed: PartStatus, state: StateDir) -> str:
    more = ""
    if state.log(failed.name).exists():
        more = f"; more of it: pavane stack logs {failed.name} --name {state.root.name}"
    return f"{failed.name} {failed.detail}{more}"


async def follow(state: StateDir) -> AsyncIterator[PartStatus]:
    """Yields each change of a part until all are ready.

    Raises:
        PartFailed: a part was given up; the rest goes on.
        NotRunning: the supervisor ended meanwhile.
    """
    parts: dict[str, PartStatus] = {}
    async for reply in control.ask(state.socket, {"verb": "watch"}):
        changed = _statuses(reply)
        if "record" in reply:
            parts = {}
        for status in changed:
            parts[status.name] = status
            yield status
        failed = [status for status in parts.values() if status.phase is PartPhase.FAILED]
        if failed:
            raise PartFailed("\n".join(_told(status, state) for status in failed))
        if all(status.phase is PartPhase.READY for status in parts.values()):
            return
    raise NotRunning("the stack was taken down before it was ready")


async def end(name: str, state: StateDir) -> bool:
    """Takes the stack down and returns when nothing of it runs; data stay.

    Returns:
        Whether there was anything to take down.

    Raises:
        AlreadyRunning: another command is working on the stack.
    """
    if not state.root.exists():
        return False
    with locked(state):
        record = running(state)
        if record is None:
            return await undo_leftovers(name, state)
        await _end_supervisor(state, record.supervisor)
        # Nothing is left to do unless the supervisor had to be killed.
        await undo_leftovers(name, state)
        return True


async def steer(state: StateDir, verb: str, component: str) -> None:
    """Restarts, kills, stops or starts one component.

    Raises:
        NotRunning: the stack is down.
        DevstackError: there is no such component.
    """
    await control.ask_once(state.socket, {"verb": verb, "name": component})


async def _continue(wish: Wish, record: StackRecord) -> bool:
    grown = wish.grown_from(record)
    if (grown.profile, grown.platform) != (record.profile, record.platform):
        request = {"verb": "grow", "profile": grown.profile, "platform": grown.platform}
        await control.ask_once(wish.state.socket, request)
        return True
    if record.is_ready:
        return False
    await control.ask_once(wish.state.socket, {"verb": "resume"})
    return True


async def _end_supervisor(state: StateDir, supervisor: ProcessId) -> None:
    """Asks the supervisor to end, and kills it, and so all its children, when it does not."""
    try:
        await control.ask_once(state.socket, {"verb": "down"})
    except NotRunning:
        os.kill(supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE.total_seconds()
    while is_alive(supervisor):
        if time.monotonic() > deadline:
            os.kill(supervisor.pid, signal.SIGKILL)
        await asyncio.sleep(_PAUSE)


async def _spawn(wish: Wish) -> None:
    log = wish.state.log("supervisor")
    log.touch()
    beginning = log.stat().st_size
    supervisor = _popen(wish, log)
    while not await _answers(wish.state):
        if supervisor.poll() is not None:
            words = log.read_bytes()[beginning:].decode(errors="replace").strip()
            raise DevstackError(f"the supervisor did not start: {words}")
        await asyncio.sleep(_PAUSE)


def _popen(wish: Wish, log: Path) -> "subprocess.Popen[bytes]":
    """Starts the supervisor in a session of its own, so that it outlives the terminal."""
    arguments = [f"--name={wish.name}", f"--state={wish.state.root}", f"--profile={wish.profile}"]
    if wish.platform:
        arguments.append("--platform")
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "devstack", *arguments],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


async def _answers(state: StateDir) -> bool:
    try:
        await control.ask_once(state.socket, {"verb": "status"})
    except NotRunning:
        return False
    return True


def _statuses(reply: control.Reply) -> list[PartStatus]:
    if "part" in reply:
        return [PartStatus.from_json(reply["part"])]
    return list(StackRecord.from_json(reply["record"]).parts.values())
