"""Where each endpoint of a component is reached, by those who may call it."""

from __future__ import annotations

from domain.rendering.facts import ReleaseFacts
from domain.rendering.routing.hosts import host_names
from domain.rendering.routing.offers import is_encrypted
from domain.rendering.routing.streams import listener_of
from domain.resources.binding import EndpointAddress
from domain.resources.workload import EndpointType, WorkloadEndpoint

_USUAL_PORTS = {"http": 80, "https": 443}
_SCHEMES = {
    EndpointType.HTTP: "http",
    EndpointType.GRPC: "grpc",
    EndpointType.GRAPHQL: "http",
    EndpointType.WEBSOCKET: "ws",
    EndpointType.TCP: "tcp",
    EndpointType.TLS: "tls",
    EndpointType.UDP: "udp",
}
_SECURE = {"http": "https", "ws": "wss", "grpc": "grpcs"}


def addresses(facts: ReleaseFacts) -> tuple[EndpointAddress, ...]:
    """Returns the address of every endpoint, public ones first.

    Of those that are public it is the outer one, of all others that within the plane.

    Raises:
        InvalidRequest: A public endpoint that speaks TCP has no listener.
    """
    found = [
        EndpointAddress(
            name=one.name,
            type=one.type.value,
            visibility=one.visibility,
            url=_outer(facts, one) if one.visibility == "public" else _inner(facts, one),
        )
        for one in facts.endpoints
    ]
    return tuple(sorted(found, key=lambda one: (one.visibility != "public", one.name)))


def url(facts: ReleaseFacts) -> str:
    """Returns where the component answers, empty without a public endpoint.

    Of several endpoints that speak HTTP it is the one with the shortest path; without one it is
    the first by name.
    """
    public = facts.public_endpoints
    if not public:
        return ""
    return _outer(facts, min(public, key=lambda one: (not one.type.is_http, len(one.base_path))))


def _outer(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> str:
    entrance, gateway = facts.entrance, facts.data_plane.spec.gateway
    match endpoint.type:
        case EndpointType.TCP:
            return f"tcp://{entrance.domain}:{listener_of(facts, endpoint).port}"
        case EndpointType.TLS:
            return f"tls://{host_names(facts, endpoint)[0]}:{gateway.tls_port}"
        case _:
            told, number = entrance.scheme, entrance.port
            if is_encrypted(facts):
                told, number = "https", gateway.certificate_port
            port = "" if number == _USUAL_PORTS[told] else f":{number}"
            scheme = _SCHEMES[endpoint.type]
            scheme = _SECURE[scheme] if told == "https" else scheme
            host = f"{scheme}://{host_names(facts, endpoint)[0]}"
            if endpoint.type is EndpointType.GRPC:
                return f"{host}:{number}"  # a gRPC client knows no usual port
            return f"{host}{port}{facts.path_prefix}{endpoint.base_path}"


def _inner(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> str:
    host = f"{facts.component.name}.{facts.namespace}.svc"
    path = endpoint.base_path.rstrip("/") if endpoint.type.is_http else ""
    return f"{_SCHEMES[endpoint.type]}://{host}:{endpoint.port}{path}"
