"""What pods that are gone wrote comes from the log store that the plane names."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.logs.components import ComponentLog
from clients.objects import ObjectStore
from domain.deliveries.logs import LogRequest
from domain.errors import NotFound
from domain.policies.past_logs import nanoseconds_of
from tests.integration.drift.places import Place
from tests.integration.looks.kubelet import Kubelet
from tests.integration.looks.loki import LogStoreOfATest

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
        since=_SINCE, **more,
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
