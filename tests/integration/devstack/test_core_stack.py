"""A core stack lives through crashes, goes down without a trace and keeps its data."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import uuid
from pathlib import Path

import httpx
import pytest
from joserfc import jwk, jwt
from temporalio.client import Client

from devstack.core import openbao, people
from devstack.processes import is_alive
from devstack.record import PartPhase, StackRecord
from devstack.state import StateDir
from tests.integration.devstack.conftest import Stack

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def state_of(stack: Stack) -> StateDir:
    return StateDir(stack.folder / "stacks" / stack.name)


def vault(stack: Stack, record: StackRecord) -> httpx.Client:
    headers = {"X-Vault-Token": openbao.root_token(state_of(stack))}
    url = record.environment["VAULT_ADDR"] + "/v1/"
    return httpx.Client(base_url=url, headers=headers, trust_env=False)


def cluster(stack: Stack, record: StackRecord) -> httpx.Client:
    pki = state_of(stack).pki
    trust = ssl.create_default_context(cafile=pki / "stack-ca.crt")
    trust.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    url = f"https://127.0.0.1:{record.ports['kube-apiserver']}"
    return httpx.Client(base_url=url, verify=trust, trust_env=False)


async def remember(stack: Stack, record: StackRecord, name: str) -> None:
    """Leaves a workflow, a secret and a namespace of that name."""
    client = await Client.connect(record.environment["TEMPORAL_ADDRESS"])
    await client.start_workflow("Waiting", id=name, task_queue="nobody")
    with vault(stack, record) as bao:
        body = {"data": {"name": name}}
        bao.post(f"secret/data/{name}", json=body).raise_for_status()
    with cluster(stack, record) as kubernetes:
        body = {"metadata": {"name": name}}
        kubernetes.post("/api/v1/namespaces", json=body).raise_for_status()


async def remembers(stack: Stack, record: StackRecord, name: str) -> bool:
    client = await Client.connect(record.environment["TEMPORAL_ADDRESS"])
    description = await client.get_workflow_handle(name).describe()
    with vault(stack, record) as bao, cluster(stack, record) as kubernetes:
        secret = bao.get(f"secret/data/{name}")
        namespace = kubernetes.get(f"/api/v1/namespaces/{name}")
    statuses = (secret.status_code, namespace.status_code)
    return description.id == name and statuses == (200, 200)


async def test_data_survive_down_and_up(one: Stack) -> None:
    one.up()
    name = f"kept-{uuid.uuid4().hex[:8]}"
    await remember(one, one.record(), name)

    one.run("down")
    assert one.processes() == []
    one.up()

    assert await remembers(one, one.record(), name)


async def test_up_repairs_a_stack_whose_supervisor_was_killed(one: Stack) -> None:
    one.up()
    before = one.record()
    name = f"kept-{uuid.uuid4().hex[:8]}"
    await remember(one, before, name)

    os.kill(before.supervisor.pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        while any(is_alive(process) for process in before.processes):  # noqa: ASYNC110 - not ours
            await asyncio.sleep(0.02)
    assert one.run("status", check=False).returncode == 1
    one.up()

    after = one.record()
    assert after.is_ready
    assert after.supervisor != before.supervisor
    assert after.ports == before.ports
    assert await remembers(one, after, name)


async def test_a_killed_openbao_is_started_and_unsealed_again(one: Stack) -> None:
    one.up()
    before = one.record().parts["openbao"]

    one.run("kill", "openbao")
    async with asyncio.timeout(60):
        while True:
            record = one.record(check=False)
            if record.is_ready and record.parts["openbao"].process != before.process:
                break
            await asyncio.sleep(0.1)

    with vault(one, record) as bao:
        assert bao.get("sys/health").status_code == 200
    assert record.parts["openbao"].restarts > before.restarts


def test_up_again_says_so_and_changes_nothing(one: Stack) -> None:
    one.up()
    before = one.record()

    said = one.up()

    assert "is running and ready" in said
    assert one.record() == before


def test_two_stacks_run_side_by_side(one: Stack) -> None:
    other = Stack(one.folder, "other")
    one.up()
    try:
        other.up()
        first, second = one.record(), other.record()

        assert first.is_ready
        assert second.is_ready
        assert not set(first.ports.values()) & set(second.ports.values())
        other.run("down")
        assert other.processes() == []
        assert one.record() == first
    finally:
        other.run("reset", "--yes", check=False)
    assert not (one.folder / "stacks" / "other").exists()


def test_a_persons_token_names_the_issuer_its_discovery_document_names(one: Stack) -> None:
    one.up()
    record = one.record()
    password = people.passwords(state_of(one))["ada"]
    with httpx.Client(base_url=record.environment["VAULT_ADDR"], trust_env=False) as client:
        login = client.post("/v1/auth/userpass/login/ada", json={"password": password}).json()
        headers = {"X-Vault-Token": login["auth"]["client_token"]}
        token = client.get("/v1/identity/oidc/token/pavane", headers=headers).json()
        discovery = client.get(record.environment["PAVANE_OIDC__DISCOVERY_URL"]).json()
        keys = jwk.KeySet.import_key_set(client.get(discovery["jwks_uri"]).json())
        forbidden = client.get("/v1/secret/data/anything", headers=headers)

    claims = jwt.decode(token["data"]["token"], keys, algorithms=["ES256"]).claims
    assert claims["iss"] == discovery["issuer"] == record.environment["PAVANE_OIDC__ISSUER"]
    assert claims["aud"] == record.environment["PAVANE_OIDC__AUDIENCE"]
    assert (claims["groups"], claims["name"]) == (["platform-engineers"], "Ada")
    assert forbidden.status_code == 403


def test_no_secret_is_in_a_log_or_the_record(one: Stack) -> None:
    one.up()
    state = state_of(one)
    keys = json.loads((state.secrets / "openbao.json").read_text())
    secrets = [*keys.values(), *people.passwords(state).values()]

    texts = [path.read_text(errors="replace") for path in _written(state)]

    assert len(texts) > 5
    assert not [text for text in texts for secret in secrets if secret in text]


def test_an_occupied_port_that_was_asked_for_is_refused_before_any_start(
    one: Stack,
) -> None:
    one.up()
    taken = one.record().ports["temporal"]
    third = Stack(one.folder, "third")

    asked = {"PAVANE_STACK_PORT_TEMPORAL": str(taken)}
    refusal = third.run("up", "--profile", "core", check=False, settings=asked)

    assert refusal.returncode == 1
    assert f"port {taken} asked for temporal is occupied" in refusal.stderr.replace("\n", " ")
    assert third.processes() == []


def test_parts_are_in_order_of_what_they_need(one: Stack) -> None:
    one.up()
    parts = one.record().parts

    assert {part.phase for part in parts.values()} == {PartPhase.READY}
    assert list(parts).index("etcd") < list(parts).index("kube-apiserver")


def _written(state: StateDir) -> list[Path]:
    return [*state.logs.glob("*.log"), state.record]
