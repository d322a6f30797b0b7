"""Looks at the objects of a component, once or after each change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sse_starlette import ServerSentEvent
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError

from api.kinds import kind_of
from api.schemas.trees import TreeView
from api.serving.problems import from_temporal
from clients.kubernetes import SharedWatches, WatchEvent
from domain.deliveries.trees import ComponentTree, TreeRequest
from domain.errors import DependencyUnavailable, Errored, PlatformError
from domain.resources import Component
from domain.resources.families import family_of
from runtime.errors import as_domain_error
from workflows.looks.starting import look_at_tree

_RECONNECT_MILLISECONDS = 1000
_NOTHING_SECONDS = 50.0
_ANSWER_SECONDS = 20.0
"""Less than the command line waits for an answer."""


async def look(client: Client, request: TreeRequest, bound: str = "") -> ComponentTree:
    """Returns the tree as it is, or once it is another than the request knows.

    Args:
        client: Temporal.
        request: What is looked at.
        bound: What the binding says: looks at something else are not shared.

    Raises:
        DependencyUnavailable: The worker of the plane does not answer.
        PlatformError: The place cannot be looked at; says why.
    """
    limit = _ANSWER_SECONDS + (request.patience_seconds if request.known else 0)
    try:
        async with asyncio.timeout(limit):
            return await look_at_tree(client, request, bound)
    except TimeoutError:
        raise DependencyUnavailable(
            f"nobody looked at {request.component} in {request.environment} within {limit:.0f} s: "
            "see with `pavane get dataplanes` whether its plane is connected"
        ) from None
    except WorkflowFailureError as failure:
        error = as_domain_error(failure)
        if type(error) is Errored:
            raise DependencyUnavailable(error.message) from failure
        raise error from failure


@dataclass(frozen=True)
class Place:
    """A component in an environment."""

    organization: str
    component: Component
    environment: str

    def request(self, known: str = "") -> TreeRequest:
        """Returns the order for a look."""
        return TreeRequest(
            organization=self.organization,
            component=self.component.name,
            environment=self.environment,
            known=known,
        )

    def is_bound_by(self, obj: Mapping[str, Any]) -> bool:
        """Tells whether a binding is that of the place."""
        spec = obj.get("spec", {})
        bound = (spec.get("componentRef"), spec.get("environmentRef"))
        return bound == (self.component.name, self.environment)


async def follow(
    client: Client, watches: SharedWatches, place: Place
) -> AsyncGenerator[ServerSentEvent, None]:
    """Yields the tree, and again whenever it is another one.

    Changes on the plane end the look that waits there; another release, which the plane does not
    know of, is told by the binding.

    Raises:
        PlatformError: The first look failed. A later failure is told as event ``fault``.
    """
    bindings = watches.of(kind_of(family_of(place.component).binding), place.organization)
    known: ComponentTree | None = None
    async with bindings.subscribe(place.is_bound_by) as events:
        bound = _Bound(events)
        try:
            while True:
                tree = await _next(client, place, bound, known)
                if tree != known:
                    view = TreeView.of(tree).model_dump_json(by_alias=True)
                    yield ServerSentEvent(view, event="tree", retry=_RECONNECT_MILLISECONDS)
                known = tree
        except (RPCError, PlatformError) as error:
            failure = from_temporal(error) if isinstance(error, RPCError) else error
            if known is None:
                raise failure from error
            yield ServerSentEvent(failure.message, event="fault", retry=_RECONNECT_MILLISECONDS)
        finally:
            await bound.close()


class _Bound:
    """What the binding of a place says, and the wait until it says something else."""

    def __init__(self, events: AsyncIterator[WatchEvent]) -> None:
        self.said = ""
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read(events), name="binding of a tree")

    async def _read(self, events: AsyncIterator[WatchEvent]) -> None:
        async for event in events:
            status = event.object.get("status") or {}
            said = f"{event.type == 'DELETED'} {status.get('releaseRef', '')}"
            if said != self.said:
                self.said = said
                self._changed.set()

    async def changed(self) -> None:
        """Returns when it says something else than before."""
        await self._changed.wait()

    def heard(self) -> None:
        """Notes that what it says now is known."""
        self._changed.clear()

    async def close(self) -> None:
        """Ends the wait."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def _next(
    client: Client, place: Place, bound: _Bound, known: ComponentTree | None
) -> ComponentTree:
    """Returns the tree after the next change of it or of the binding, or after a while."""
    if known is not None and not known.hash:
        # Nothing runs there, so no plane would keep the look until something does.
        with suppress(TimeoutError):
            async with asyncio.timeout(_NOTHING_SECONDS):
                await bound.changed()
        bound.heard()
        return await look(client, place.request(), bound.said)
    while True:
        bound.heard()  # before the look: what is said meanwhile is for the next one
        request = place.request(known.hash if known else "")
        coming = asyncio.ensure_future(look(client, request, bound.said))
        turn = asyncio.ensure_future(bound.changed())
        try:
            await asyncio.wait({coming, turn}, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
        finally:
            for one in (coming, turn):
                one.cancel()
            await asyncio.gather(coming, turn, return_exceptions=True)
