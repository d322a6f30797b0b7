"""Everything a data plane is to have of an organization."""

from __future__ import annotations

from typing import Any

from domain.deliveries.tenants import TenantPlane
from domain.policies.tenants.images import Registries
from domain.rendering.tenants.access import Names, project_access
from domain.rendering.tenants.admission import image_admission
from domain.rendering.tenants.baseline import organization_denials
from domain.rendering.tenants.bounds import project_bounds, project_denial, project_namespace
from domain.resources import Metadata, Organization
from domain.resources.organization import OrganizationSpec, TenantSecurity
from domain.resources.rights.rules import AccessRule


def plane_objects(plane: TenantPlane) -> list[dict[str, Any]]:
    """Returns the objects in order of application: namespaces first."""
    spec = OrganizationSpec(
        access=tuple(AccessRule.model_validate(one, by_alias=True) for one in plane.access),
        security=TenantSecurity(allowed_registries=plane.allowed_registries),
    )
    organization = Organization(metadata=Metadata(name=plane.organization), spec=spec)
    names = Names(
        user_prefix=plane.user_prefix,
        group_prefix=plane.group_prefix,
        administrators=plane.administrators,
    )
    where = plane.organization
    namespaces = [
        project_namespace(where, one.project, one.environment, one.namespace)
        for one in plane.places
    ]
    objects: list[dict[str, Any]] = []
    if plane.policies == "Cilium":
        objects.append(organization_denials(where))
    for one in plane.places:
        objects.append(project_denial(where, one.project, one.environment, one.namespace))
        objects += project_access(organization, one.project, one.environment, one.namespace, names)
        objects += project_bounds(where, one.namespace, one.cpu, one.memory, plane.plane)
    registries = Registries(shared=plane.shared_registries, common=plane.common_folders)
    return [*namespaces, *objects, *image_admission(organization, registries)]
