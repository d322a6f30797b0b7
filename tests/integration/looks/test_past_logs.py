"""What pods that are gone wrote comes from the log store that the plane names."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities.common.kinds import platform
from api.logs.components import ComponentLog
from clients.objects import ObjectStore
from domain import ids
from domain.deliveries.logs import LogRequest
from domain.errors import NotFound
from domain.policies.past_logs import nanoseconds_of
from tests.integration.drift.places import Place
from tests.integration.looks.kubelet import Kubelet
from tests.integration.looks.loki import LogStoreOfATest
from tests.integration.vaults import keep

pytestmark = pytest.mark.integration
_PATIENCE = 90
_SINCE = "2024-11-27T11:00:00Z"
"""Before the time at which the node of a test begins to write, and before all clocks."""
_HOUR = nanoseconds_of(_SINCE)
_GONE, _LIVING = "web-6d4cf56db6-x7k2p", "web-6d4cf56db6-q9z8w"


@pytest.fixture
async def store() -> AsyncIterator[LogStoreOfATest]:
    store = await LogStoreOfATest.start()
    yield store
    await store.close()


@pytest.fixture
async def measured(place: Place, store: LogStoreOfATest) -> Place:
    """Its plane names the log store."""
    await place.apply("ObservabilityPlane", "logs", {"logsUrl": store.url})
    await place.cluster.apply(
        {
            "apiVersion": "choreo.dev/v1alpha1",
            "kind": "DataPlane",
            "metadata": {"name": "local", "namespace": place.name},
            "spec": {"observabilityPlaneRef": "logs"},
        },
        manager="who-measures",
    )
    await place.deploy()
    return place


async def _told(place: Place, objects: ObjectStore, **more: str) -> list[str]:
    request = LogRequest(
        organization=place.name, project="shop", component="web", environment="dev", look="",
        **({"since": _SINCE} | more),
    )  # fmt: skip
    log = ComponentLog(place.temporal, objects, request)
    async with asyncio.timeout(_PATIENCE):
        return [line.decode().rstrip() async for line in log.now()]


async def test_pods_that_are_gone_come_first_and_nothing_of_others(
    measured: Place, store: LogStoreOfATest, objects: ObjectStore, tmp_path: Path
) -> None:
    here = measured.namespace
    store.keep(_HOUR - 1, here, _GONE, "before that time")
    store.keep(_HOUR + 2, here, _GONE, "second\nand third")
    store.keep(_HOUR + 1, here, _GONE, "first")
    store.keep(_HOUR + 3, here, "web-api-6d4cf56db6-x7k2p", "of another component")
    store.keep(_HOUR + 3, f"{here}-2", _GONE, "of another namespace")

    alone = await _told(measured, objects)
    store.keep(_HOUR + 3, here, _LIVING, "that the node tells as well")
    kubelet = await Kubelet.start(measured.cluster, f"node-{secrets.token_hex(4)}", tmp_path)
    try:
        await kubelet.run(measured.cluster, here, _LIVING, "web")
        await kubelet.write(_LIVING, "living")
        together = await _told(measured, objects)
    finally:
        await kubelet.close()

    gone = [f"[{_GONE}] first", f"[{_GONE}] second", f"[{_GONE}] and third"]
    assert alone == gone
    assert together == [*gone, f"[{_LIVING}] living"]


async def test_what_was_written_in_a_place_is_told_after_the_component_left_it(
    measured: Place, store: LogStoreOfATest, objects: ObjectStore
) -> None:
    store.keep(_HOUR + 1, measured.namespace, _GONE, "last words")
    store.keep(_HOUR + 1, measured.namespace, "other-6d4cf56db6-x7k2p", "of another component")
    bound = ids.binding_name("web", "dev")
    bindings = platform("ServiceBinding")
    free = {"metadata": {"finalizers": None}}
    await measured.cluster.patch(bindings, bound, measured.name, free)
    await measured.cluster.delete(bindings, bound, measured.name)
    assert await measured.cluster.find(bindings, bound, measured.name) is None

    assert await _told(measured, objects) == [f"[{_GONE}] last words"]
    with pytest.raises(NotFound, match=r"not deployed in dev.*--since 2h"):
        await _told(measured, objects, since="")


async def test_a_store_is_told_who_asks_and_says_what_is_wrong_with_them(
    measured: Place, store: LogStoreOfATest, objects: ObjectStore, stack: dict[str, str]
) -> None:
    store.keep(_HOUR + 1, measured.namespace, _GONE, "of a tenant")
    store.wants = {"Authorization": "Bearer canary-7d21", "X-Scope-OrgID": "acme"}
    credentials = {"vaultPath": "_observability/logs"}
    spec = {"logsUrl": store.url, "credentials": credentials, "tenant": "acme"}
    await measured.apply("ObservabilityPlane", "logs", spec)

    with pytest.raises(NotFound, match="`pavane secret set _observability/logs token` sets it"):
        await _told(measured, objects)
    await keep(stack, measured.name, "_observability/logs", token="canary-7d21")
    told = await _told(measured, objects)
    await keep(stack, measured.name, "_observability/logs", token="canary-0000")
    with pytest.raises(NotFound, match=r"answered 401: not \['Bearer \*\*\*', 'acme'\]"):
        await _told(measured, objects)

    assert told == [f"[{_GONE}] of a tenant"]


async def test_a_store_that_fails_takes_nothing_from_what_is_there(
    measured: Place, store: LogStoreOfATest, objects: ObjectStore, tmp_path: Path
) -> None:
    store.refusal = "too many outstanding requests"
    with pytest.raises(NotFound, match=r"no pods of web.* answered 500: too many outstanding"):
        await _told(measured, objects)
    kubelet = await Kubelet.start(measured.cluster, f"node-{secrets.token_hex(4)}", tmp_path)
    try:
        await kubelet.run(measured.cluster, measured.namespace, _LIVING, "web")
        await kubelet.write(_LIVING, "living")
        note, line = await _told(measured, objects)
    finally:
        await kubelet.close()

    assert "pods that are gone wrote cannot be read" in note
    assert "`pavane describe observabilityplane logs`" in note
    assert line == f"[{_LIVING}] living"


async def test_without_a_store_it_is_told_that_nobody_keeps_it(
    place: Place, objects: ObjectStore
) -> None:
    await place.deploy()

    with pytest.raises(NotFound, match="DataPlane names no ObservabilityPlane that has a logsUrl"):
        await _told(place, objects)
