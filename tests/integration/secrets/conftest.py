"""A fresh organization in the stack's real OpenBao, and the roles that reach it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from activities.secrets.tenants import VaultTenantActivities
from clients.vault import SecretStore, VaultSession, VaultTenants
from devstack.core import roles
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir
from domain.deliveries.secrets import EnsureVaultTenant, VaultPlace

PLACES = (
    VaultPlace(project="shop", environment="development"),
    VaultPlace(project="shop", environment="production"),
)
SessionOf = Callable[[str], VaultSession]


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
