"""The log of a component: read by the worker of its plane, passed on from the object store.

The API reaches no pods (docs/decisions/0042). Each look copies what there is; who follows begins
the next look at the line where the last one ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError

from api.serving.problems import from_temporal
from api.serving.streams import until
from clients.kubernetes import lines
from clients.objects import ObjectStore, tail
from domain import ids
from domain.deliveries.logs import NO_PODS, LogRequest
from domain.errors import DependencyUnavailable, Errored, NotFound, PlatformError
from domain.policies.log_lines import LONGEST_LINE, LogLine
from runtime.errors import as_domain_error
from workflows.looks.logs import LogsWorkflow
from workflows.looks.starting import begin_log, end_log

_ANSWER_SECONDS = 20.0
"""Less than the command line waits for an answer."""
_LOOK_SECONDS = 0.1
"""Between two looks into the store while somebody waits for an answer."""
_FOLLOW_SECONDS = 0.5
_MOST_SEEN = 300
"""Containers of which it is remembered where they ended."""
_ENDING: set[asyncio.Task[None]] = set()
"""What tells looks that their reader left, also when the reader was cancelled."""


class ComponentLog:
    """Reads the log of one component in one environment."""

    def __init__(self, client: Client, objects: ObjectStore, request: LogRequest) -> None:
        """``request`` says what is asked for; its ``look`` is replaced for each look."""
        self._client = client
        self._objects = objects
        self._request = request
        self._seen: dict[str, str] = {}

    async def now(self) -> AsyncGenerator[bytes, None]:
        """Yields what has been written so far, pod after pod.

        Raises:
            NotFound: There are no pods.
            DependencyUnavailable: The worker of the plane does not answer.
        """
        look = await self._begin(follow=False)
        try:
            async with aclosing(self._lines(look, _LOOK_SECONDS)) as found:
                try:
                    async with asyncio.timeout(_ANSWER_SECONDS):
                        first = await anext(found, None)
                except TimeoutError:
                    raise self._silent() from None
                if first is not None:
                    yield first
                async for line in found:
                    yield line
        finally:
            _leave(look)

    async def follow(self) -> AsyncGenerator[bytes, None]:
        """Yields what has been written so far and what is written from now on, by later pods too.

        An empty part comes when all that was there has been told, so that a reader of a silent log
        knows that it is read. A failure after that is told as the last line.

        Raises:
            PlatformError: What is there already cannot be read; says why.
        """
        try:
            async with aclosing(self.now()) as found:
                async for line in found:
                    yield line
        except NotFound as nothing:
            if nothing.facts.get("reason") != NO_PODS:
                raise
        yield b""
        while True:
            try:
                look = await self._begin(follow=True)
                try:
                    async with aclosing(self._lines(look, _FOLLOW_SECONDS)) as found:
                        async for line in found:
                            yield line
                finally:
                    _leave(look)
            except PlatformError as error:
                yield f"-- the log ends here: {error.message}\n".encode()
                return

    async def _begin(self, *, follow: bool) -> _Look:
        request = self._request.model_copy(
            update={"look": uuid4().hex, "follow": follow, "seen": dict(self._seen)}
        )
        try:
            return _Look(await begin_log(self._client, request), request)
        except RPCError as error:
            raise from_temporal(error) from error

    async def _lines(self, look: _Look, every: float) -> AsyncGenerator[bytes, None]:
        """Yields the lines of a copy until it is complete, or its look is over."""
        key = ids.log_copy_key(look.request.organization, look.request.look)
        parts = until(tail(self._objects, key, follow=True, every=every), look.over)
        async with aclosing(parts), aclosing(lines(parts, longest=LONGEST_LINE)) as found:
            async for content in found:
                line = LogLine.parse(content)
                if line.time:
                    self._remember(line)
                yield line.shown()
        look.check()

    def _remember(self, line: LogLine) -> None:
        self._seen.pop(line.source, None)
        self._seen[line.source] = line.time
        if len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]

    def _silent(self) -> PlatformError:
        request = self._request
        return DependencyUnavailable(
            f"nobody read the logs of {request.component} in {request.environment} within "
            f"{_ANSWER_SECONDS:.0f} s: see with `pavane get dataplanes` whether its plane is "
            "connected"
        )


class _Look:
    """A look that was begun, and its end."""

    def __init__(self, handle: WorkflowHandle[LogsWorkflow, None], request: LogRequest) -> None:
        self.handle = handle
        self.request = request
        self.over = asyncio.Event()
        """Set when nothing comes any more."""
        self.copied = asyncio.create_task(handle.result(), name=f"end of {handle.id}")
        self.copied.add_done_callback(lambda _: self.over.set())

    def check(self) -> None:
        """Raises what the look failed with.

        Raises:
            PlatformError: It failed.
        """
        if not self.copied.done() or self.copied.cancelled():
            return
        failure = self.copied.exception()
        if failure is None:
            return
        if isinstance(failure, RPCError):
            raise from_temporal(failure) from failure
        if not isinstance(failure, WorkflowFailureError):
            raise failure
        error = as_domain_error(failure)
        if type(error) is Errored:
            raise DependencyUnavailable(error.message) from failure
        raise error from failure


def _leave(look: _Look) -> None:
    """Tells a look that its reader is gone. One that is not told ends by itself after a while."""

    async def leave() -> None:
        look.copied.cancel()
        await asyncio.gather(look.copied, return_exceptions=True)
        with suppress(RPCError):  # it is over already
            await end_log(look.handle)

    task = asyncio.create_task(leave(), name=f"leave {look.handle.id}")
    _ENDING.add(task)
    task.add_done_callback(_ENDING.discard)
