"""Runs the parts of one stack: starts them in order, keeps them running, ends them in reverse."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from devstack.component import Component, Part
from devstack.component_runner import ComponentRunner
from devstack.context import StackContext
from devstack.control import Reply
from devstack.errors import DevstackError
from devstack.graph import dependents, ordered
from devstack.processes import boot_id, identify
from devstack.record import PartPhase, StackRecord
from devstack.runners import Runner, StepRunner

_LOG = logging.getLogger(__name__)


class Supervisor:
    """The live stack; every method belongs to the event loop that runs it."""

    def __init__(self, context: StackContext, pid: int) -> None:
        """Takes the stack it runs and the id of the process it runs in.

        Raises:
            ProcessLookupError: there is no such process.
        """
        own = identify(pid)
        if own is None:
            raise ProcessLookupError(pid)
        self.context = context
        self.done = asyncio.Event()
        self._own = own
        self._parts: list[Part] = []
        self._runners: dict[str, Runner] = {}
        self._environment: Mapping[str, str] = {}
        self._watchers: set[asyncio.Queue[str]] = set()

    @property
    def record(self) -> StackRecord:
        """The stack as it is now."""
        return StackRecord(
            name=self.context.name,
            profile=self.context.profile,
            platform=self.context.platform,
            boot=boot_id(),
            supervisor=self._own,
            parts={name: runner.status for name, runner in self._runners.items()},
            ports=self.context.ports.as_dict(),
            environment=dict(self._environment),
        )

    async def become(
        self, context: StackContext, parts: Sequence[Part], environment: Mapping[str, str]
    ) -> None:
        """Makes the stack consist of these parts: begins new ones, replaces changed ones.

        Parts that are the same go on undisturbed; parts no longer wanted are ended.
        """
        wanted = ordered(parts)
        names = {part.name for part in wanted}
        before = {part.name: part for part in self._parts}
        changed = [part for part in wanted if part.name in before]
        changed = [part for part in changed if _differs(part, before[part.name])]
        for part in changed:
            _LOG.info("%s has changed and starts again", part.name)
            await self._runners[part.name].end()
        await self._end([part for part in self._parts if part.name not in names])
        self.context, self._environment = context, environment
        self._parts = wanted
        anew = {part.name for part in changed} | (names - before.keys())
        kept = dict(self._runners)
        # The same mapping all along: runners look up their needs in it for as long as they live.
        self._runners.clear()
        for part in wanted:
            self._runners[part.name] = self._runner(part) if part.name in anew else kept[part.name]
        for name in anew:
            self._runners[name].begin(self._runners)
        self._changed("")

    async def stop(self) -> None:
        """Ends every part, each after all that need it, and forgets the record."""
        await self._end(self._parts)
        self.context.state.record.unlink(missing_ok=True)
        self.done.set()

    async def serve(self, request: Reply) -> AsyncIterator[Reply]:
        """Answers one request from the control socket."""
        verb, name = request.get("verb"), request.get("name")
        if verb == "status":
            yield self.record.to_json()
        elif verb == "watch":
            async for reply in self._watch():
                yield reply
        elif verb == "resume":
            self._resume()
            yield {}
        elif verb in {"restart", "kill", "stop", "start"}:
            await self._steer(str(verb), str(name))
            yield {}
        else:
            message = f"the supervisor does not know {verb!r}"
            raise DevstackError(message)

    async def _watch(self) -> AsyncIterator[Reply]:
        changes: asyncio.Queue[str] = asyncio.Queue()
        self._watchers.add(changes)
        try:
            yield {"record": self.record.to_json()}
            while True:
                name = await changes.get()
                if name in self._runners:
                    yield {"part": asdict(self._runners[name].status)}
                else:
                    yield {"record": self.record.to_json()}
        finally:
            self._watchers.discard(changes)

    def _resume(self) -> None:
        for runner in self._runners.values():
            if runner.status.phase in {PartPhase.FAILED, PartPhase.HELD}:
                runner.resume()

    def component(self, name: str) -> ComponentRunner:
        """The runner of a component.

        Raises:
            DevstackError: the stack has none of that name.
        """
        runner = self._runners.get(name)
        if not isinstance(runner, ComponentRunner):
            known = [key for key, one in self._runners.items() if isinstance(one, ComponentRunner)]
            message = f"the stack has no component {name!r}; it has {', '.join(sorted(known))}"
            raise DevstackError(message)
        return runner

    async def _steer(self, verb: str, name: str) -> None:
        runner = self.component(name)
        _LOG.info("%s %s on request", verb, name)
        if verb == "restart":
            await runner.restart()
        elif verb == "kill":
            runner.kill()
        elif verb == "stop":
            await runner.hold()
        else:
            runner.resume()

    def _runner(self, part: Part) -> Runner:
        def changed() -> None:
            self._changed(part.name)

        if isinstance(part, Component):
            return ComponentRunner(part, self.context.state, changed)
        return StepRunner(part, changed)

    def _changed(self, name: str) -> None:
        if not self.done.is_set():
            self.record.write(self.context.state.record)
        for watcher in self._watchers:
            watcher.put_nowait(name)

    async def _end(self, parts: Sequence[Part]) -> None:
        waits = dependents(self._parts)
        ended = {part.name: asyncio.Event() for part in parts}

        async def end(name: str) -> None:
            for dependent in waits[name]:
                if dependent in ended:
                    await ended[dependent].wait()
            try:
                await self._runners[name].end()
            finally:
                ended[name].set()

        results = await asyncio.gather(*(end(name) for name in ended), return_exceptions=True)
        for part, result in zip(parts, results, strict=True):
            if isinstance(result, BaseException):
                _LOG.error("%s did not end in order", part.name, exc_info=result)


def _differs(new: Part, old: Part) -> bool:
    return _identity(new) != _identity(old)


def _identity(part: Part) -> tuple[Any, ...]:
    """What makes a running part a different one; work that is only named is taken as equal."""
    if not isinstance(part, Component):
        return (part.name,)
    argv = () if callable(part.argv) else tuple(part.argv)
    return (part.name, argv, dict(part.env), part.cwd)
