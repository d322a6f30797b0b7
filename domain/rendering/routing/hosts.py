"""The names under which the public endpoints of a component are found."""

from __future__ import annotations

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.resources.workload import WorkloadEndpoint

_LONGEST = 253


def hostname(facts: ReleaseFacts, endpoint: WorkloadEndpoint | None = None) -> str:
    """Returns the host name: component, project, organization, environment, domain of the plane.

    One label each, so that no two components of any tenants can have the same name and a tenant's
    certificate can cover its own names only. All endpoints that speak HTTP share it by path. Every
    other one has a name of its own, with a label more: a gateway takes a name for one kind of route
    only.

    Raises:
        InvalidRequest: The name is longer than DNS allows.
    """
    place = f"{facts.environment.dns_prefix}.{facts.entrance.domain}"
    name = f"{facts.component.name}.{facts.project}.{facts.organization}.{place}"
    if endpoint is not None and not endpoint.type.is_http:
        name = f"{endpoint.name}.{name}"
    if len(name) > _LONGEST:
        raise InvalidRequest(
            f"component {facts.component.name} cannot be public in {facts.environment.name}: its "
            f"host name {name} is longer than {_LONGEST} characters"
        )
    return name
