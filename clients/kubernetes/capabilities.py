"""What there is on a cluster: version, kinds of its API, storage, and what its gateways can do.

Three requests; with the Gateway API one more for each of its versions, one for its classes and one
for each group of kinds by which a gateway does more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.session import Session

_STORAGE = Kind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_MOST_CLASSES = 50
_GATEWAY_API = "gateway.networking.k8s.io"
_GATEWAY_CLASS = "GatewayClass"
_EXTENSIONS = {
    "gateway.envoyproxy.io": ("BackendTrafficPolicy", "SecurityPolicy"),
    "traefik.io": ("Middleware",),
}
"""Kinds by which a gateway does what the Gateway API has no words for, by group."""
_ROUTES = ("Route", "ListenerSet")
"""What kinds of routes, and of listeners that a route brings along, end in."""


class Gateways(BaseModel):
    """What there is of the Gateway API."""

    model_config = ConfigDict(frozen=True)

    route_kinds: tuple[str, ...] = ()
    """Kinds of routes and their listeners with the best version of each, as ``HTTPRoute/v1``."""
    features: tuple[str, ...] = ()
    """What every class says that it can do; sorted. Empty = one does not say, or there is none."""
    controllers: tuple[str, ...] = ()
    """What serves the classes; sorted."""
    extensions: tuple[str, ...] = ()
    """Kinds by which gateways do more, as ``Middleware.traefik.io/v1alpha1``; sorted."""


class Discovered(BaseModel):
    """What was found. Versions are those of the API, as ``v1``; empty = it is not there."""

    model_config = ConfigDict(frozen=True)

    kubernetes_version: str
    groups: dict[str, str]
    """API group -> preferred version."""
    storage_classes: tuple[str, ...]
    """The default one first."""
    gateways: Gateways = Gateways()


async def discover(cluster: Cluster) -> Discovered:
    """Looks anew at each call; nothing is remembered."""
    session = cluster.session
    version = await session.json("GET", "/version", what="version of the API server")
    listed = await session.json("GET", "/apis", what="groups of the API")
    classes = await cluster.list(_STORAGE)
    names = sorted(classes.items, key=lambda one: (not _is_default(one), one["metadata"]["name"]))
    groups = {str(one["name"]): one for one in listed.get("groups") or ()}
    return Discovered(
        kubernetes_version=str(version.get("gitVersion", "")),
        groups={name: str(one["preferredVersion"]["version"]) for name, one in groups.items()},
        storage_classes=tuple(one["metadata"]["name"] for one in names[:_MOST_CLASSES]),
        gateways=await _gateways(cluster, groups),
    )


async def _gateways(cluster: Cluster, groups: Mapping[str, Mapping[str, Any]]) -> Gateways:
    group = groups.get(_GATEWAY_API)
    if group is None:
        return Gateways()
    versions = [str(one["version"]) for one in group["versions"]]
    kinds = await _kinds(cluster.session, _GATEWAY_API, versions)
    routes = tuple(
        sorted(f"{kind}/{version}" for kind, version in kinds.items() if kind.endswith(_ROUTES))
    )
    if _GATEWAY_CLASS not in kinds:
        return Gateways(route_kinds=routes)
    api_version = f"{_GATEWAY_API}/{kinds[_GATEWAY_CLASS]}"
    classes = await cluster.list(
        Kind(api_version, _GATEWAY_CLASS, "gatewayclasses", namespaced=False)
    )
    return Gateways(
        route_kinds=routes,
        features=tuple(sorted(_common_features(classes.items))),
        controllers=tuple(sorted({str(one["spec"]["controllerName"]) for one in classes.items})),
        extensions=tuple(sorted(await _extensions(cluster.session, groups))),
    )


async def _extensions(session: Session, groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = []
    for group in _EXTENSIONS.keys() & groups.keys():
        version = str(groups[group]["preferredVersion"]["version"])
        there = await _kinds(session, group, [version])
        found += [f"{one}.{group}/{version}" for one in _EXTENSIONS[group] if one in there]
    return found


async def _kinds(session: Session, group: str, versions: Iterable[str]) -> dict[str, str]:
    """Returns kind -> the first of these versions that has it, which is the best one."""
    found: dict[str, str] = {}
    for version in versions:
        path = f"/apis/{group}/{version}"
        answer = await session.json("GET", path, what=f"kinds of {group}/{version}")
        for one in answer.get("resources") or ():
            found.setdefault(str(one["kind"]), version)
    return found


def _common_features(classes: Iterable[Mapping[str, Any]]) -> set[str]:
    """Only what every class can do counts: a route does not tell which one will serve it."""
    told = [
        {
            str(each["name"] if isinstance(each, Mapping) else each)
            for each in (one.get("status") or {}).get("supportedFeatures") or ()
        }
        for one in classes
    ]
    return set.intersection(*told) if told else set()


def _is_default(storage_class: Mapping[str, Any]) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return annotations.get(_DEFAULT) == "true"
