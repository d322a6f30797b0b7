"""Keeps one process of the stack running: starts, probes, restarts with back-off, ends it."""

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from devstack.component import Component
from devstack.errors import DevstackError
from devstack.probes import wait_until_ready
from devstack.processes import RunningProcess, base_environment
from devstack.record import PartPhase
from devstack.restarts import RestartPolicy
from devstack.runners import Runner, clean_up
from devstack.state import StateDir

_LOG = logging.getLogger(__name__)


class ComponentRunner(Runner):
    """Keeps one process running until it is told to end."""

    kind = "component"

    def __init__(
        self,
        component: Component,
        state: StateDir,
        changed: Callable[[], None],
        policy: RestartPolicy | None = None,
    ) -> None:
        """Takes the description of the process and where its log goes."""
        super().__init__(component.name, component.needs, changed)
        self.component = component
        self._state = state
        self._policy = policy or RestartPolicy()
        self._process: RunningProcess | None = None
        self._ends: list[float] = []
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._on_purpose = False

    async def end(self) -> None:
        """Stops the process group and cleans up after it."""
        self._set(PartPhase.STOPPING)
        await self._end_task()
        await self._stop_process()
        await clean_up(self.component.name, self.component.after_stop)
        self._update(replace(self.status, phase=PartPhase.STOPPED, detail="", process=None))

    async def hold(self) -> None:
        """Stops the process and keeps it down until `resume`."""
        self._wanted.clear()
        if self._process is None:
            self._set(PartPhase.HELD)
        self._on_purpose = self._process is not None
        await self._stop_process()

    def resume(self) -> None:
        """Starts the process again after it was held or given up; nothing happens otherwise."""
        self._ends.clear()
        self._wanted.set()

    async def restart(self) -> None:
        """Stops the process in order; it is started again at once."""
        self.resume()
        self._on_purpose = self._process is not None
        await self._stop_process()

    def kill(self) -> None:
        """Kills the process group as a fault would; the restart policy takes over."""
        if self._process is not None:
            self._process.kill()

    def freeze(self) -> None:
        """Lets the process group stand still: it keeps its connections and answers nothing."""
        if self._process is not None:
            self._process.kill(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen process group go on."""
        if self._process is not None:
            self._process.kill(signal.SIGCONT)

    async def wait_ready(self) -> None:
        """Returns when the process is ready."""
        await self.ready.wait()

    def reconfigure(self, **variables: str) -> None:
        """Adds to the environment of the process from its next start on."""
        self.component = replace(self.component, env={**self.component.env, **variables})

    async def _carry(self, runners: Mapping[str, Runner]) -> None:
        while True:
            await self._wanted.wait()
            await self._needs_ready(runners)
            if not self._wanted.is_set():
                continue
            reason = await self._one_life()
            self._process = None
            self.ready.clear()
            await clean_up(self.component.name, self.component.after_stop)
            if self._on_purpose:
                self._on_purpose = False
                phase = PartPhase.RESTARTING if self._wanted.is_set() else PartPhase.HELD
                self._update(replace(self.status, phase=phase, detail="", process=None))
            else:
                await self._back_off(reason)

    async def _one_life(self) -> str:
        """Runs the process from its start to its end, and says why it ended."""
        self._set(PartPhase.STARTING)
        loop = asyncio.get_running_loop()
        started = loop.time()
        limit = self.component.ready_timeout.total_seconds()
        try:
            process = await self._start()
            async with asyncio.timeout(limit):
                await self._become_ready(process)
        except TimeoutError:
            await self._stop_process()
            return f"not ready after {limit:.0f} s"
        except (DevstackError, OSError) as error:
            await self._stop_process()
            return str(error)
        seconds = loop.time() - started
        self._update(replace(self.status, phase=PartPhase.READY, detail="", ready_after=seconds))
        await process.wait()
        if not self._on_purpose:
            # What it started would run beside the next one; dead and not reaped it would keep the
            # namespaces of a node from ending.
            await process.stop(signal.SIGKILL, timedelta())
        return process.status or "ended"

    async def _start(self) -> RunningProcess:
        if self.component.before_start is not None:
            await self.component.before_start()
        argv = self.component.argv
        process = RunningProcess(
            argv() if callable(argv) else argv,
            {**base_environment(), **self.component.env},
            self.component.cwd or self._state.root,
            self._state.log(self.component.name),
        )
        self._process = process
        self._update(replace(self.status, process=process.id))
        return process

    async def _become_ready(self, process: RunningProcess) -> None:
        """Returns when the process is ready.

        Raises:
            DevstackError: it ended before.
        """
        ready = asyncio.create_task(self._probe())
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                message = f"{process.status} before it was ready"
                if words := process.last_words:
                    message += f": {words}"
                raise DevstackError(message)
            await ready
        finally:
            ready.cancel()
            ended.cancel()

    async def _probe(self) -> None:
        if self.component.ready is not None:
            await wait_until_ready(self.component.ready)
        if self.component.after_ready is not None:
            await self.component.after_ready()

    async def _back_off(self, reason: str) -> None:
        now = asyncio.get_running_loop().time()
        self._ends.append(now)
        delay = self._policy.delay(self._ends, now)
        if delay is None:
            _LOG.error("%s keeps ending: %s", self.component.name, reason)
            self._wanted.clear()
            detail = f"keeps ending, given up: {reason}"
            self._update(replace(self.status, phase=PartPhase.FAILED, detail=detail, process=None))
            return
        _LOG.warning("%s ended: %s; starts again", self.component.name, reason)
        self._update(
            replace(
                self.status,
                phase=PartPhase.RESTARTING,
                detail=reason,
                process=None,
                restarts=self.status.restarts + 1,
            )
        )
        await asyncio.sleep(delay.total_seconds())

    async def _stop_process(self) -> None:
        process = self._process
        if process is not None:
            process.kill(signal.SIGCONT)  # a frozen one would not hear that it should end
            await process.stop(self.component.stop_signal, self.component.stop_timeout)
