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
from tests.faults.organization import Organization
from tests.faults.people import Person, Terminal, runs
from tests.faults.source import push


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
async def token(broken: StateDir) -> str:
    issuer = OpenBao(os.environ["PAVANE_OIDC__DISCOVERY_URL"])
    return (await asyncio.to_thread(issuer.login, "dev", passwords(broken)["dev"], "pavane")).value


@pytest.fixture
async def dev(token: str) -> AsyncIterator[Person]:
    async with httpx.AsyncClient(
        base_url=os.environ["PAVANE_API__URL"],
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
    ) as client:
        yield Person(client)


@pytest.fixture
def terminal(token: str, tmp_path: Path) -> Terminal:
    """The command line of somebody who is signed in."""
    return Terminal(
        {**os.environ, "PAVANE_CONFIG_DIR": str(tmp_path / "profile"), "PAVANE_TOKEN": token}
    )


@pytest.fixture
async def org(cluster: Cluster, server: Client, dev: Person) -> AsyncIterator[Organization]:
    """A fresh organization in which a component can be deployed."""
    organization = Organization(f"f{secrets.token_hex(4)}", cluster, server, dev)
    await organization.declare()
    yield organization
    await organization.forget()


@pytest.fixture
async def artifact(org: Organization) -> str:
    """What can be deployed in it; nothing is yet."""
    return await org.workload()


@pytest.fixture
async def rollout(org: Organization, artifact: str) -> str:
    """A first deployment, whose pods are waited for right now and for some seconds more."""
    await org.service_class(settle=5)
    operation = await org.deploy(artifact)
    shown = await org.person.sees(operation, runs("rollout"))
    assert shown["waitingFor"]["what"] == "ready pods"
    assert shown["waitingFor"]["until"]
    return operation


@pytest.fixture
async def commit(org: Organization, tmp_path: Path) -> str:
    """A commit of the component that nobody has built."""
    folder = tmp_path / "source"
    folder.mkdir()
    return await push(folder, org.name)


@pytest.fixture
async def running_build(org: Organization, commit: str) -> str:
    """A build whose pod runs right now."""
    operation = await org.build(commit)
    await org.seen.build_pod_runs()
    return operation
