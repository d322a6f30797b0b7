"""The names under which the public endpoints of a component are found."""

from __future__ import annotations

from domain.dependencies.offers import declared_for
from domain.errors import InvalidRequest
from domain.gateways.hosts import refusal
from domain.rendering.facts import ReleaseFacts
from domain.rendering.routing.offers import has_authority
from domain.resources.workload import WorkloadEndpoint

_LONGEST = 253


def host_names(facts: ReleaseFacts, *endpoints: WorkloadEndpoint) -> list[str]:
    """Returns all names of endpoints that share a route: those of their own first.

    Raises:
        InvalidRequest: One may not be used; says why.
    """
    own = [name for one in endpoints for name in own_hosts(facts, one)]
    return [*own, hostname(facts, endpoints[0])]


def own_hosts(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> list[str]:
    """Returns the names that Endpoints give an endpoint in the environment.

    Raises:
        InvalidRequest: One may not be used; says why.
    """
    found = []
    declared = declared_for(endpoint.name, facts.workload, facts.interfaces.endpoints)
    for each in declared:
        for claim in each.spec.hosts:
            if claim.environment_ref != facts.environment.name:
                continue
            why = refusal(claim.host, facts.hosts, facts.organization, facts.entrance.domain)
            if not why and has_authority(facts):
                why = "OpenBao signs for the names that Pavane makes only"
            if why:
                raise InvalidRequest(f"Endpoint {each.name}: host name {claim.host} refused: {why}")
            found.append(claim.host)
    return sorted(set(found))


def hostname(facts: ReleaseFacts, endpoint: WorkloadEndpoint | None = None) -> str:
    """Returns the host name: component, project, organization, environment, domain of the plane.

    One label each, so that no two components of any tenants can have the same name and a tenant's
    certificate can cover its own names only. All endpoints that speak HTTP share it by path. Every
    other one has a name of its own, with a label more: a gateway takes a name for one kind of route
    only.

    Raises:
        InvalidRequest: The name is longer than DNS allows.
    """
    name = f"{facts.component.name}.{_place(facts)}"
    if endpoint is not None and not endpoint.type.is_http:
        name = f"{endpoint.name}.{name}"
    if len(name) > _LONGEST:
        raise InvalidRequest(
            f"component {facts.component.name} cannot be public in {facts.environment.name}: its "
            f"host name {name} is longer than {_LONGEST} characters"
        )
    return name


def project_hostname(facts: ReleaseFacts) -> str:
    """Returns the wildcard of all components of the project in the environment."""
    return f"*.{_place(facts)}"


def _place(facts: ReleaseFacts) -> str:
    place = f"{facts.environment.dns_prefix}.{facts.entrance.domain}"
    return f"{facts.project}.{facts.organization}.{place}"
