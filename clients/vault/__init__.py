"""Vault or OpenBao: sign-in by AppRole, secrets of organizations, and their setting up."""

from clients.vault.audit import AuditLog, ReadersFound, SecretReader
from clients.vault.kv import SecretEntry, SecretStore, SecretValues, SecretVersion
from clients.vault.session import VaultSession
from clients.vault.tenants import VaultTenants

__all__ = [
    "AuditLog",
    "ReadersFound",
    "SecretEntry",
    "SecretReader",
    "SecretStore",
    "SecretValues",
    "SecretVersion",
    "VaultSession",
    "VaultTenants",
]
