"""A fresh organization in the stack's real OpenBao, and the roles that reach it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import hvac
import pytest

from activities.secrets.tenants import VaultTenantActivities
from clients.vault import SecretStore, VaultSession, VaultTenants
from devstack.core import roles
from devstack.core.openbao import root_token
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir
from domain.deliveries.secrets import EnsureVaultTenant, VaultPlace
from tests.integration.secrets.shop import (
    ADMIN,
    CANARY,
    PATH,
    ROLES,
    Database,
    Pulls,
    SecretIds,
    SessionOf,
    Shop,
    Values,
)
from tests.postgresql import postgresql
from tests.registries import GuardedRegistry, guarded_registry

PLACES = (
    VaultPlace(project="shop", environment="development"),
    VaultPlace(project="shop", environment="production"),
)


@pytest.fixture(scope="session")
def state(stack: dict[str, str]) -> StateDir:
    return StateDir(Path(stack["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)


@pytest.fixture(scope="session")
def session_of(stack: dict[str, str], state: StateDir) -> SessionOf:
    def session(role: str) -> VaultSession:
        return VaultSession(stack["PAVANE_VAULT__ADDRESS"], role, roles.secret_id_file(state, role))

    return session


@pytest.fixture
def tenants(session_of: SessionOf) -> VaultTenantActivities:
    return VaultTenantActivities(VaultTenants(session_of(roles.TENANTS)))


@pytest.fixture
async def organization(tenants: VaultTenantActivities) -> str:
    name = f"t-{uuid4().hex[:8]}"
    request = EnsureVaultTenant(organization=name, places=PLACES)
    await asyncio.to_thread(tenants.ensure_vault_tenant, request)
    return name


@pytest.fixture
def store(session_of: SessionOf) -> SecretStore:
    """What the rotations of the task queue `secrets` write with."""
    return SecretStore(session_of(ROTATOR))


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture
async def database(server: str, store: SecretStore, organization: str) -> AsyncIterator[Database]:
    url = urlsplit(server)
    shop = Database(store, organization, host=url.hostname or "", port=url.port or 0)
    admin = await shop.connect("postgres", CANARY)
    await admin.execute(
        f"ALTER ROLE postgres PASSWORD '{CANARY}';"
        f"DROP ROLE IF EXISTS {ROLES[0]}; DROP ROLE IF EXISTS {ROLES[1]};"
        f"CREATE ROLE {ROLES[0]} LOGIN PASSWORD '{CANARY}-first'; CREATE ROLE {ROLES[1]} NOLOGIN;"
    )
    hba = await admin.fetchval("SHOW hba_file")
    await admin.execute(f"COPY (SELECT 'host all all 127.0.0.1/32 scram-sha-256') TO '{hba}'")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()
    await shop.keep(PATH, {"username": ROLES[0], "password": f"{CANARY}-first"})
    await shop.keep(ADMIN, {"username": "postgres", "password": CANARY})
    async with shop.observed():
        yield shop


@pytest.fixture
async def secret_ids(
    stack: dict[str, str], state: StateDir, store: SecretStore, organization: str
) -> AsyncIterator[SecretIds]:
    bao = hvac.Client(stack["PAVANE_VAULT__ADDRESS"], root_token(state))
    shop = SecretIds(store, organization, bao=bao)
    await shop.set_up()
    async with shop.observed():
        yield shop


@pytest.fixture
async def values(store: SecretStore, organization: str) -> AsyncIterator[Values]:
    shop = Values(store, organization)
    await shop.keep(PATH, {"value": f"{CANARY}-first"})
    async with shop.observed():
        yield shop


@pytest.fixture(scope="session")
def guarded() -> Iterator[GuardedRegistry]:
    with guarded_registry() as registry:
        yield registry


@pytest.fixture
async def pulls(
    guarded: GuardedRegistry, store: SecretStore, organization: str
) -> AsyncIterator[Pulls]:
    shop = Pulls(store, organization, registry=guarded)
    await shop.set_up()
    async with shop.observed():
        yield shop
    guarded.leave(organization)


@pytest.fixture(params=["database", "pulls", "secret_ids", "values"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """One of each engine."""
    found: Shop = request.getfixturevalue(request.param)
    return found
