"""Sets up organizations in Vault or OpenBao; for the task queue `secrets` alone."""

from __future__ import annotations

from temporalio import activity

from clients.vault import VaultTenants
from domain.deliveries.secrets import EnsureVaultTenant, VaultTenant


class VaultTenantActivities:
    """Effects on Vault's own configuration. Blocking: they run in threads."""

    def __init__(self, tenants: VaultTenants | None) -> None:
        """None = this installation has no OpenBao: there is nothing to set up."""
        self._tenants = tenants

    @activity.defn
    def ensure_vault_tenant(self, request: EnsureVaultTenant) -> VaultTenant:
        """Makes engine, policies and roles of an organization as they should be.

        Idempotent: what is so already stays. Roles of places that are not named any more are
        removed; secrets never are. Cancel: not heeded, it is short.

        Raises:
            DependencyUnavailable: OpenBao does not answer or is sealed.
            Errored: It refuses this worker; its policy or its secret id is not right.
        """
        if self._tenants is None:
            return VaultTenant(skipped="no OpenBao is configured (PAVANE_VAULT__ADDRESS)")
        organization = request.organization
        places = [(one.project, one.environment) for one in request.places]
        engine, login = self._tenants.ensure_engines(organization)
        policies = self._tenants.ensure_policies(organization, places)
        roles, removed = self._tenants.ensure_roles(organization, places)
        return VaultTenant(
            mount=engine, login=login, policies=policies, roles=roles, removed=removed
        )
