"""Kinds of an API server and the paths of their objects."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from clients.kubernetes.session import Session
from domain.errors import NotFound


@dataclass(frozen=True)
class Kind:
    """What a path to an object is made of."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def group_path(self) -> str:
        """Path of the API group and version."""
        return group_path(self.api_version)

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Returns the path of the collection, of an object or of a part of an object.

        An empty namespace means all namespaces for a collection.
        """
        parts = [self.group_path]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)

    def describe(self, name: str = "", namespace: str = "") -> str:
        """Names an object, or all of this kind, for messages."""
        subject = f"{self.kind} {name}".rstrip()
        return f"{subject} in {namespace}" if namespace and self.namespaced else subject


def group_path(api_version: str) -> str:
    """Returns the path of an API group and version."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


class Kinds:
    """Asks the API server once what kinds it has; a missing one is looked for again."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, str], Kind] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def find(self, api_version: str, kind: str) -> Kind:
        """Returns the kind.

        Raises:
            NotFound: The API server does not have it (a CRD may be missing).
        """
        key = (api_version, kind)
        if key not in self._known:
            async with self._locks[api_version]:
                if key not in self._known:
                    await self._discover(api_version)
        found = self._known.get(key)
        if found is None:
            raise NotFound(f"kind {kind} of {api_version}: the API server does not have it")
        return found

    async def _discover(self, api_version: str) -> None:
        answer = await self._session.json(
            "GET", group_path(api_version), what=f"kinds of {api_version}"
        )
        resources: list[dict[str, Any]] = answer.get("resources") or []
        for resource in resources:
            if "/" not in resource["name"]:
                self._known[api_version, resource["kind"]] = Kind(
                    api_version, resource["kind"], resource["name"], resource["namespaced"]
                )
