"""Effects with secrets: the task queue ``secrets``."""

from __future__ import annotations

from activities.records.signing import SigningActivities
from activities.secrets.expiry import ExpiryActivities
from activities.secrets.paths import SecretPathActivities
from activities.secrets.rotations import RotationActivities
from activities.secrets.tenants import VaultTenantActivities
from activities.secrets.trust import TrustActivities
from activities.serving.outside import Activities
from activities.serving.vault import session_of
from clients.databases import DatabaseRoles
from clients.transit import Signer
from clients.vault import SecretStore, VaultSession, VaultTenants
from clients.vault.approles import AppRoles
from clients.vault.issuers import Issuers
from clients.vault.uses import SecretUses
from settings import Settings, VaultRole, VaultSettings


def secrets(settings: Settings, signer: Signer | None) -> Activities:
    """Effects with secrets: the task queue ``secrets``. They block, and run in threads.

    ``signer`` None = this installation signs nothing.
    """
    setup = session_of(settings.vault, settings.vault.tenants)
    tenants = VaultTenantActivities(VaultTenants(setup) if setup else None)
    signing = [SigningActivities(signer).sign_heads] if signer else []
    own = session_of(
        settings.vault,
        VaultRole(role_id=settings.vault.role_id, secret_id_file=settings.vault.secret_id_file),
    )
    rotating = _rotating(own, _uses(settings.vault)) if own else []
    store = SecretStore(own) if own else None
    reading: Activities = (
        [SecretPathActivities(store).list_secrets, ExpiryActivities(store).find_expiring]
        if store
        else []
    )
    return [*signing, tenants.ensure_vault_tenant, *rotating, *reading]


def _uses(vault: VaultSettings) -> SecretUses | None:
    if vault.audit_log is None:
        return None
    others = (vault.tenants, vault.plane, vault.planes, vault.api)
    return SecretUses(vault.audit_log, {vault.role_id, *(one.role_id for one in others)})


def _rotating(session: VaultSession, uses: SecretUses | None) -> Activities:
    parts = (SecretStore(session), AppRoles(session), DatabaseRoles(), Issuers(session))
    steps, trust = RotationActivities(*parts, uses), TrustActivities(*parts)
    return [
        trust.make_trust,
        trust.use_trust,
        trust.use_first,
        trust.make_last,
        trust.use_last,
        trust.forget_issuers,
        trust.withdraw_trust,
        steps.inspect_secret,
        steps.create_version,
        steps.give_to_target,
        steps.test_version,
        steps.use_version,
        steps.use_version_before,
        steps.observe_old_users,
        steps.lock_old,
        steps.unlock_old,
        steps.destroy_old,
        steps.withdraw_new,
    ]
