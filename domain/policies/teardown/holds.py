"""Which resources Kubernetes may not delete before the platform has taken down what they stand for.

A binding is held once something of it may be on a plane. Whatever a held resource names is held as
well, up to the plane: so nothing that is needed to take it down is gone before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.resources.base import Resource
from domain.resources.component import Component, Project
from domain.resources.configuration import ConfigurationGroup
from domain.resources.environment import Environment
from domain.resources.families import CLASSES
from domain.resources.organization import Organization
from domain.resources.pipeline import DeploymentPipeline
from domain.resources.planes import BuildPlane, DataPlane

UNDEPLOY = "choreo.dev/undeploy"
"""Keeps a binding that is being deleted until its objects are gone from the plane."""
TEARDOWN = "choreo.dev/teardown"
"""Keeps anything else that is being deleted until its teardown has ended."""

_GUARDED: tuple[type[Resource], ...] = (
    Organization,
    DataPlane,
    BuildPlane,
    Environment,
    DeploymentPipeline,
    Project,
    Component,
    ConfigurationGroup,
    *CLASSES,
)
GUARDED = frozenset(one.kind for one in _GUARDED)
"""Kinds with a teardown; of all others nothing is left when the resource is gone."""
_SET_UP = (Organization, DataPlane, BuildPlane, Environment, Project)
"""The set-up of an organization makes namespaces and rules for these, deployed or not."""


def is_held(resource: Resource) -> bool:
    """Tells whether its deletion waits for the platform."""
    return not {UNDEPLOY, TEARDOWN}.isdisjoint(resource.metadata.finalizers)


def is_torn_down(resource: Resource) -> bool:
    """Tells whether it is being deleted and its teardown has to end."""
    return resource.is_deleted and TEARDOWN in resource.metadata.finalizers


def may_be_held(resource: Resource) -> bool:
    """Tells whether a resource is of a kind with a teardown, stays, and is not held yet."""
    return (
        resource.kind in GUARDED
        and not resource.is_deleted
        and TEARDOWN not in resource.metadata.finalizers
    )


def wants_hold(
    resource: Resource, named_by: Iterable[Resource], organization: Organization | None
) -> bool:
    """Tells whether a resource is to be held and is not yet.

    Args:
        resource: Any resource.
        named_by: What names it; asked only where it matters.
        organization: Its organization; None = there is none.
    """
    if not may_be_held(resource):
        return False
    if isinstance(resource, _SET_UP) and organization is not None and organization.status.setup:
        return True
    return any(is_held(one) for one in named_by)
