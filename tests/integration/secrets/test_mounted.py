"""The Secrets Store CSI driver mounts secrets: its published definition, real tokens and OpenBao.

The driver and its provider do not run here: the test does what a provider does with a
SecretProviderClass, as the pod it would do it for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from activities.common.kinds import DEPLOYMENTS, SECRETS
from activities.secrets.delivery import SecretDelivery
from activities.secrets.mounted import PROVIDER_CLASSES
from clients.kubernetes import Cluster
from clients.vault import SecretStore
from devstack.core import roles
from domain import ids
from domain.deliveries.secrets import (
    DeliverSecret,
    FindConsumers,
    RestartConsumer,
    SecretConsumer,
    SecretVolume,
)
from domain.errors import Denied, InvalidRequest, NotFound
from domain.rendering import labels as names
from domain.secrets import delivery
from domain.secrets.mounted import volume_source
from tests.integration.secrets.shop import CANARY, PATH, SessionOf

pytestmark = pytest.mark.integration
DEFINITION = Path(__file__).parent / "secret_provider_class.yaml"
SECRET, KEYS = "web-secrets", {"word-1": f"{PATH}/password", "user-2": f"{PATH}/username"}


@pytest.fixture
async def cluster(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    """A plane that knows SecretProviderClasses; it goes on knowing them."""
    cluster = await Cluster.connect(Path(stack["PAVANE_KUBERNETES__KUBECONFIG"]))
    await cluster.apply(yaml.safe_load(DEFINITION.read_text()))
    async with asyncio.timeout(60):
        while not await is_served(cluster):  # noqa: ASYNC110 - the API server says so
            await asyncio.sleep(0.1)
    yield cluster
    await cluster.close()


async def is_served(cluster: Cluster) -> bool:
    with suppress(NotFound):
        await cluster.list(PROVIDER_CLASSES)
        return True
    return False


@pytest.fixture
def plane(cluster: Cluster, session_of: SessionOf) -> SecretDelivery:
    return SecretDelivery(cluster, SecretStore(session_of(roles.PLANE)))


@pytest.fixture
async def workload(cluster: Cluster, organization: str, store: SecretStore) -> dict[str, Any]:
    """A Deployment with a volume of the driver, beside a secret of two versions."""
    namespace = ids.namespace(organization, "shop", "production")
    labels = {
        names.MANAGED_BY: "pavane",
        names.ORGANIZATION: organization,
        names.PROJECT: "shop",
        names.ENVIRONMENT: "production",
        names.COMPONENT: "web",
    }
    security = {"pod-security.kubernetes.io/enforce": "restricted"}
    space: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace"}
    await cluster.create({**space, "metadata": {"name": namespace, "labels": labels | security}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    await cluster.apply({**account, "metadata": {"name": "web", "namespace": namespace}})
    for number in (1, 2):
        values = {"password": f"{CANARY}-{number}", "username": f"user-{number}"}
        await asyncio.to_thread(store.write, organization, PATH, values, expected=number - 1)
    await asyncio.to_thread(store.use, organization, PATH, 1)
    return deployment(namespace, labels, mounting("word-1", "user-2"))


def mounting(*files: str, variables: tuple[str, ...] = ()) -> dict[str, str]:
    volume = SecretVolume(provider="openbao", sign_in="jwt", files=files, variables=variables)
    return delivery.sources(SECRET, KEYS, volume=volume)


def deployment(namespace: str, labels: dict[str, str], notes: dict[str, str]) -> dict[str, Any]:
    mounts = [{"name": "s", "mountPath": "/run/word", "subPath": "word-1", "readOnly": True}]
    container = {"name": "main", "image": "example.test/web", "volumeMounts": mounts}
    pod = {
        "serviceAccountName": "web",
        "containers": [container],
        "volumes": [{"name": "s", **volume_source(SECRET)}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": namespace,
            "labels": labels,
            "annotations": notes,
        },
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
        },
    }


async def mounted_files(
    cluster: Cluster, stack: dict[str, str], namespace: str, account: str = "web"
) -> dict[str, str]:
    """Does what the provider does for a pod; returns file -> content, or why it was refused."""
    live = await cluster.get(PROVIDER_CLASSES, SECRET, namespace)
    told = live["spec"]["parameters"]
    spec = {"audiences": [told["audience"]], "expirationSeconds": 600}
    made = await cluster.session.json(
        "POST",
        f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
        what="token",
        body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec},
    )
    base = f"{stack['PAVANE_VAULT__ADDRESS']}/v1/"
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=30) as bao:
        login = {"jwt": made["status"]["token"], "role": told["roleName"]}
        signed = await bao.post(f"auth/{told['openbaoAuthMountPath']}/login", json=login)
        headers = {"X-Vault-Token": signed.raise_for_status().json()["auth"]["client_token"]}
        files = {}
        for one in yaml.safe_load(told["objects"]):
            answer = await bao.get(one["secretPath"], headers=headers)
            content = answer.raise_for_status().json()["data"]["data"]
            files[one["objectName"]] = content[one["secretKey"]]
        return files


async def only_consumer(plane: SecretDelivery, organization: str) -> SecretConsumer:
    request = FindConsumers(organization=organization, path=PATH)
    (found,) = (await plane.find_consumers(request)).items
    return found


async def test_a_pod_that_begins_finds_the_version_in_use_and_a_rotation_has_it_begin_anew(
    stack: dict[str, str],
    cluster: Cluster,
    plane: SecretDelivery,
    store: SecretStore,
    workload: dict[str, Any],
) -> None:
    namespace = workload["metadata"]["namespace"]
    organization = workload["metadata"]["labels"][names.ORGANIZATION]
    await plane.before(workload, organization)
    await cluster.apply(workload)
    first = await mounted_files(cluster, stack, namespace)
    assert first == {"word-1": f"{CANARY}-1", "user-2": "user-1"}

    found = await only_consumer(plane, organization)
    again = await plane.deliver_secret(DeliverSecret(consumer=found))
    await asyncio.to_thread(store.use, organization, PATH, 2)
    second = await plane.deliver_secret(DeliverSecret(consumer=found))
    order = RestartConsumer(consumer=found, versions=second.versions)
    before = await cluster.get(DEPLOYMENTS, "web", namespace)
    assert (await plane.restart_consumer(order)).restarted
    after = await cluster.get(DEPLOYMENTS, "web", namespace)

    assert (again.changed, second.changed, second.versions) == (False, True, {PATH: 2})
    assert await mounted_files(cluster, stack, namespace) == {
        "word-1": f"{CANARY}-2",
        "user-2": "user-2",
    }
    assert after["metadata"]["generation"] > before["metadata"]["generation"]
    live = await cluster.get(PROVIDER_CLASSES, SECRET, namespace)
    assert CANARY not in json.dumps([live, after])
    assert await cluster.find(SECRETS, SECRET, namespace) is None

    await plane.forget(workload)
    assert await cluster.find(PROVIDER_CLASSES, SECRET, namespace) is None
    await plane.forget(workload)


async def test_variables_stand_in_a_kubernetes_secret_and_files_do_not(
    cluster: Cluster, plane: SecretDelivery, organization: str, workload: dict[str, Any]
) -> None:
    namespace = workload["metadata"]["namespace"]
    workload["metadata"]["annotations"] = mounting("word-1", variables=("user-2",))
    await plane.before(workload, organization)

    live = await cluster.get(SECRETS, SECRET, namespace)
    assert list(live["data"]) == ["user-2"]
    asked = await cluster.get(PROVIDER_CLASSES, SECRET, namespace)
    told = json.loads(asked["spec"]["parameters"]["objects"])
    assert [one["objectName"] for one in told] == ["word-1"]
    await plane.forget(workload)
    assert await cluster.find(SECRETS, SECRET, namespace) is None


async def test_what_could_not_be_mounted_or_is_somebody_elses_is_refused_before_any_pod_begins(
    cluster: Cluster,
    plane: SecretDelivery,
    store: SecretStore,
    organization: str,
    workload: dict[str, Any],
) -> None:
    namespace = workload["metadata"]["namespace"]
    await asyncio.to_thread(
        store.write, organization, PATH, {"username": "a", "other": "b"}, expected=2
    )
    await asyncio.to_thread(store.use, organization, PATH, 3)
    with pytest.raises(InvalidRequest, match=r"needs the field password .* has other, username"):
        await plane.before(workload, organization)

    await asyncio.to_thread(store.use, organization, PATH, 2)
    theirs = {
        "apiVersion": PROVIDER_CLASSES.api_version,
        "kind": PROVIDER_CLASSES.kind,
        "metadata": {"name": SECRET, "namespace": namespace},
        "spec": {"provider": "vault"},
    }
    await cluster.create(theirs)
    with pytest.raises(Denied, match="was not made by Pavane"):
        await plane.before(workload, organization)
    await plane.forget(workload)
    assert await cluster.find(PROVIDER_CLASSES, SECRET, namespace) is not None
