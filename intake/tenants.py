"""When an organization is to be set up, or set up again: pure functions of what exists."""

from __future__ import annotations

from dataclasses import dataclass

from domain.deliveries import Trigger
from domain.deliveries.tenants import TenantRequest
from domain.policies.tenants.leaving import remaining_on
from domain.policies.tenants.setup import setup_hash
from domain.resources import DataPlane, Environment, Organization, Project
from domain.resources.families import BINDINGS
from intake.world import World


@dataclass(frozen=True)
class SetUpTenant:
    """An organization, or what it is set up for, changed; who waits for a build is told too."""

    request: TenantRequest
    concurrency: int
    """How many of its builds may run."""


def wanted_tenant(
    organization: Organization, world: World, trigger: Trigger
) -> TenantRequest | None:
    """Returns what to ask for; None = it is set up, or about to go."""
    wanted = wanted_setup(organization, world)
    if organization.is_deleted or organization.status.setup == wanted:
        return None
    return TenantRequest(organization=organization.name, wanted=wanted, trigger=trigger)


def wanted_setup(organization: Organization, world: World) -> str:
    """Returns what the set-up of an organization would be made of now."""
    where = organization.name
    return setup_hash(
        organization,
        world.all_of(Project, where),
        world.all_of(Environment, where),
        world.all_of(DataPlane, where),
        remaining_on(
            world.all_of(Environment, where),
            (one for model in BINDINGS for one in world.all_of(model, where)),
        ),
    )
