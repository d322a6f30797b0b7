"""Secrets reach the Kubernetes Secret of a consumer: the version in use, whole, and only there."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.common.kinds import DEPLOYMENTS, SECRETS
from activities.planes.rollouts import RolloutActivities
from activities.secrets.delivery import SecretDelivery
from clients.kubernetes import Cluster, SharedWatches
from clients.objects import ObjectStore
from clients.registry_users import hashed
from clients.vault import SecretStore
from devstack.core import roles
from domain import ids
from domain.deliveries import ApplyRelease, Bundle
from domain.deliveries.secrets import (
    DeliverSecret,
    FindConsumers,
    RestartConsumer,
    SecretConsumer,
)
from domain.errors import Denied, InvalidRequest
from domain.rendering import labels as names
from domain.secrets import delivery
from tests.integration.secrets.shop import CANARY, HTPASSWD, Pulls, SessionOf, file_of
from tests.registries import GuardedRegistry

pytestmark = [pytest.mark.integration, pytest.mark.sampled]
PATH = "shop/production/db"
KEYS = {"user-1": f"{PATH}/username", "word-2": f"{PATH}/password"}


@pytest.fixture
async def cluster(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    cluster = await Cluster.connect(Path(stack["PAVANE_KUBERNETES__KUBECONFIG"]))
    yield cluster
    await cluster.close()


@pytest.fixture
def plane(cluster: Cluster, session_of: SessionOf) -> SecretDelivery:
    return SecretDelivery(cluster, SecretStore(session_of(roles.PLANE)))


@pytest.fixture
async def workload(cluster: Cluster, organization: str) -> dict[str, Any]:
    """A Deployment that needs the secret, in a namespace of its own."""
    namespace = ids.namespace(organization, "shop", "production")
    labels = {
        names.MANAGED_BY: "pavane",
        names.ORGANIZATION: organization,
        names.PROJECT: "shop",
        names.ENVIRONMENT: "production",
        names.COMPONENT: "web",
    }
    space: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace"}
    await cluster.create({**space, "metadata": {"name": namespace, "labels": labels}})
    obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": namespace,
            "labels": labels,
            "annotations": delivery.sources("web-secrets", KEYS),
        },
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": "example.test/web"}]},
            },
        },
    }
    return await cluster.apply(obj)


def consumer(workload: dict[str, Any]) -> SecretConsumer:
    found = delivery.consumer(workload)
    assert found is not None
    return found


async def held(cluster: Cluster, found: SecretConsumer) -> dict[str, str]:
    live = await cluster.get(SECRETS, found.secret, found.namespace)
    return {key: base64.b64decode(value).decode() for key, value in live["data"].items()}


async def write(store: SecretStore, organization: str, number: int) -> None:
    values = {"username": f"user-{number}", "password": f"value-{number}"}
    await asyncio.to_thread(store.write, organization, PATH, values, expected=number - 1)


async def test_the_version_in_use_is_delivered_and_pods_begin_anew_once_for_each(
    organization: str,
    store: SecretStore,
    cluster: Cluster,
    plane: SecretDelivery,
    workload: dict[str, Any],
) -> None:
    await write(store, organization, 1)
    found = (await plane.find_consumers(FindConsumers(organization=organization, path=PATH))).items
    assert found == (consumer(workload),)
    first = await plane.deliver_secret(DeliverSecret(consumer=found[0]))
    again = await plane.deliver_secret(DeliverSecret(consumer=found[0]))
    assert (first.changed, first.versions, again.changed) == (True, {PATH: 1}, False)

    await asyncio.to_thread(store.use, organization, PATH, 1)
    await write(store, organization, 2)
    assert not (await plane.deliver_secret(DeliverSecret(consumer=found[0]))).changed
    await asyncio.to_thread(store.use, organization, PATH, 2)
    second = await plane.deliver_secret(DeliverSecret(consumer=found[0]))
    assert await held(cluster, found[0]) == {"user-1": "user-2", "word-2": "value-2"}

    order = RestartConsumer(consumer=found[0], versions=second.versions)
    lives = []
    for _ in range(2):
        assert (await plane.restart_consumer(order)).restarted
        lives.append(await cluster.get(DEPLOYMENTS, "web", found[0].namespace))
    generations = [live["metadata"]["generation"] for live in lives]
    assert generations[0] == generations[1] > workload["metadata"]["generation"]
    assert "value-" not in str(lives)


async def test_many_that_deliver_while_the_version_in_use_changes_end_with_the_last_one(
    organization: str,
    store: SecretStore,
    cluster: Cluster,
    plane: SecretDelivery,
    workload: dict[str, Any],
) -> None:
    await write(store, organization, 1)
    found = consumer(workload)

    async def deliver() -> None:
        await plane.deliver_secret(DeliverSecret(consumer=found))

    async def turn_over() -> None:
        for number in (2, 3, 4):
            await write(store, organization, number)
            await deliver()

    await asyncio.gather(turn_over(), *(deliver() for _ in range(8)))
    assert await held(cluster, found) == {"user-1": "user-4", "word-2": "value-4"}


async def test_what_is_not_there_or_not_its_own_is_refused_by_name(
    organization: str,
    store: SecretStore,
    cluster: Cluster,
    plane: SecretDelivery,
    workload: dict[str, Any],
) -> None:
    found = consumer(workload)
    with pytest.raises(InvalidRequest, match=f"pavane secret set {PATH}"):
        await plane.deliver_secret(DeliverSecret(consumer=found))
    await asyncio.to_thread(store.write, organization, PATH, {"username": "a"}, expected=0)
    with pytest.raises(InvalidRequest, match="needs the field password"):
        await plane.deliver_secret(DeliverSecret(consumer=found))

    for vault_key in ("other/production/db/password", "shop/development/db/password"):
        workload["metadata"]["annotations"] = delivery.sources("web-secrets", {"k": vault_key})
        with pytest.raises(Denied, match="may not use it"):
            await plane.before(workload, organization)
    workload["metadata"]["labels"][names.PROJECT] = "other"
    with pytest.raises(Denied, match="belongs into"):
        await plane.before(workload, organization)


async def test_what_was_delivered_goes_with_the_workload_it_was_delivered_to(
    store: SecretStore,
    cluster: Cluster,
    plane: SecretDelivery,
    workload: dict[str, Any],
    tmp_path: Path,
) -> None:
    found = consumer(workload)
    await write(store, found.organization, 1)
    for gone in ("managedFields", "resourceVersion"):
        workload["metadata"].pop(gone, None)
    watches = SharedWatches(cluster)
    rollouts = RolloutActivities(cluster, watches, ObjectStore.open(tmp_path.as_uri()), plane)
    full = Bundle(release="web-1", namespace=found.namespace, objects=(workload,))
    for bundle, previous, is_there in (
        (full, Bundle(), True),
        (Bundle(release="web-2", namespace=found.namespace), full, False),
    ):
        request = ApplyRelease(
            bundle=bundle, previous=previous, organization=found.organization, force_conflicts=True
        )
        await ActivityEnvironment().run(rollouts.apply_release, request)
        live = await cluster.find(SECRETS, found.secret, found.namespace)
        assert (live is not None) is is_there
    assert await cluster.find(DEPLOYMENTS, found.name, found.namespace) is None
    await watches.close()


async def test_a_node_pulls_with_what_is_delivered_before_and_after_the_users_take_turns(
    cluster: Cluster, plane: SecretDelivery, workload: dict[str, Any], pulls: Pulls
) -> None:
    organization, registry = pulls.organization, pulls.registry
    assert registry is not None
    notes = delivery.pulls("web-pull", PATH, registry.host)
    workload["metadata"]["annotations"] |= notes
    for gone in ("managedFields", "resourceVersion"):
        workload["metadata"].pop(gone, None)
    await cluster.apply(workload)
    request = FindConsumers(organization=organization, path=PATH)
    both = (await plane.find_consumers(request)).items
    assert [(one.secret, one.restarts) for one in both] == [
        ("web-secrets", True),
        ("web-pull", False),
    ]
    assert await pull_of(cluster, plane, both[1], registry) == (pulls.users[0], "")

    other = {"username": pulls.users[1], "password": f"{CANARY}-second"}
    await asyncio.to_thread(pulls.store.write, organization, PATH, other, expected=1)
    assert await pull_of(cluster, plane, both[1], registry) == (
        pulls.users[1],
        f"{pulls.users[1]}: 401",
    )
    entry = {"htpasswd": f"{pulls.users[1]}:{hashed(other['password'])}\n"}
    await asyncio.to_thread(pulls.store.write, organization, HTPASSWD, entry, expected=1)
    await registry.follow(organization, partial(file_of, pulls.store, organization))
    assert await pull_of(cluster, plane, both[1], registry) == (pulls.users[1], "")


async def pull_of(
    cluster: Cluster, plane: SecretDelivery, found: SecretConsumer, registry: GuardedRegistry
) -> tuple[str, str]:
    """Delivers, and pulls as a node does; returns as whom, and why not."""
    await plane.deliver_secret(DeliverSecret(consumer=found))
    live = await cluster.get(SECRETS, found.secret, found.namespace)
    assert live["type"] == "kubernetes.io/dockerconfigjson"
    content = json.loads(base64.b64decode(live["data"][".dockerconfigjson"]))
    who = content["auths"][registry.host]
    user, _, password = base64.b64decode(who["auth"]).decode().partition(":")
    assert (user, password) == (who["username"], who["password"])
    return user, await registry.pull(user, password)
