"""The roles by which processes reach the stack's OpenBao."""

from __future__ import annotations

import asyncio
from pathlib import Path

from activities.common.askers import Askers
from activities.secrets.tenants import VaultTenantActivities
from clients.vault import SecretStore, VaultSession, VaultTenants
from devstack.core import roles
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir
from domain.deliveries.secrets import EnsureVaultTenant

Stack = dict[str, str]


def session(stack: Stack, role: str) -> VaultSession:
    """Signs in by a role when it is asked first."""
    state = StateDir(Path(stack["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)
    return VaultSession(stack["PAVANE_VAULT__ADDRESS"], role, roles.secret_id_file(state, role))


def askers(stack: Stack) -> Askers:
    """Who a worker of a plane is to what measures."""
    return Askers(SecretStore(session(stack, roles.PLANE)))


async def keep(stack: Stack, organization: str, path: str, **values: str) -> None:
    """Writes the next version of a secret of an organization, which gets what it needs for that."""

    def written() -> None:
        setup = VaultTenantActivities(VaultTenants(session(stack, roles.TENANTS)))
        setup.ensure_vault_tenant(EnsureVaultTenant(organization=organization, places=()))
        store = SecretStore(session(stack, ROTATOR))
        entry = store.find(organization, path)
        store.write(organization, path, values, expected=entry.newest if entry else 0)

    await asyncio.to_thread(written)
