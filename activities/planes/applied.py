"""Remembers what was applied, so that what is still so is not applied again.

Applying equal content to an object nobody has changed since changes nothing. Whether somebody has
is told by a shared watch: the object is still at the version that the apply answered. Whatever is
not known here is applied, so a new process, a lost watch or a changed object cost one request and
never an omission. (docs/decisions/0009)
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, TypeAlias

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.shared import SharedWatch, SharedWatches
from clients.kubernetes.watch import Object, resource_version
from domain import ids
from domain.rendering.labels import MANAGED_BY

_REMEMBERED = 20_000
_QUIET = {
    "Namespace": Kind("v1", "Namespace", "namespaces", namespaced=False),
    "NetworkPolicy": Kind(
        "networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", namespaced=True
    ),
    "ServiceAccount": Kind("v1", "ServiceAccount", "serviceaccounts", namespaced=True),
    "Service": Kind("v1", "Service", "services", namespaced=True),
}
"""Kinds that nothing but a change of what is wanted gives a new version; those with a busy status
would never be found unchanged."""
_OURS = f"{MANAGED_BY}={ids.FIELD_MANAGER}"

Key: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an apply answered."""

    content: str
    """Hash of what was applied."""
    version: str
    live: Object | None
    """The object, where its readiness is waited for next."""


class AppliedObjects:
    """Applies objects to one plane and remembers the answers."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._watches = watches
        self._answers: OrderedDict[Key, _Answer] = OrderedDict()

    async def apply(self, obj: dict[str, Any], *, force: bool) -> None:
        """Makes an object so, without a request when it is known to be so.

        Idempotent: server-side apply.

        Raises:
            FieldConflict: Another manager owns fields.
        """
        content = ids.content_hash(obj)
        if await self._is_so(obj, content):
            return
        live = await self._cluster.apply(obj, force=force)
        live["metadata"].pop("managedFields", None)
        key = _key(obj)
        self._answers.pop(key, None)
        kept = None if obj["kind"] in _QUIET else live
        self._answers[key] = _Answer(content, resource_version(live), kept)
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)

    async def live(self, obj: dict[str, Any], kind: Kind) -> Object:
        """Returns an applied object as it is now, or as it was right after its apply here.

        That answer is given once; the watch knows what became of it later.
        """
        answer = self._answers.pop(_key(obj), None)
        if answer is not None and answer.live and answer.content == ids.content_hash(obj):
            return answer.live
        meta = obj["metadata"]
        return await self._cluster.get(kind, meta["name"], meta.get("namespace", ""))

    async def namespace(self, name: str) -> Object | None:
        """Returns a namespace that Pavane made, as the watch shows it; None = ask the server."""
        return (await self._watch("Namespace")).store.get(("", name))

    async def _is_so(self, obj: dict[str, Any], content: str) -> bool:
        answer = self._answers.get(_key(obj))
        if answer is None or answer.content != content or obj["kind"] not in _QUIET:
            return False
        meta = obj["metadata"]
        watch = await self._watch(obj["kind"])
        seen = watch.store.get((meta.get("namespace", ""), meta["name"]))
        return seen is not None and resource_version(seen) == answer.version

    async def _watch(self, kind: str) -> SharedWatch:
        watch = self._watches.of(_QUIET[kind], labels=_OURS)
        await watch.synced()
        return watch


def _key(obj: dict[str, Any]) -> Key:
    meta = obj["metadata"]
    return obj["kind"], meta.get("namespace", ""), meta["name"]
