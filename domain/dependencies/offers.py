"""Which endpoints a component offers: those of its Workload, opened further by Endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.resources.interfaces import Endpoint
from domain.resources.types import Visibility
from domain.resources.workload import EndpointType, Workload, WorkloadEndpoint

_WIDTH: tuple[Visibility, ...] = ("project", "organization", "public")


def offered(
    workload: Workload | None, declared: Iterable[Endpoint]
) -> tuple[WorkloadEndpoint, ...]:
    """Returns the endpoints in the Workload's order, each as visible as anything makes it.

    An Endpoint opens an endpoint further and never closes it. One with a problem opens nothing.
    """
    if workload is None:
        return ()
    endpoints = {one.name: one for one in workload.spec.endpoints}
    for each in sorted(declared, key=lambda one: one.name):
        if endpoint_problem(each, workload):
            continue
        named = _named(each, workload.spec.endpoints)
        before = endpoints[named.name]
        wider = max(before.visibility, each.spec.visibility, key=_WIDTH.index)
        endpoints[named.name] = before.model_copy(update={"visibility": wider})
    return tuple(endpoints.values())


def declared_for(
    name: str, workload: Workload | None, declared: Iterable[Endpoint]
) -> tuple[Endpoint, ...]:
    """Returns the Endpoints that are about one endpoint of a Workload, by name."""
    if workload is None:
        return ()
    known = workload.spec.endpoints
    about = [
        one
        for one in declared
        if not endpoint_problem(one, workload) and _named(one, known).name == name
    ]
    return tuple(sorted(about, key=lambda one: one.name))


def endpoint_problem(endpoint: Endpoint, workload: Workload | None) -> str:
    """Says why an Endpoint opens nothing; empty = it does."""
    backend = endpoint.spec.backend_ref
    if workload is None:
        return f"waiting until {backend.component_ref} has a Workload (a build makes it)"
    known = workload.spec.endpoints
    if not known or (backend.endpoint and backend.endpoint not in {one.name for one in known}):
        wanted = f"endpoint {backend.endpoint}" if backend.endpoint else "any endpoint"
        return (
            f"Workload {workload.name} does not have {wanted}: waiting until it does{_are(known)}"
        )
    named = _named(endpoint, known)
    if named.type not in endpoint.spec.protocols:
        told = ", ".join(endpoint.spec.protocols)
        return (
            f"endpoint {named.name} of Workload {workload.name} speaks {named.type}, and "
            f"spec.protocols says {told}: one of them has to change"
        )
    if named.type is EndpointType.UDP and endpoint.spec.visibility == "public":
        return f"endpoint {named.name} speaks UDP, which the gateway does not route"
    return ""


def visible(visibility: Visibility, *, same_project: bool) -> bool:
    """Tells whether a component of the same organization may call an endpoint."""
    return same_project or visibility != "project"


def _named(endpoint: Endpoint, known: Sequence[WorkloadEndpoint]) -> WorkloadEndpoint:
    wanted = endpoint.spec.backend_ref.endpoint
    return next((one for one in known if one.name == wanted), known[0])


def _are(known: Sequence[WorkloadEndpoint]) -> str:
    names = ", ".join(one.name for one in known)
    return f"; it has {names}" if names else ""
