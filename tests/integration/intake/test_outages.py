"""Intake while Temporal or the API server is away: what changes is not missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from clients.kubernetes import Cluster, SharedWatch
from domain import ids
from runtime.plugin import PavanePlugin
from tests.integration.intake.organizations import Organization, intake, requests, started
from tests.integration.own_api_server import OwnApiServer

pytestmark = [pytest.mark.integration, pytest.mark.sampled]


class Door:
    """A port before the Temporal server that can be shut."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.rpartition(":")
        self._server: asyncio.Server | None = None
        self._streams: list[asyncio.StreamWriter] = []
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        assert self._server is not None
        self._server.close()
        for stream in self._streams:
            stream.close()
        self._streams.clear()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, int(self._port))
        self._streams += [writer, far_writer]
        await asyncio.gather(
            _copy(reader, far_writer), _copy(far_reader, writer), return_exceptions=True
        )


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    writer.close()


@pytest.fixture
async def door(temporal: Client) -> AsyncIterator[Door]:
    made = Door(temporal.service_client.config.target_host)
    await made.open()
    yield made
    await made.shut()


async def test_changes_during_an_outage_of_temporal_are_asked_for_after_it(
    cluster: Cluster, temporal: Client, organization: str, door: Door
) -> None:
    org = Organization(cluster, organization)
    await org.platform()
    await org.deployable("web")
    client = await Client.connect(f"127.0.0.1:{door.port}", plugins=[PavanePlugin()])
    workflow = ids.deploy_id(organization, "web", "dev")
    async with intake(cluster, client, organization):
        await org.ready("Environment", "dev", lambda one: one["status"] == "True")
        await door.shut()
        binding = await org.binding("web")
        await org.apply("Environment", "other", {"dataPlaneRef": "local"})
        # Summaries go on: they need the API server only.
        await org.ready("Environment", "other", lambda one: one["status"] == "True")
        await door.open()

        await started(temporal, workflow)
        asked = await requests(temporal, workflow, 1)

    assert asked == [f"binding-{binding['metadata']['uid'][:8]}-1"]


async def test_intake_goes_on_when_the_api_server_was_killed(
    cluster: Cluster, temporal: Client, organization: str, api_server: OwnApiServer
) -> None:
    org = Organization(cluster, organization)
    await org.platform()
    await org.deployable("web")
    async with intake(cluster, temporal, organization):
        await org.ready("Environment", "dev", lambda one: one["status"] == "True")
        await api_server.kill_api()
        await api_server.start_api()
        binding = await org.binding("web")

        await started(temporal, ids.deploy_id(organization, "web", "dev"))
        asked = await requests(temporal, ids.deploy_id(organization, "web", "dev"), 1)

    assert asked == [f"binding-{binding['metadata']['uid'][:8]}-1"]


async def test_shared_watch_tells_what_changed_around_a_kill_of_the_api_server(
    cluster: Cluster, organization: str, api_server: OwnApiServer
) -> None:
    maps = await cluster.kind_of("v1", "ConfigMap")

    async def write(name: str, value: str) -> None:
        meta = {"name": name, "namespace": organization}
        await cluster.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"v": value}}
        )

    await write("kept", "1")
    await write("gone", "1")
    shared = SharedWatch(cluster, maps, organization)
    async with asyncio.timeout(60), shared.subscribe() as events:
        assert {(await anext(events)).object["metadata"]["name"] for _ in range(2)} == {
            "kept",
            "gone",
        }
        await api_server.kill_api()
        await api_server.start_api()
        await write("kept", "2")
        await cluster.delete(maps, "gone", organization)
        seen = [await anext(events) for _ in range(2)]

    assert {(one.type, one.object["metadata"]["name"]) for one in seen} == {
        ("MODIFIED", "kept"),
        ("DELETED", "gone"),
    }
    await shared.close()
