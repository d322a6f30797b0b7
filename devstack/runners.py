"""Carries one part of the stack from waiting to ready, keeps it there, and ends it."""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace

from devstack.component import Hook, Step
from devstack.errors import DevstackError
from devstack.record import PartPhase, PartStatus

_LOG = logging.getLogger(__name__)
_LOOK_AGAIN = 1.0


class Runner(ABC):
    """What the supervisor knows of a part: its status, whether it is ready, how to end it."""

    kind: str

    def __init__(self, name: str, needs: tuple[str, ...], changed: Callable[[], None]) -> None:
        """Calls `changed` after every change of the status."""
        self.needs = needs
        self.status = PartStatus(name, self.kind)
        self.ready = asyncio.Event()
        self._changed = changed
        self._task: asyncio.Task[None] | None = None

    def begin(self, runners: Mapping[str, "Runner"]) -> None:
        """Starts to carry the part; returns at once."""
        self._task = asyncio.create_task(self._carry(runners), name=self.status.name)

    @abstractmethod
    async def end(self) -> None:
        """Ends the part and undoes what it did; returns when nothing of it is left."""

    @abstractmethod
    def resume(self) -> None:
        """Tries again after the part was given up."""

    @abstractmethod
    async def _carry(self, runners: Mapping[str, "Runner"]) -> None: ...

    async def _needs_ready(self, runners: Mapping[str, "Runner"]) -> None:
        for name in self.needs:
            while not runners[name].ready.is_set():
                self._set(PartPhase.WAITING, f"for {name}")
                # Asked again by name: growing the stack may put another runner in its place.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(runners[name].ready.wait(), _LOOK_AGAIN)

    def _set(self, phase: PartPhase, detail: str = "") -> None:
        self._update(replace(self.status, phase=phase, detail=detail))

    def _update(self, status: PartStatus) -> None:
        self.status = status
        phase = status.phase
        if phase is PartPhase.READY:
            self.ready.set()
        else:
            self.ready.clear()
        self._changed()

    async def _end_task(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None


class StepRunner(Runner):
    """Does one-shot work, some times again when it fails."""

    kind = "step"

    def __init__(self, step: Step, changed: Callable[[], None]) -> None:
        """Takes the description of the work."""
        super().__init__(step.name, step.needs, changed)
        self.step = step
        self._again = asyncio.Event()

    def resume(self) -> None:
        """Tries again after the step failed for good."""
        self._again.set()

    async def end(self) -> None:
        """Stops the work if it still runs, and undoes it."""
        await self._end_task()
        self._set(PartPhase.STOPPING)
        await clean_up(self.step.name, self.step.undo)
        self._set(PartPhase.STOPPED)

    async def _carry(self, runners: Mapping[str, Runner]) -> None:
        while True:
            await self._needs_ready(runners)
            if await self._attempts():
                return
            self._again.clear()
            await self._again.wait()

    async def _attempts(self) -> bool:
        loop = asyncio.get_running_loop()
        reason: str | None = None
        for attempt in range(1, self.step.attempts + 1):
            started = loop.time()
            self._set(PartPhase.STARTING, f"attempt {attempt}" if attempt > 1 else "")
            reason = await outcome(self.step.run, self.step.timeout.total_seconds())
            if reason is None:
                seconds = loop.time() - started
                ready = replace(self.status, phase=PartPhase.READY, detail="", ready_after=seconds)
                self._update(ready)
                return True
            _LOG.warning("%s failed, attempt %d: %s", self.step.name, attempt, reason)
            if attempt < self.step.attempts:
                await asyncio.sleep(0.5 * attempt)
        self._set(PartPhase.FAILED, reason or "")
        return False


async def outcome(work: Hook, seconds: float) -> str | None:
    """Does the work; None when it succeeded, else why not."""
    try:
        async with asyncio.timeout(seconds):
            await work()
    except TimeoutError:
        return f"not done after {seconds:.0f} s"
    except (DevstackError, OSError) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a bug in one part must not end all the others
        _LOG.exception("a step failed in a way it should not")
        return _words(error)
    return None


def _words(error: BaseException) -> str:
    """What went wrong, said by the errors inside when work was done side by side."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_words(inner) for inner in error.exceptions)
    return str(error) if isinstance(error, DevstackError) else f"{type(error).__name__}: {error}"


async def clean_up(name: str, work: Hook | None) -> None:
    """Cleans up after a part; a failure is told and does not stop the rest from being cleaned."""
    if work is None:
        return
    if reason := await outcome(work, seconds=30):
        _LOG.error("%s was not cleaned up: %s", name, reason)
