"""Who goes on using an old credential is named, and waited for: by OpenBao's own audit log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import hvac
import pytest
from temporalio.testing import ActivityEnvironment

from activities.secrets import rotations
from activities.secrets.delivery import SecretDelivery
from activities.secrets.rotations import RotationActivities
from clients.kubernetes import Cluster
from clients.vault import SecretStore
from clients.vault.approles import AppRoles
from clients.vault.uses import SecretUses
from devstack.core import roles
from devstack.core.openbao import root_token
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir
from domain import ids
from domain.deliveries.rotations import OldUsers, RotationPlan, SecretTurn
from domain.deliveries.secrets import FindConsumers
from domain.rendering import labels as names
from domain.secrets.rights import AUDIENCE, place_name
from tests.integration.secrets.shop import APP_ROLE, CANARY, PATH, SecretIds, SessionOf

pytestmark = pytest.mark.integration


@pytest.fixture
def steps(state: StateDir, session_of: SessionOf, store: SecretStore) -> RotationActivities:
    """The steps as the worker of the stack does them, with OpenBao's audit log."""
    uses = SecretUses(state.logs / "openbao-audit.log", {ROTATOR, roles.PLANE, roles.API})
    return RotationActivities(store, AppRoles(session_of(ROTATOR)), uses=uses)


def turn_of(organization: str, **plan: Any) -> SecretTurn:
    """A turn of which the new version is in use: the old one must be quiet for an hour."""
    about = {"engine": "KV", "path": PATH, "quiet_seconds": 3600, **plan}
    given = RotationPlan(organization=organization, rotation="db", **about)
    return SecretTurn(plan=given, id="rotation/x/db/run", before=1, newest=1, version=2)


async def seen_by(
    steps: RotationActivities, turn: SecretTurn, use: Callable[[], Awaitable[object]]
) -> tuple[str, ...]:
    """Observes while somebody uses something again and again; returns who is told."""

    async def using() -> None:
        while True:
            await use()
            await asyncio.sleep(0.05)

    task = asyncio.create_task(using())
    try:
        async with asyncio.timeout(60):
            seen: OldUsers = await ActivityEnvironment().run(steps.observe_old_users, turn)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert not seen.unused
    return seen.users


@pytest.fixture
def root(stack: dict[str, str], state: StateDir) -> hvac.Client:
    """Somebody who is not known."""
    return hvac.Client(stack["PAVANE_VAULT__ADDRESS"], root_token(state))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever uses the old one is told at once."""
    monkeypatch.setattr(rotations, "_WINDOW", rotations._LOOK * 0)


@pytest.mark.usefixtures("hasty")
async def test_whoever_signs_in_with_the_old_secret_id_is_told_by_address(
    steps: RotationActivities, secret_ids: SecretIds
) -> None:
    old = dict(secret_ids.held)
    new = old | {"secret_id": f"{CANARY}-second"}
    await asyncio.to_thread(secret_ids.store.write, secret_ids.organization, PATH, new, expected=1)
    turn = turn_of(secret_ids.organization, engine="AppRole", app_role=APP_ROLE)

    found = await seen_by(steps, turn, lambda: secret_ids.accepts(old))

    assert found == ("whoever signs in from 127.0.0.1",)


@pytest.mark.usefixtures("hasty")
async def test_whoever_reads_the_old_version_is_told_by_name_and_pavane_is_not(
    steps: RotationActivities, store: SecretStore, root: hvac.Client, organization: str
) -> None:
    for number in (1, 2):
        values = {"value": f"{CANARY}-{number}"}
        await asyncio.to_thread(store.write, organization, PATH, values, expected=number - 1)

    def read() -> None:
        store.read(organization, PATH, 1)
        root.read(f"org/{organization}/data/{PATH}?version=2")

    quiet = turn_of(organization, quiet_seconds=0)
    assert (await ActivityEnvironment().run(steps.observe_old_users, quiet)).unused

    async def both() -> None:
        await asyncio.to_thread(read)
        await asyncio.to_thread(root.read, f"org/{organization}/data/{PATH}?version=1")

    assert await seen_by(steps, turn_of(organization), both) == ("root, which read version 1",)


@dataclass
class Pod:
    """A pod of a component that names no secret and reads one itself."""

    cluster: Cluster
    bao: str
    organization: str
    namespace: str

    async def begin(self) -> None:
        """Makes its place, who it is, and the Deployment that runs it."""
        labels = {
            names.MANAGED_BY: "pavane",
            names.ORGANIZATION: self.organization,
            names.PROJECT: "shop",
            names.ENVIRONMENT: "production",
            names.COMPONENT: "web",
        }
        place: dict[str, Any] = {"name": self.namespace, "labels": labels}
        about: dict[str, Any] = {"name": "web", "namespace": self.namespace, "labels": labels}
        pod = {
            "serviceAccountName": "web",
            "containers": [{"name": "main", "image": "example.test/web"}],
        }
        spec = {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
        }
        await self.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": place})
        await self.cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about})
        workload = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec}
        await self.cluster.apply(workload)

    async def read(self) -> str:
        """Signs in with its own token, and reads what is newest."""
        spec = {"audiences": [AUDIENCE], "expirationSeconds": 600}
        made = await self.cluster.session.json(
            "POST",
            f"/api/v1/namespaces/{self.namespace}/serviceaccounts/web/token",
            what="token",
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec},
        )
        role = place_name(self.organization, "shop", "production")
        async with httpx.AsyncClient(base_url=self.bao, trust_env=False, timeout=30) as bao:
            login = {"role": role, "jwt": made["status"]["token"]}
            signed = (await bao.post("auth/jwt/login", json=login)).raise_for_status().json()
            headers = {"X-Vault-Token": signed["auth"]["client_token"]}
            answer = await bao.get(f"org/{self.organization}/data/{PATH}", headers=headers)
            return str(answer.raise_for_status().json()["data"]["data"]["value"])


@pytest.fixture
async def pod(stack: dict[str, str], organization: str) -> AsyncIterator[Pod]:
    cluster = await Cluster.connect(Path(stack["PAVANE_KUBERNETES__KUBECONFIG"]))
    namespace = ids.namespace(organization, "shop", "production")
    pod = Pod(cluster, f"{stack['PAVANE_VAULT__ADDRESS']}/v1/", organization, namespace)
    await pod.begin()
    yield pod
    await cluster.close()


@pytest.mark.usefixtures("hasty")
async def test_a_pod_that_reads_its_secret_itself_is_found_and_waited_for_until_it_reads_again(
    steps: RotationActivities, store: SecretStore, pod: Pod
) -> None:
    first, second = f"{CANARY}-1", f"{CANARY}-2"
    await asyncio.to_thread(store.write, pod.organization, PATH, {"value": first}, expected=0)
    assert await pod.read() == first
    begun = turn_of(pod.organization, quiet_seconds=0).model_copy(update={"version": 0})
    inspected: SecretTurn = await ActivityEnvironment().run(steps.inspect_secret, begun)
    assert inspected.readers == (f"{pod.namespace}/web",)

    asked = FindConsumers(organization=pod.organization, path=PATH, readers=inspected.readers)
    (found,) = (await SecretDelivery(pod.cluster, None).find_consumers(asked)).items
    assert (found.shown, found.restarts) == ("web in production (reads OpenBao itself)", False)

    await asyncio.to_thread(store.write, pod.organization, PATH, {"value": second}, expected=1)
    turn = inspected.model_copy(update={"version": 2})
    seen: OldUsers = await ActivityEnvironment().run(steps.observe_old_users, turn)
    who = f"web in {pod.namespace}, which reads its secret itself: restart it"
    assert (seen.unused, seen.users) == (False, (who,))
    assert await pod.read() == second
    seen = await ActivityEnvironment().run(steps.observe_old_users, turn)
    assert seen.unused
