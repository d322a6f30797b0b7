"""What there is on a cluster: version, kinds of its API, storage. Three requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind

_STORAGE = Kind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_MOST_CLASSES = 50


class Discovered(BaseModel):
    """What was found. Versions are those of the API, as ``v1``; empty = it is not there."""

    model_config = ConfigDict(frozen=True)

    kubernetes_version: str
    groups: dict[str, str]
    """API group -> preferred version."""
    storage_classes: tuple[str, ...]
    """The default one first."""


async def discover(cluster: Cluster) -> Discovered:
    """Looks anew at each call; nothing is remembered."""
    session = cluster.session
    version = await session.json("GET", "/version", what="version of the API server")
    listed = await session.json("GET", "/apis", what="groups of the API")
    classes = await cluster.list(_STORAGE)
    names = sorted(classes.items, key=lambda one: (not _is_default(one), one["metadata"]["name"]))
    return Discovered(
        kubernetes_version=str(version.get("gitVersion", "")),
        groups={
            str(one["name"]): str(one["preferredVersion"]["version"])
            for one in listed.get("groups") or ()
        },
        storage_classes=tuple(one["metadata"]["name"] for one in names[:_MOST_CLASSES]),
    )


def _is_default(storage_class: Mapping[str, Any]) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return annotations.get(_DEFAULT) == "true"
