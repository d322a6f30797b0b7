from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from cli.issuers import OpenBao
from clients.kubernetes import Cluster
from devstack import faults
from devstack.core.people import passwords
from devstack.state import StateDir, state_dir
from runtime import client as temporal_client
from tests.faults.world import Organization, Person


@pytest.fixture(scope="session")
async def broken(stack: dict[str, str], stack_name: str) -> AsyncIterator[StateDir]:
    """The stack that is broken: its gate is in place, and at the end it is whole again."""
    state = state_dir(stack_name)
    await faults.prepare(state)
    yield state
    await faults.end_all(state)


@pytest.fixture(scope="session")
async def cluster(broken: StateDir) -> AsyncIterator[Cluster]:
    """Past the gate: what a test sees of the cluster is not what its faults let the worker see."""
    cluster = await Cluster.connect(Path(os.environ["KUBECONFIG"]))
    yield cluster
    await cluster.close()


@pytest.fixture(scope="session")
async def server(broken: StateDir) -> Client:
    return await temporal_client.connect()


@pytest.fixture(scope="session")
async def dev(broken: StateDir) -> AsyncIterator[Person]:
    issuer = OpenBao(os.environ["PAVANE_OIDC__DISCOVERY_URL"])
    password = passwords(broken)["dev"]
    token = await asyncio.to_thread(issuer.login, "dev", password, "pavane")
    async with httpx.AsyncClient(
        base_url=os.environ["PAVANE_API__URL"],
        headers={"Authorization": f"Bearer {token.value}"},
        timeout=30,
        trust_env=False,
    ) as client:
        yield Person(client)


@pytest.fixture
async def org(cluster: Cluster, server: Client, dev: Person) -> AsyncIterator[Organization]:
    """A fresh organization in which a component can be deployed."""
    organization = Organization(f"f{secrets.token_hex(4)}", cluster, server, dev)
    await organization.declare()
    yield organization
    await organization.forget()
