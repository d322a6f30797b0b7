"""Faults inside the cluster: quota, nodes, pods, Argo Workflows. Made through the API server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from devstack.errors import DevstackError
from devstack.faults.model import Fault, World
from devstack.services.cluster import client

_QUOTA = "pavane-fault"
_NODES = "/api/v1/nodes"
_MERGE = {"Content-Type": "application/merge-patch+json"}
_GONE = {httpx.codes.OK, httpx.codes.ACCEPTED, httpx.codes.NOT_FOUND, httpx.codes.CONFLICT}


def faults() -> list[Fault]:
    """Every fault of the family."""
    namespace = "a namespace of the cluster"
    return [
        Fault(
            name="quota-exhausted",
            family="cluster",
            breaks="a ResourceQuota lets no further pod into the namespace",
            undone="the ResourceQuota is deleted",
            begin=_no_pods,
            end=_pods_again,
            target=namespace,
            outlives=True,
        ),
        Fault(
            name="node-unschedulable",
            family="cluster",
            breaks="all nodes are cordoned: running pods go on, new ones find no place",
            undone="the nodes are uncordoned",
            begin=_cordon,
            end=_uncordon,
            profile="full",
            outlives=True,
        ),
        Fault(
            name="pods-evicted",
            family="cluster",
            breaks="every pod of the namespace is evicted",
            undone="their controllers make new ones",
            begin=_evict,
            profile="full",
            target=namespace,
        ),
        Fault(
            name="argo-workflow-deleted",
            family="cluster",
            breaks="every Argo Workflow of the namespace is deleted, as by hand",
            undone="nothing is left to undo",
            begin=_delete_workflows,
            profile="full",
            target=namespace,
        ),
    ]


@asynccontextmanager
async def _api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with client(world.context) as api:
        try:
            yield api
        except httpx.TransportError as error:
            message = f"the API server does not answer: {str(error) or type(error).__name__}"
            raise DevstackError(message) from error


async def _no_pods(world: World, namespace: str) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": _QUOTA},
        "spec": {"hard": {"pods": "0"}},
    }
    async with _api(world) as api:
        answer = await api.post(f"/api/v1/namespaces/{namespace}/resourcequotas", json=quota)
        _check(answer, {httpx.codes.CREATED, httpx.codes.CONFLICT})


async def _pods_again(world: World, namespace: str) -> None:
    async with _api(world) as api:
        answer = await api.delete(f"/api/v1/namespaces/{namespace}/resourcequotas/{_QUOTA}")
        _check(answer, _GONE)


async def _cordon(world: World, _: str) -> None:
    await _schedule(world, unschedulable=True)


async def _uncordon(world: World, _: str) -> None:
    await _schedule(world, unschedulable=False)


async def _schedule(world: World, *, unschedulable: bool) -> None:
    async with _api(world) as api:
        for node in await _names(api, _NODES):
            patch = {"spec": {"unschedulable": unschedulable or None}}
            answer = await api.patch(f"{_NODES}/{node}", json=patch, headers=_MERGE)
            _check(answer, {httpx.codes.OK})


async def _evict(world: World, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    async with _api(world) as api:
        for pod in await _names(api, pods):
            eviction = {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": pod, "namespace": namespace},
                "deleteOptions": {"gracePeriodSeconds": 0},
            }
            answer = await api.post(f"{pods}/{pod}/eviction", json=eviction)
            _check(answer, {httpx.codes.CREATED, httpx.codes.NOT_FOUND})


async def _delete_workflows(world: World, namespace: str) -> None:
    workflows = f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows"
    async with _api(world) as api:
        for name in await _names(api, workflows):
            _check(await api.delete(f"{workflows}/{name}"), _GONE)


async def _names(api: httpx.AsyncClient, path: str) -> list[str]:
    answer = await api.get(path)
    _check(answer, {httpx.codes.OK})
    items: list[dict[str, Any]] = answer.json()["items"]
    return [item["metadata"]["name"] for item in items]


def _check(answer: httpx.Response, expected: set[httpx.codes]) -> None:
    if answer.status_code not in expected:
        message = f"{answer.request.url.path}: {answer.status_code} {answer.text[:200]}"
        raise DevstackError(message)
