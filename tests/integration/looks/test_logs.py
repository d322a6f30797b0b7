"""Logs are read through the queue of the plane, from a node that a test can break."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from api.logs.components import ComponentLog
from clients.objects import ObjectStore
from domain.deliveries.logs import LogRequest
from domain.errors import NotFound
from tests.integration.drift.places import Place
from tests.integration.looks.kubelet import Kubelet

pytestmark = pytest.mark.integration
_PATIENCE = 90


@pytest.fixture
async def kubelet(place: Place, tmp_path: Path) -> AsyncIterator[Kubelet]:
    node = f"node-{secrets.token_hex(4)}"
    kubelet = await Kubelet.start(place.cluster, node, tmp_path)
    yield kubelet
    await kubelet.close()


def log_of(place: Place, objects: ObjectStore, component: str = "web") -> ComponentLog:
    request = LogRequest(
        organization=place.name, project="shop", component=component, environment="dev", look=""
    )
    return ComponentLog(place.temporal, objects, request)


async def _lines(parts: AsyncGenerator[bytes, None], count: int) -> list[str]:
    """The next lines, without those in which Pavane says something itself."""
    found: list[str] = []
    async with asyncio.timeout(_PATIENCE):
        while len(found) < count:
            part = (await anext(parts)).decode()
            found += [one for one in part.splitlines() if " -- " not in one]
    return found


async def _dropped(objects: ObjectStore, organization: str) -> None:
    async with asyncio.timeout(_PATIENCE):
        while await objects.list(f"logs/looks/{organization}"):  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(0.1)


async def test_a_log_is_followed_through_a_fault_without_a_line_lost_or_twice(
    place: Place, kubelet: Kubelet, objects: ObjectStore
) -> None:
    await place.deploy()
    await kubelet.run(place.cluster, place.namespace, "web-1", "web")
    for number in range(3):
        await kubelet.write("web-1", f"early {number}")

    async with aclosing(log_of(place, objects).follow()) as parts:
        early = await _lines(parts, 3)
        await kubelet.write("web-1", "followed")
        followed = await _lines(parts, 1)
        await kubelet.cut()
        await kubelet.write("web-1", "after the fault")
        after = await _lines(parts, 1)
        await kubelet.run(place.cluster, place.namespace, "web-2", "web")
        await kubelet.write("web-2", "a later pod")
        later = await _lines(parts, 1)

    assert early == [f"[web-1] early {number}" for number in range(3)]
    assert followed == ["[web-1] followed"]
    assert after == ["[web-1] after the fault"]
    assert later == ["[web-2] a later pod"]
    await _dropped(objects, place.name)


async def test_what_is_there_is_told_once_and_nothing_of_it_stays(
    place: Place, kubelet: Kubelet, objects: ObjectStore
) -> None:
    with pytest.raises(NotFound, match="not deployed in dev"):
        await anext(log_of(place, objects, "other").now())
    await place.deploy()
    with pytest.raises(NotFound, match="no pods of web"):
        await anext(log_of(place, objects).now())
    await kubelet.run(place.cluster, place.namespace, "web-1", "web")
    await kubelet.write("web-1", "one")

    async with asyncio.timeout(_PATIENCE):
        told = [line async for line in log_of(place, objects).now()]

    assert told == [b"[web-1] one\n"]
    await _dropped(objects, place.name)
