"""Routes for what is no HTTP: gRPC by host name, TLS by host name, TCP by listener."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.routing.certificates import with_certificate
from domain.rendering.routing.hosts import host_names
from domain.rendering.routing.offers import parent, route
from domain.resources.plane_parts import GatewayListener
from domain.resources.workload import EndpointType, WorkloadEndpoint

_GRPC_FILTERS = frozenset(
    {"RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "ExtensionRef"}
)
_GRPC_FIELDS = frozenset({"filters", "name"})


def stream_routes(facts: ReleaseFacts, template: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Yields the routes of public endpoints that speak gRPC, TLS or TCP, one each.

    ``template`` is what the class says about each rule of an HTTPRoute.

    Raises:
        InvalidRequest: The plane has no such kind of route or no listener, or the class says of
            rules what a GRPCRoute does not know.
    """
    for endpoint in facts.public_endpoints:
        match endpoint.type:
            case EndpointType.GRPC:
                yield _grpc(facts, endpoint, template)
            case EndpointType.TLS:
                yield _tls(facts, endpoint)
            case EndpointType.TCP:
                yield _tcp(facts, endpoint)
            case _:
                continue


def listener_of(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> GatewayListener:
    """Returns the listener that the plane gives to an endpoint that speaks TCP.

    Raises:
        InvalidRequest: It gives none.
    """
    wanted = facts.environment.name, facts.component.name, endpoint.name
    for one in facts.data_plane.spec.gateway.tcp_listeners:
        if (one.environment_ref, one.component_ref, one.endpoint) == wanted:
            return one
    raise InvalidRequest(
        f"endpoint {endpoint.name} of {facts.component.name} speaks TCP, which has no host names: "
        f"data plane {facts.data_plane.name} has to give it a listener of its own for "
        f"{facts.environment.name} (spec.gateway.tcpListeners)"
    )


def _grpc(
    facts: ReleaseFacts, endpoint: WorkloadEndpoint, template: dict[str, Any]
) -> dict[str, Any]:
    """What the class says about rules may guard them, so nothing of it is left out silently."""
    if unknown := sorted(set(template) - _GRPC_FIELDS):
        raise InvalidRequest(
            f"{facts.class_said}: spec.routeTemplate.rules[0].{unknown[0]} is for HTTP, and "
            f"endpoint {endpoint.name} of {facts.component.name} speaks gRPC"
        )
    for one in template.get("filters") or ():
        if one.get("type") not in _GRPC_FILTERS:
            raise InvalidRequest(
                f"{facts.class_said}: spec.routeTemplate.rules[0].filters has {one.get('type')}, "
                f"which is for HTTP, and endpoint {endpoint.name} of {facts.component.name} speaks "
                "gRPC"
            )
    spec = {
        "parentRefs": [parent(facts)],
        "hostnames": host_names(facts, endpoint),
        "rules": [{**template, **_backend(facts, endpoint)}],
    }
    made = route(facts, "GRPCRoute", _name(facts, endpoint), spec)
    return with_certificate(facts, made, endpoint)


def _tls(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> dict[str, Any]:
    listener = facts.data_plane.spec.gateway.tls_section_name
    if not listener:
        raise InvalidRequest(
            f"endpoint {endpoint.name} of {facts.component.name} speaks TLS, and the gateway of "
            f"data plane {facts.data_plane.name} has no listener that passes it on "
            "(spec.gateway.tlsSectionName)"
        )
    spec = {
        "parentRefs": [parent(facts, listener)],
        "hostnames": host_names(facts, endpoint),
        "rules": [_backend(facts, endpoint)],
    }
    return route(facts, "TLSRoute", _name(facts, endpoint), spec)


def _tcp(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> dict[str, Any]:
    listener = listener_of(facts, endpoint)
    spec = {
        "parentRefs": [parent(facts, listener.name)],
        "rules": [_backend(facts, endpoint)],
    }
    return route(facts, "TCPRoute", _name(facts, endpoint), spec)


def _backend(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> dict[str, Any]:
    return {"backendRefs": [{"name": facts.component.name, "port": endpoint.port}]}


def _name(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> str:
    """Names a route by component and endpoint; a dot stands between, as names have none."""
    return f"{facts.component.name}.{endpoint.name}"
