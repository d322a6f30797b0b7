"""The log of a build: found by its Build resource, read from the object store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from api.kinds import kind_of
from api.services import Services
from api.serving.streams import until
from api.views.components import all_of
from clients.objects import tail
from domain import ids
from domain.errors import InvalidRequest, NotFound
from domain.resources import Build, parse_as

_GRACE_SECONDS = 5.0
_SHORTEST = 7


class BuildLog:
    """The log of the build of one commit of a component."""

    def __init__(self, services: Services, organization: str, component: str, commit: str) -> None:
        if len(commit) < _SHORTEST:
            raise InvalidRequest(f"{commit!r} is too short for a commit: give {_SHORTEST} at least")
        self._services = services
        self._organization = organization
        self._component = component
        self._commit = commit

    async def now(self) -> AsyncGenerator[bytes, None]:
        """Yields what has been archived so far.

        Raises:
            NotFound: There is no such build, or it has not written anything yet.
        """
        builds = await all_of(await self._services.cluster(), Build, self._organization)
        key = next((build.status.log for build in builds if self._is_meant(build)), "")
        if not key:
            raise NotFound(f"there is no log of {self._component} at {self._commit}")
        async for part in tail(self._services.objects(), key):
            yield part

    async def follow(self) -> AsyncGenerator[bytes, None]:
        """Yields until the log is complete, or the build is over and nothing came any more.

        A worker that was killed may never finish its log; its readers must not wait for ever.
        """
        async with self._end() as over:
            stops = (over, self._services.stopping)
            async for part in until(self._parts(), *stops):
                yield part

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        key = await self._key()
        async for part in tail(self._services.objects(), key, follow=True):
            yield part

    async def _key(self) -> str:
        """Waits until the build says where its log is."""
        watch = (await self._services.watches()).of(kind_of(Build), self._organization)
        async with watch.subscribe(self._concerns) as events:
            async for event in events:
                build = parse_as(Build, event.object)
                if self._is_meant(build) and build.status.log:
                    return build.status.log
        raise NotFound(f"there is no log of {self._component} at {self._commit}")

    def _concerns(self, obj: Mapping[str, Any]) -> bool:
        return bool(obj.get("spec", {}).get("componentRef") == self._component)

    def _is_meant(self, build: Build) -> bool:
        commit = build.status.commit or build.revision
        return build.component == self._component and commit.startswith(self._commit)

    @asynccontextmanager
    async def _end(self) -> AsyncGenerator[asyncio.Event, None]:
        """Gives an event that is set a moment after the build ended.

        Raises:
            RPCError: NOT_FOUND when there was no such build.
        """
        client = await self._services.temporal()
        operation = ids.parse(f"build/{self._organization}/{self._component}/{self._commit[:12]}")
        handle = client.get_workflow_handle(str(operation))
        await handle.describe()
        over = asyncio.Event()

        async def wait() -> None:
            with suppress(WorkflowFailureError, RPCError):
                await handle.result()
            await asyncio.sleep(_GRACE_SECONDS)
            over.set()

        waiting = asyncio.create_task(wait(), name=f"end of {operation}")
        try:
            yield over
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
