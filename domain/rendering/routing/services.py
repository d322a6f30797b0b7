"""The Service of a component."""

from __future__ import annotations

import re
from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import component_labels, manifest, selector_labels
from domain.rendering.merge import merged
from domain.rendering.routing.offers import refuse_filled
from domain.resources.workload import EndpointType

_PROTOCOLS = {
    EndpointType.HTTP: "http",
    EndpointType.GRPC: "kubernetes.io/h2c",
    EndpointType.GRAPHQL: "http",
    EndpointType.WEBSOCKET: "kubernetes.io/ws",
    EndpointType.TCP: "tcp",
    EndpointType.TLS: "tls",
    EndpointType.UDP: "udp",
}
_FILLED = frozenset({"selector", "ports"})
_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def service(facts: ReleaseFacts) -> dict[str, Any] | None:
    """Returns the Service, None for a component that answers nobody.

    Raises:
        InvalidRequest: The component's name is none for a Service, or the class sets what is
            filled in.
    """
    if not facts.endpoints:
        return None
    if not _SERVICE_NAME.fullmatch(facts.component.name):
        raise InvalidRequest(
            f"component {facts.component.name} has endpoints, so its name must begin with a letter"
        )
    template = facts.running_class.service_template
    refuse_filled(facts, "serviceTemplate", set(template) & _FILLED)
    ports = [
        {
            "name": endpoint.name,
            "port": endpoint.port,
            "targetPort": endpoint.name,
            "protocol": endpoint.type.transport,
            "appProtocol": _PROTOCOLS[endpoint.type],
        }
        for endpoint in facts.endpoints
    ]
    spec = merged({"type": "ClusterIP"}, template)
    spec |= {"selector": selector_labels(facts), "ports": ports}
    labels = component_labels(facts)
    return manifest("v1", "Service", facts.component.name, facts.namespace, labels, spec=spec)
