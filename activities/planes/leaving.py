"""Waits until pods that were told to end are gone, by the events of their plane."""

from __future__ import annotations

from datetime import timedelta

from activities.common.kinds import PODS
from activities.common.observation import changes
from clients.kubernetes.shared import SharedWatches
from clients.kubernetes.watch import Object
from domain.rendering import labels as names

_LOOK_AGAIN = timedelta(minutes=1)


async def gone(watches: SharedWatches, namespace: str, components: frozenset[str]) -> None:
    """Returns when no pod of these components is about to end any more."""

    def is_theirs(obj: Object) -> bool:
        meta = obj["metadata"]
        owner = (meta.get("labels") or {}).get(names.COMPONENT)
        return meta.get("namespace") == namespace and owner in components

    watch = watches.of(PODS, labels=names.COMPONENT)
    async with changes([watch], is_theirs) as seen:
        # The store and not what was seen: of that nothing may have arrived yet.
        while any(
            "deletionTimestamp" in one["metadata"] for one in watch.store.values() if is_theirs(one)
        ):
            await seen.wait(_LOOK_AGAIN)
