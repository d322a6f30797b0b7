"""Organizations in the real OpenBao: what is set up, and what each role cannot do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import hvac
import pytest

from activities.secrets.tenants import VaultTenantActivities
from clients.kubernetes import Cluster
from clients.vault import SecretStore, VaultSession
from devstack.core import roles
from domain import ids
from domain.deliveries.secrets import EnsureVaultTenant
from domain.errors import DependencyUnavailable, Errored, NotFound, StaleRevision
from domain.secrets.rights import AUDIENCE, place_name
from tests.integration.secrets.conftest import PLACES
from tests.integration.secrets.shop import SessionOf

pytestmark = pytest.mark.integration
PATH = "shop/production/db"


async def test_setting_up_an_organization_again_removes_only_the_roles_of_places_that_are_gone(
    tenants: VaultTenantActivities, organization: str, store: SecretStore
) -> None:
    await asyncio.to_thread(store.write, organization, PATH, {"password": "one"}, expected=0)
    request = EnsureVaultTenant(organization=organization, places=PLACES[:1])
    again = await asyncio.to_thread(tenants.ensure_vault_tenant, request)
    once_more = await asyncio.to_thread(tenants.ensure_vault_tenant, request)
    kept = await asyncio.to_thread(store.read, organization, PATH, 1)

    assert again.mount == f"org/{organization}"
    assert again.roles == (place_name(organization, "shop", "development"),)
    assert again.removed == (place_name(organization, "shop", "production"),)
    assert once_more == again.model_copy(update={"removed": ()})
    assert dict(kept) == {"password": "one"}


async def test_of_two_writers_the_second_is_told_and_a_destroyed_version_is_gone(
    organization: str, store: SecretStore
) -> None:
    await asyncio.to_thread(store.write, organization, PATH, {"password": "one"}, expected=0)
    await asyncio.to_thread(
        store.write, organization, PATH, {"password": "two"}, expected=1, rotation="r1"
    )
    with pytest.raises(StaleRevision):
        await asyncio.to_thread(store.write, organization, PATH, {"password": "x"}, expected=1)
    await asyncio.to_thread(store.use, organization, PATH, 1)
    await asyncio.to_thread(store.note, organization, PATH, {"rotation": "r1"})
    await asyncio.to_thread(store.note, organization, PATH, {"rotation": None})
    entry = await asyncio.to_thread(store.describe, organization, PATH)
    marked = await asyncio.to_thread(store.written_by, organization, PATH, 2)
    await asyncio.to_thread(store.destroy, organization, PATH, 2)

    assert (entry.newest, entry.active, entry.rotation, marked) == (2, 1, "", "r1")
    assert await asyncio.to_thread(store.names, organization) == [PATH]
    with pytest.raises(NotFound):
        await asyncio.to_thread(store.read, organization, PATH, 2)


async def test_each_role_can_do_its_own_work_and_nothing_else(
    organization: str, store: SecretStore, session_of: SessionOf
) -> None:
    await asyncio.to_thread(store.write, organization, PATH, {"password": "one"}, expected=0)
    forbidden: dict[str, tuple[tuple[str, str], ...]] = {
        roles.TENANTS: (
            ("get", f"org/{organization}/data/{PATH}"),
            ("delete", f"sys/mounts/org/{organization}"),
            ("put", "sys/policies/acl/pavane-api"),
            ("put", "auth/approle/role/pavane-api/custom-secret-id"),
        ),
        roles.PLANE: (
            ("put", f"org/{organization}/data/{PATH}"),
            ("get", "sys/mounts"),
            ("get", "secret/data/anything"),
        ),
        roles.API: (
            ("put", f"org/{organization}/destroy/{PATH}"),
            ("delete", f"org/{organization}/metadata/{PATH}"),
            ("put", "transit/sign/pavane-audit"),
        ),
    }
    for role, requests in forbidden.items():
        session = session_of(role)
        for method, path in requests:

            def ask(client: hvac.Client, method: str = method, path: str = path) -> object:
                return client.adapter.request(method, f"/v1/{path}", json={})

            with pytest.raises(Errored, match=f"refused to role {role}"):
                await asyncio.to_thread(session.ask, path, ask)

    reader = SecretStore(session_of(roles.PLANE))
    assert dict(await asyncio.to_thread(reader.read, organization, PATH, 1)) == {"password": "one"}


@pytest.fixture
async def cluster(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    cluster = await Cluster.connect(Path(stack["PAVANE_KUBERNETES__KUBECONFIG"]))
    yield cluster
    await cluster.close()


async def _token(cluster: Cluster, namespace: str, audience: str) -> str:
    made = await cluster.session.json(
        "POST",
        f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token",
        what="token",
        body={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [audience], "expirationSeconds": 600},
        },
    )
    return str(made["status"]["token"])


async def test_a_pod_signs_in_with_its_own_token_and_reads_only_what_is_of_its_place(
    organization: str, store: SecretStore, cluster: Cluster, stack: dict[str, str]
) -> None:
    for path in (PATH, "shop/development/db", "shared/proxy", "other/all/db"):
        await asyncio.to_thread(store.write, organization, path, {"password": "x"}, expected=0)
    namespace = ids.namespace(organization, "shop", "production")
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    await cluster.apply({**account, "metadata": {"name": "default", "namespace": namespace}})
    role = place_name(organization, "shop", "production")
    elsewhere = place_name(organization, "shop", "development")
    base = f"{stack['PAVANE_VAULT__ADDRESS']}/v1/"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as bao:

        async def sign_in(role: str, audience: str) -> httpx.Response:
            token = await _token(cluster, namespace, audience)
            return await bao.post("auth/jwt/login", json={"role": role, "jwt": token})

        good = await sign_in(role, AUDIENCE)
        headers = {"X-Vault-Token": good.json()["auth"]["client_token"]}
        seen = {
            path: (await bao.get(f"org/{organization}/data/{path}", headers=headers)).status_code
            for path in (PATH, "shop/development/db", "shared/proxy", "other/all/db")
        }
        other_place = await sign_in(elsewhere, AUDIENCE)
        other_audience = await sign_in(role, "https://kubernetes.default.svc")

    assert seen == {PATH: 200, "shop/development/db": 403, "shared/proxy": 200, "other/all/db": 403}
    assert other_place.is_error
    assert other_audience.is_error


async def test_an_openbao_that_is_away_is_waited_for_and_no_secret_id_is_told(
    tmp_path: Path,
) -> None:
    file = tmp_path / "secret-id"
    file.write_text("canary-secret-id")
    away = SecretStore(VaultSession("http://127.0.0.1:1", "pavane-api", file))

    with pytest.raises(DependencyUnavailable) as told:
        await asyncio.to_thread(away.find, "acme", PATH)

    assert "canary" not in str(told.value)
    assert told.value.__cause__ is None
