"""Certificates for the host names of a component, and the listeners that show them.

cert-manager makes the key and has it signed; it never leaves the plane. A listener takes a
certificate of its own namespace, so it stands beside the component, in a ListenerSet. Where OpenBao
signs, the plane worker makes both from what the routes say (``domain.gateways``).
"""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidRequest
from domain.gateways.marks import annotation
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import annotated, component_labels, manifest
from domain.rendering.routing.hosts import hostname, own_hosts, project_hostname
from domain.rendering.routing.offers import (
    GROUP,
    LISTENER_SET,
    has_authority,
    has_issuer,
    needs,
    route,
    through,
)
from domain.resources.class_parts import HealthRule
from domain.resources.workload import EndpointType, WorkloadEndpoint

_SEEN = "c.status == 'True' && c.observedGeneration >= object.metadata.generation"
_CERT_MANAGER = "cert-manager.io/v1"


def certificates(facts: ReleaseFacts) -> list[dict[str, Any]]:
    """Returns Certificate and ListenerSet; nothing where the plane names no issuer.

    Raises:
        InvalidRequest: The plane was looked at and has no cert-manager, or its gateway takes no
            listeners of others.
    """
    names = _names(facts)
    if not (has_issuer(facts) and names):
        return []
    plane, gateway = facts.data_plane, facts.data_plane.spec.gateway
    if plane.status.checked is not None and not plane.status.capabilities.cert_manager:
        raise InvalidRequest(
            f"data plane {plane.name} has no cert-manager, which spec.gateway.certificateIssuer "
            "needs: install it, or leave the field empty"
        )
    needs(facts, LISTENER_SET, f"{facts.component.name}: a certificate")
    name, secret = facts.component.name, f"{facts.component.name}.tls"
    certificate = manifest(
        _CERT_MANAGER,
        "Certificate",
        name,
        facts.namespace,
        component_labels(facts),
        spec={
            "secretName": secret,
            "dnsNames": sorted(names.values()),
            "issuerRef": {"kind": "ClusterIssuer", "name": gateway.certificate_issuer},
            "privateKey": {"algorithm": "ECDSA", "rotationPolicy": "Always"},
            "usages": ["digital signature", "server auth"],
        },
    )
    listeners = [
        {
            "name": listener,
            "hostname": host,
            "port": gateway.certificate_port,
            "protocol": "HTTPS",
            "tls": {"mode": "Terminate", "certificateRefs": [{"name": secret}]},
        }
        for listener, host in sorted(names.items())
    ]
    entrance = {"group": GROUP, "kind": "Gateway", **through(facts)}
    spec = {"parentRef": entrance, "listeners": listeners}
    return [certificate, route(facts, LISTENER_SET, name, spec)]


def certificate_health(facts: ReleaseFacts) -> tuple[HealthRule, ...]:
    """Returns how it is told that the certificate is signed and its listeners show it."""
    if not has_issuer(facts):
        return ()
    return (
        HealthRule(
            api_version=_CERT_MANAGER,
            kind="Certificate",
            ready=f"object.status.conditions.exists(c, c.type == 'Ready' && {_SEEN})",
            message="'Certificate ' + object.metadata.name",
        ),
        HealthRule(
            api_version=f"{GROUP}/v1",
            kind=LISTENER_SET,
            ready=f"object.status.conditions.exists(c, c.type == 'Programmed' && {_SEEN})",
            message=f"'{LISTENER_SET} ' + object.metadata.name",
        ),
    )


def with_certificate(
    facts: ReleaseFacts, made: dict[str, Any], endpoint: WorkloadEndpoint | None = None
) -> dict[str, Any]:
    """Returns a route that says what OpenBao is to sign for it; as it is where that signs nothing.

    ``endpoint`` has a host name of its own; None = all that is HTTP, which share one.
    """
    if not has_authority(facts):
        return made
    extra = (hostname(facts, endpoint),) if endpoint is not None else ()
    return annotated(made, annotation(through(facts), project_hostname(facts), extra))


def _names(facts: ReleaseFacts) -> dict[str, str]:
    """Returns listener -> host name: what is HTTP shares one, each gRPC endpoint has its own.

    Names that Endpoints choose have one each besides.
    """
    found = {}
    for one in facts.public_endpoints:
        if one.type.is_http:
            found["http"] = hostname(facts)
        elif one.type is EndpointType.GRPC:
            found[f"grpc-{one.name}"] = hostname(facts, one)
        else:
            continue
        found |= {f"host-{name}": name for name in own_hosts(facts, one)}
    return found
