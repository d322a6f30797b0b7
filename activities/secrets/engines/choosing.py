"""Chooses the engine of a rotation."""

from __future__ import annotations

from collections.abc import Mapping

from activities.secrets.engines.app_roles import AppRoleEngine
from activities.secrets.engines.contract import Engine
from activities.secrets.engines.databases import DatabaseEngine
from activities.secrets.engines.registries import RegistryEngine
from activities.secrets.engines.values import KvEngine
from clients.databases import DatabaseRoles
from clients.vault import SecretStore
from clients.vault.approles import AppRoles
from domain.deliveries.rotations import RotationPlan
from domain.errors import Denied, InvalidRequest
from domain.resources.rotation import RotationEngine


def engine_of(
    plan: RotationPlan, store: SecretStore, roles: DatabaseRoles, app_roles: AppRoles
) -> Engine:
    """Returns the engine of a rotation, but that of certificates, which trust needs too.

    Raises:
        Denied: There is no such engine in this version.
        InvalidRequest: The engine needs what the SecretRotation does not say.
    """
    if plan.engine == RotationEngine.KV:
        return KvEngine(plan.fields)
    if plan.engine == RotationEngine.DATABASE and plan.database is not None:
        return DatabaseEngine(plan.organization, plan.database, store, roles)
    if plan.engine == RotationEngine.APP_ROLE and plan.app_role:
        return AppRoleEngine(plan.organization, plan.app_role, app_roles)
    if plan.engine == RotationEngine.REGISTRY and plan.registry is not None:
        return RegistryEngine(plan.organization, plan.registry, store)
    if needed := _NEEDED.get(plan.engine):
        raise InvalidRequest(f"SecretRotation {plan.rotation}: {plan.engine} needs spec.{needed}")
    raise Denied(f"the engine {plan.engine} is not there yet: {', '.join(RotationEngine)} are")


_NEEDED: Mapping[str, str] = {
    RotationEngine.DATABASE: "database",
    RotationEngine.APP_ROLE: "appRole",
    RotationEngine.PKI: "pki",
    RotationEngine.REGISTRY: "registry",
}
"""Engine -> the field of the SecretRotation that says what its target is."""
