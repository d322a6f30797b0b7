"""How one process signs in to OpenBao: by one role for each thing it does there."""

from __future__ import annotations

from clients.vault import SecretStore, VaultSession
from settings import Settings, VaultRole, VaultSettings


def session_of(vault: VaultSettings, role: VaultRole) -> VaultSession | None:
    """Returns the access of one role to OpenBao; None = this installation has no such role."""
    if not vault.address or role.secret_id_file is None:
        return None
    return VaultSession(vault.address, role.role_id, role.secret_id_file)


def plane_store(settings: Settings) -> SecretStore | None:
    """Returns what reads the credentials of planes; None = this process has no role for that."""
    return store_of(settings.vault, settings.vault.planes)


def store_of(vault: VaultSettings, role: VaultRole) -> SecretStore | None:
    """Returns the store as one role sees it; None = this installation has no such role."""
    session = session_of(vault, role)
    return SecretStore(session) if session else None
