"""The desk of the supervisor at which faults are begun, remembered and undone.

A fault belongs to the supervisor, not to the command that asked for it: it ends by its own time
when that command is long gone, and with the stack. What would outlive the supervisor is written
down before it is done, and undone by the next one.
"""

import asyncio
import json
import logging
import ssl
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import asdict, replace
from typing import Any, TypeVar

from devstack.certificates import Request
from devstack.component_runner import ComponentRunner
from devstack.context import StackContext
from devstack.control import Reply
from devstack.errors import DevstackError
from devstack.faults.catalogue import catalogue, find
from devstack.faults.gate import Gate
from devstack.faults.model import ActiveFault, Fault
from devstack.files import write_atomically
from devstack.pki import write_kubeconfig
from devstack.services.cluster import api_server
from devstack.state import StateDir
from devstack.supervisor import Supervisor

_LOG = logging.getLogger(__name__)
_TRIES = 60
_PAUSE = 1.0
_WORKER = "worker"
_GATE = "fault-gate"
_Key = tuple[str, str]
_Done = TypeVar("_Done")


class FaultDesk:
    """Carries the faults of one stack; belongs to the event loop of its supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        """Takes the stack that is broken and mended."""
        self._supervisor = supervisor
        self._active: dict[_Key, ActiveFault] = {}
        self._catalogue = catalogue()
        self._timers: dict[_Key, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._gate: Gate | None = None

    @property
    def context(self) -> StackContext:
        """The stack."""
        return self._supervisor.context

    def component(self, name: str) -> ComponentRunner:
        """The runner of a component; raises `DevstackError` when there is none."""
        return self._supervisor.component(name)

    async def gate(self) -> Gate:
        """The gate, with the worker behind it: the first time, the worker is restarted for it."""
        if self._gate is None:
            worker = self.component(_WORKER)
            gate = self._gate = _make_gate(self.context)
            await gate.open()
            kubeconfig = self.context.state.config / f"{_GATE}.kubeconfig"
            client = self.context.pki.issue("admin", Request("pavane-admin", ("system:masters",)))
            write_kubeconfig(kubeconfig, f"https://127.0.0.1:{self.context.ports[_GATE]}", client)
            worker.reconfigure(
                KUBECONFIG=str(kubeconfig), PAVANE_KUBERNETES__KUBECONFIG=str(kubeconfig)
            )
            await worker.restart()
            await worker.wait_ready()
        return self._gate

    async def serve(self, request: Reply) -> AsyncIterator[Reply]:
        """Answers one request about faults from the control socket."""
        name, target = str(request.get("name", "")), str(request.get("target", ""))
        match request["verb"]:
            case "faults":
                yield {"faults": [asdict(one) for one in self._active.values()]}
                return
            case "fault-begin":
                await self._whole(self._begin(name, target, float(request.get("seconds", 0))))
            case "fault-end":
                await self._whole(self._end(name, target))
            case "fault-end-all":
                await self._whole(self._end_all())
            case "fault-prepare":
                await self._whole(self.gate())
            case verb:
                message = f"the supervisor does not know {verb!r}"
                raise DevstackError(message)
        yield {"done": True}

    async def recover(self) -> None:
        """Undoes what a supervisor before this one left behind; waits for what that needs."""
        for left in read_left(self.context.state):
            self._active[left.name, left.target] = left
        for left in list(self._active.values()):
            await self._undo_patiently(left)

    async def close(self) -> None:
        """Ends what would outlive the stack; all else ends with its processes."""
        for timer in self._timers.values():
            timer.cancel()
        for one in [one for one in self._active.values() if self._fault(one).outlives]:
            try:
                await self._undo(one)
            except DevstackError as error:
                _LOG.warning("%s is undone at the next start: %s", one.name, error)
        if self._gate is not None:
            await self._gate.close()

    async def _begin(self, name: str, target: str, seconds: float) -> None:
        fault = find(name, target, self.context.profile)
        if not fault.is_momentary:
            until = time.time() + seconds if seconds else None
            self._remember(ActiveFault(name, target, until), seconds)
        _LOG.info("fault %s %s begins", name, target)
        try:
            await fault.begin(self, target)
        except BaseException:
            if not fault.is_momentary:
                self._keep(self._undo_patiently(ActiveFault(name, target)))
            raise

    async def _end(self, name: str, target: str) -> None:
        find(name, target, self.context.profile)
        if (active := self._active.get((name, target))) is not None:
            await self._undo_patiently(active)

    async def _end_all(self) -> None:
        for active in list(self._active.values()):
            await self._undo_patiently(active)

    async def _undo_patiently(self, active: ActiveFault) -> None:
        """Undoes; what cannot be yet, because something it needs is away, is tried again."""
        for attempt in range(1, _TRIES + 1):
            try:
                await self._undo(active)
            except DevstackError as error:
                _LOG.warning("%s is not undone yet: %s", active.name, error)
                if attempt == _TRIES:
                    raise
                await asyncio.sleep(_PAUSE)
            else:
                return

    async def _undo(self, active: ActiveFault) -> None:
        fault = self._fault(active)
        if fault.end is not None:
            await fault.end(self, active.target)
        _LOG.info("fault %s %s is over", active.name, active.target)
        key = active.name, active.target
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
        self._active.pop(key, None)
        self._write()

    def _remember(self, active: ActiveFault, seconds: float) -> None:
        key = active.name, active.target
        self._active[key] = active
        self._write()
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
        if seconds:
            loop = asyncio.get_running_loop()
            end = self._undo_patiently

            def over() -> None:
                del self._timers[key]
                self._keep(end(active))

            self._timers[key] = loop.call_later(seconds, over)

    def _fault(self, active: ActiveFault) -> Fault:
        return self._catalogue[active.name]

    def _write(self) -> None:
        left = [replace(one, until=None) for one in self._active.values()]
        kept = [asdict(one) for one in left if self._fault(one).outlives]
        if kept:
            write_atomically(self.context.state.faults, json.dumps(kept, indent=2))
        else:
            self.context.state.faults.unlink(missing_ok=True)

    async def _whole(self, work: Coroutine[Any, Any, _Done]) -> _Done:
        """Does the work to its end even when the asking side goes away meanwhile."""
        return await asyncio.shield(self._task(work))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Does the work beside all else; what goes wrong is told in the log."""

        async def told() -> None:
            try:
                await work
            except DevstackError as error:
                _LOG.error("a fault is not undone: %s", error)

        self._task(told())  # type: ignore[unused-awaitable]  # kept in _tasks

    def _task(self, work: Coroutine[Any, Any, _Done]) -> "asyncio.Task[_Done]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def read_left(state: StateDir) -> list[ActiveFault]:
    """What a supervisor that is gone wrote down as to be undone."""
    try:
        known = [ActiveFault(**one) for one in json.loads(state.faults.read_text())]
    except FileNotFoundError:
        return []
    return [one for one in known if one.name in catalogue()]


def _make_gate(context: StackContext) -> Gate:
    serving = context.pki.issue(_GATE, Request(_GATE, addresses=("127.0.0.1",)))
    client = context.pki.issue("admin", Request("pavane-admin", ("system:masters",)))
    near = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(serving.authority))
    near.load_cert_chain(serving.certificate, serving.key)
    # Whoever comes in gets the administrator's rights, so only certificates of the stack may.
    near.verify_mode = ssl.CERT_REQUIRED
    far = ssl.create_default_context(cafile=str(client.authority))
    far.load_cert_chain(client.certificate, client.key)
    return Gate(api_server(context), context.ports[_GATE], serving=near, client=far)
