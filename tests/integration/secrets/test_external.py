"""External Secrets fills Secrets: its published definition, with the test as the operator."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio.testing import ActivityEnvironment

from activities.common.kinds import SECRETS
from activities.secrets import external as waiting
from activities.secrets.delivery import SecretDelivery
from activities.secrets.external import EXTERNAL_SECRETS
from clients.kubernetes import Cluster
from clients.vault import SecretStore
from devstack.core import roles
from domain import ids
from domain.deliveries.secrets import DeliverSecret, SecretConsumer, SecretDelivered
from domain.errors import DependencyUnavailable, NotFound
from domain.rendering import labels as names
from domain.secrets.delivery import MANAGER
from tests.integration.secrets.shop import PATH, SessionOf

pytestmark = pytest.mark.integration
DEFINITION = Path(__file__).parent / "external_secrets.yaml"


@pytest.fixture
async def cluster(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    """A plane that knows ExternalSecrets; it goes on knowing them, as other tests may need it."""
    cluster = await Cluster.connect(Path(stack["PAVANE_KUBERNETES__KUBECONFIG"]))
    definition = yaml.safe_load(DEFINITION.read_text())
    await cluster.apply(definition)
    async with asyncio.timeout(60):
        while not await is_served(cluster):  # noqa: ASYNC110 - the API server says so
            await asyncio.sleep(0.1)
    yield cluster
    await cluster.close()


async def is_served(cluster: Cluster) -> bool:
    with suppress(NotFound):
        await cluster.list(EXTERNAL_SECRETS)
        return True
    return False


@pytest.fixture
async def consumer(cluster: Cluster, organization: str, store: SecretStore) -> SecretConsumer:
    """Who needs a secret of which there are two versions; the first one is in use."""
    namespace = ids.namespace(organization, "shop", "production")
    space: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace"}
    owner = {names.MANAGED_BY: "pavane", names.ORGANIZATION: organization}
    await cluster.create({**space, "metadata": {"name": namespace, "labels": owner}})
    for number in (1, 2):
        values = {"password": f"value-{number}"}
        await asyncio.to_thread(store.write, organization, PATH, values, expected=number - 1)
    await asyncio.to_thread(store.use, organization, PATH, 1)
    return SecretConsumer(
        organization=organization, project="shop", environment="production", component="web",
        namespace=namespace, kind="Deployment", name="web", secret="web-secrets",
        keys={"word": f"{PATH}/password"}, store="acme",
    )  # fmt: skip


@pytest.fixture
def plane(cluster: Cluster, session_of: SessionOf) -> SecretDelivery:
    return SecretDelivery(cluster, SecretStore(session_of(roles.PLANE)))


@asynccontextmanager
async def operator(
    cluster: Cluster, store: SecretStore, found: SecretConsumer
) -> AsyncIterator[list[int]]:
    """What the operator does with the one object; yields the versions that it brought."""
    brought: list[int] = []

    async def fill() -> None:
        while True:
            asked = await cluster.find(EXTERNAL_SECRETS, found.secret, found.namespace)
            if asked is not None:
                brought.append(await filled(cluster, store, found, asked))
            await asyncio.sleep(0.1)

    task = asyncio.create_task(fill())
    try:
        yield brought
    finally:
        task.cancel()


async def filled(
    cluster: Cluster, store: SecretStore, found: SecretConsumer, asked: dict[str, Any]
) -> int:
    target, data = asked["spec"]["target"], {}
    version = 0
    for one in asked["spec"]["data"]:
        remote, version = one["remoteRef"], int(one["remoteRef"]["version"])
        read = await asyncio.to_thread(store.read, found.organization, remote["key"], version)
        data[one["secretKey"]] = base64.b64encode(read[remote["property"]].encode()).decode()
    about = {"name": target["name"], "namespace": found.namespace, **target["template"]["metadata"]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": about, "data": data}
    await cluster.apply(secret, manager="external-secrets", force=True)
    return version


async def deliver(plane: SecretDelivery, found: SecretConsumer) -> SecretDelivered:
    request = DeliverSecret(consumer=found)
    done: SecretDelivered = await ActivityEnvironment().run(plane.deliver_secret, request)
    return done


async def test_external_secrets_brings_the_version_in_use_and_no_newer_one(
    cluster: Cluster, plane: SecretDelivery, store: SecretStore, consumer: SecretConsumer
) -> None:
    organization = consumer.organization
    async with operator(cluster, store, consumer) as brought:
        first = await deliver(plane, consumer)
        again = await deliver(plane, consumer)
        assert (first.changed, again.changed, first.versions) == (True, False, {PATH: 1})
        assert set(brought) == {1}
        await asyncio.to_thread(store.use, organization, PATH, 2)
        second = await deliver(plane, consumer)

    live = await cluster.get(SECRETS, consumer.secret, consumer.namespace)
    assert (second.changed, second.versions) == (True, {PATH: 2})
    assert base64.b64decode(live["data"]["word"]) == b"value-2"
    assert live["metadata"]["labels"][names.MANAGED_BY] == MANAGER
    asked = await cluster.get(EXTERNAL_SECRETS, consumer.secret, consumer.namespace)
    assert "value-" not in str(asked)


async def test_a_secret_that_is_not_filled_is_told_with_what_the_operator_says(
    cluster: Cluster,
    plane: SecretDelivery,
    consumer: SecretConsumer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "_PATIENCE", waiting._LOOK)
    with pytest.raises(DependencyUnavailable, match="it says nothing"):
        await deliver(plane, consumer)
    refused = {"type": "Ready", "status": "False", "message": "the store acme is not there"}
    asked = await cluster.get(EXTERNAL_SECRETS, consumer.secret, consumer.namespace)
    await cluster.apply_status({**asked, "status": {"conditions": [refused]}}, manager="operator")

    with pytest.raises(DependencyUnavailable, match="the store acme is not there"):
        await deliver(plane, consumer)
