"""What an Endpoint says the gateway does with requests: CORS, headers, paths."""

from __future__ import annotations

from typing import Any

from domain.dependencies.offers import declared_for
from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.routing.offers import needs
from domain.resources.endpoint_policy import Cors, EndpointPolicy, HeaderChanges
from domain.resources.workload import WorkloadEndpoint


def policy_of(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> EndpointPolicy:
    """Returns what is declared of the requests to a public endpoint.

    Raises:
        InvalidRequest: Two Endpoints say different things about it.
    """
    declared = declared_for(endpoint.name, facts.workload, facts.interfaces.endpoints)
    said = [one for one in declared if one.spec.gateway != EndpointPolicy()]
    for one in said[1:]:
        if one.spec.gateway != said[0].spec.gateway:
            raise InvalidRequest(
                f"Endpoints {said[0].name} and {one.name} say different things in spec.gateway "
                f"about {facts.component.name}.{endpoint.name}: leave it to one of them"
            )
    return said[0].spec.gateway if said else EndpointPolicy()


def filters(
    facts: ReleaseFacts, endpoint: WorkloadEndpoint, policy: EndpointPolicy, seen_path: str
) -> list[dict[str, Any]]:
    """Returns the filters of an endpoint's rule.

    ``seen_path`` is what the component sees instead of the path that was matched; empty = that.

    Raises:
        InvalidRequest: The gateway does not offer one of them.
    """
    who = f"Endpoint of {facts.component.name}.{endpoint.name}:"
    found: list[dict[str, Any]] = []
    if policy.cors is not None:
        needs(facts, "HTTPRouteCORS", f"{who} spec.gateway.cors")
        found.append({"type": "CORS", "cors": _cors(policy.cors)})
    if changes := _headers(policy.request_headers):
        found.append({"type": "RequestHeaderModifier", "requestHeaderModifier": changes})
    if changes := _headers(policy.response_headers):
        needs(facts, "HTTPRouteResponseHeaderModification", f"{who} spec.gateway.responseHeaders")
        found.append({"type": "ResponseHeaderModifier", "responseHeaderModifier": changes})
    if seen_path:
        needs(facts, "HTTPRoutePathRewrite", f"{who} another path")
        replaced = {"type": "ReplacePrefixMatch", "replacePrefixMatch": seen_path}
        found.append({"type": "URLRewrite", "urlRewrite": {"path": replaced}})
    return found


def _cors(cors: Cors) -> dict[str, Any]:
    found: dict[str, Any] = {
        "allowOrigins": list(cors.allow_origins),
        "allowMethods": list(cors.allow_methods),
        "allowHeaders": list(cors.allow_headers),
        "exposeHeaders": list(cors.expose_headers),
        "maxAge": cors.max_age_seconds,
        "allowCredentials": cors.allow_credentials,
    }
    return {key: value for key, value in found.items() if value}


def _headers(changes: HeaderChanges) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if changes.set:
        found["set"] = [{"name": one.name, "value": one.value} for one in changes.set]
    if changes.remove:
        found["remove"] = list(changes.remove)
    return found
