"""When something was seen to be so: marks of objects, with the time of their first sight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

from benchmarks.tenant import VARIABLE
from clients.kubernetes import Object, SharedWatch
from clients.kubernetes.watch import DELETED

Marks = Callable[[Object], Hashable | None]
"""Tells what an object's state shows, such as (name, value); None = nothing of interest."""


_UNDECIDED = {"Deploying", "Pending", "Waiting", "ReferenceMissing", "WaitingForArtifact"}


class NotMeasured(Exception):
    """Something did not get where it should; the message says what was waited for."""


class Sightings:
    """Remembers when each mark was seen first."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._first: dict[Hashable, float] = {}
        self._arrived = asyncio.Condition()

    async def see(self, obj: Object) -> None:
        """Takes a state of an object."""
        mark = self._marks(obj)
        if mark is None or mark in self._first:
            return
        self._first[mark] = time.perf_counter()
        async with self._arrived:
            self._arrived.notify_all()

    def at(self, mark: Hashable) -> float:
        """Returns when a mark that was waited for was seen first."""
        return self._first[mark]

    async def all_of(self, marks: Iterable[Hashable], what: str, patience: float) -> None:
        """Returns when all marks were seen.

        Raises:
            NotMeasured: They were not, in ``patience`` seconds.
        """
        wanted = set(marks)
        try:
            async with asyncio.timeout(patience), self._arrived:
                await self._arrived.wait_for(lambda: wanted <= self._first.keys())
        except TimeoutError:
            missing = [mark for mark in wanted if mark not in self._first]
            message = f"waited {patience:.0f} s in vain for {len(missing)} of {len(wanted)} {what}"
            raise NotMeasured(f"{message}, such as {missing[0]}") from None


@asynccontextmanager
async def sightings(watch: SharedWatch, marks: Marks) -> AsyncIterator[Sightings]:
    """Looks at all objects of a watch while the block lasts."""
    seen = Sightings(marks)
    await watch.synced()
    async with watch.subscribe() as events:

        async def take() -> None:
            async for event in events:
                if event.type != DELETED:
                    await seen.see(event.object)

        task = asyncio.create_task(take())
        try:
            yield seen
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def value_of(deployment: Object) -> tuple[str, str]:
    """Returns name and value of the variable in a Deployment; empty = it has none."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    variables = [one for container in containers for one in container.get("env") or []]
    values = [str(one.get("value", "")) for one in variables if one["name"] == VARIABLE]
    return deployment["metadata"]["name"], values[0] if values else ""


def ready_generation(binding: Object) -> tuple[str, int] | None:
    """Returns name and generation of a binding that is Ready, None when it is not."""
    ready = _ready(binding)
    if ready.get("status") != "True":
        return None
    return binding["metadata"]["name"], int(ready.get("observedGeneration", 0))


def failed_generation(binding: Object) -> tuple[str, int] | None:
    """Returns name and generation of a binding whose deployment failed, None when it did not."""
    ready = _ready(binding)
    if ready.get("status") != "False" or ready.get("reason") in _UNDECIDED:
        return None
    return binding["metadata"]["name"], int(ready.get("observedGeneration", 0))


def _ready(binding: Object) -> dict[str, Any]:
    conditions = binding.get("status", {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == "Ready"), {})
