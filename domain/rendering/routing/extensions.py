"""What a gateway does beyond the Gateway API, in the words of the gateway that the plane has.

Traefik is told by Middlewares that a rule names, Envoy Gateway by policies that name the route.
Where neither is known to serve all gateways of the plane, it is refused: what is applied and
ignored looks like protection and is none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from domain import ids
from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import component_labels, manifest
from domain.resources.class_parts import HealthRule
from domain.resources.endpoint_policy import EndpointPolicy
from domain.resources.workload import WorkloadEndpoint

MIDDLEWARE = "Middleware"
TRAFFIC_POLICY = "BackendTrafficPolicy"
SECURITY_POLICY = "SecurityPolicy"


class Gateways(StrEnum):
    """What serves gateways, by the name of its controller."""

    TRAEFIK = "traefik.io/gateway-controller"
    ENVOY = "gateway.envoyproxy.io/gatewayclass-controller"


_GROUPS = {Gateways.TRAEFIK: "traefik.io", Gateways.ENVOY: "gateway.envoyproxy.io"}
_PERIODS = {"Second": "1s", "Minute": "1m", "Hour": "1h"}
_EVERYBODY = ("0.0.0.0/0", "::/0")
_RETRY = "HTTPRouteRetry"
_SEEN = "c.observedGeneration >= object.metadata.generation"


def offers(facts: ReleaseFacts, gateways: Gateways, kind: str) -> bool:
    """Tells whether all gateways of the plane are served by it and its kind is there."""
    return bool(_api_version(facts, gateways, kind))


def retries_by_middleware(facts: ReleaseFacts) -> bool:
    """Tells whether a Middleware tries again what failed, as the gateway's routes cannot say so."""
    told = facts.data_plane.status.capabilities.gateway_features
    return _RETRY not in told and offers(facts, Gateways.TRAEFIK, MIDDLEWARE)


def check_offered(facts: ReleaseFacts, endpoint: WorkloadEndpoint, policy: EndpointPolicy) -> None:
    """Returns when the gateway can limit requests and break circuits as an endpoint says.

    Raises:
        InvalidRequest: It cannot, or nobody looked yet what it can.
    """
    traefik = offers(facts, Gateways.TRAEFIK, MIDDLEWARE)
    envoy = offers(facts, Gateways.ENVOY, TRAFFIC_POLICY)
    who = f"Endpoint of {facts.component.name}.{endpoint.name}: spec.gateway."
    plane = facts.data_plane
    lacking = (
        f"the gateway of data plane {plane.name} does not offer"
        if plane.status.checked is not None
        else f"nobody has looked yet whether the gateway of data plane {plane.name} offers"
    )
    if policy.rate_limit is not None:
        if not endpoint.type.is_http:
            raise InvalidRequest(
                f"{who}rateLimit counts HTTP requests, and {endpoint.name} speaks {endpoint.type}"
            )
        if not (traefik or envoy):
            raise InvalidRequest(
                f"{who}rateLimit needs Traefik's {MIDDLEWARE} or Envoy Gateway's {TRAFFIC_POLICY}, "
                f"which {lacking}"
            )
    if policy.circuit_breaker is not None and not traefik:
        raise InvalidRequest(f"{who}circuitBreaker needs Traefik's {MIDDLEWARE}, which {lacking}")


def middlewares(
    facts: ReleaseFacts, endpoint: WorkloadEndpoint, policy: EndpointPolicy
) -> list[dict[str, Any]]:
    """Returns the Middlewares of an endpoint, in the order in which they see a request."""
    if not offers(facts, Gateways.TRAEFIK, MIDDLEWARE):
        return []
    found: dict[str, Any] = {}
    if limit := policy.rate_limit:
        found["rateLimit"] = {
            "average": limit.requests,
            "period": _PERIODS[limit.per],
            "burst": limit.burst or limit.requests,
        }
    if breaker := policy.circuit_breaker:
        share = breaker.error_percent / 100
        found["circuitBreaker"] = {
            "expression": f"ResponseCodeRatio(500, 600, 0, 600) > {share:.2f} || "
            f"NetworkErrorRatio() > {share:.2f}"
        }
    if policy.retries and retries_by_middleware(facts):
        found["retry"] = {"attempts": policy.retries + 1, "initialInterval": "100ms"}
    return [
        _made(facts, Gateways.TRAEFIK, MIDDLEWARE, _name(facts, endpoint, what), {what: said})
        for what, said in found.items()
    ]


def references(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the filters by which a rule names its Middlewares."""
    group = _GROUPS[Gateways.TRAEFIK]
    return [
        {
            "type": "ExtensionRef",
            "extensionRef": {
                "group": group,
                "kind": MIDDLEWARE,
                "name": one["metadata"]["name"],
            },
        }
        for one in made
    ]


def traffic_policy(
    facts: ReleaseFacts, route: str, policies: dict[str, EndpointPolicy]
) -> dict[str, Any] | None:
    """Returns what limits the requests to an HTTPRoute of Envoy Gateway, None where nothing does.

    ``policies`` are those of its endpoints by name.

    Raises:
        InvalidRequest: The endpoints of the route say different things, or a limit says what Envoy
            Gateway has no words for.
    """
    if not offers(facts, Gateways.ENVOY, TRAFFIC_POLICY):
        return None
    limits = {name: one.rate_limit for name, one in policies.items()}
    limit = next(iter(limits.values()), None)
    if any(one != limit for one in limits.values()):
        raise InvalidRequest(
            f"{facts.component.name}: Envoy Gateway limits a component as a whole, and its public "
            f"endpoints {', '.join(sorted(limits))} say different things in spec.gateway.rateLimit"
        )
    if limit is None:
        return None
    if limit.burst not in {0, limit.requests}:
        raise InvalidRequest(
            f"Endpoint of {facts.component.name}: spec.gateway.rateLimit.burst is not known to "
            "Envoy Gateway, which lets through the requests of a period at once: leave it out"
        )
    counted = {"requests": limit.requests, "unit": limit.per}
    rules = [
        {
            "clientSelectors": [{"sourceCIDR": {"type": "Distinct", "value": addresses}}],
            "limit": counted,
        }
        for addresses in _EVERYBODY
    ]
    spec = {"targetRefs": [_target("HTTPRoute", route)], "rateLimit": {"local": {"rules": rules}}}
    return _made(facts, Gateways.ENVOY, TRAFFIC_POLICY, route, spec)


def security_policy(facts: ReleaseFacts, targets: list[tuple[str, str]]) -> dict[str, Any]:
    """Returns what lets only requests with a token of the environment's issuer to its routes.

    ``targets`` are kinds and names of routes.

    Raises:
        InvalidRequest: The gateway checks no tokens, or nobody's are named.
    """
    who, environment = facts.component.name, facts.environment
    if not offers(facts, Gateways.ENVOY, SECURITY_POLICY):
        # Fails closed: a route without the check would open to all what was meant for some.
        raise InvalidRequest(
            f"environment {environment.name} demands JWTs at public endpoints, which the gateway "
            f"of data plane {facts.data_plane.name} does not check (Envoy Gateway does, by its "
            f"{SECURITY_POLICY}): {who} cannot be public there"
        )
    issuer = environment.spec.gateway.jwt
    if issuer is None:
        raise InvalidRequest(
            f"environment {environment.name} demands JWTs at public endpoints and does not say "
            f"whose (spec.gateway.jwt): {who} cannot be public there"
        )
    provider: dict[str, Any] = {
        "name": "environment",
        "issuer": issuer.issuer,
        "remoteJWKS": {"uri": issuer.jwks_uri},
    }
    if issuer.audiences:
        provider["audiences"] = list(issuer.audiences)
    spec = {
        "targetRefs": [_target(kind, name) for kind, name in targets],
        "jwt": {"providers": [provider]},
    }
    return _made(facts, Gateways.ENVOY, SECURITY_POLICY, who, spec)


def extension_health(facts: ReleaseFacts) -> tuple[HealthRule, ...]:
    """Returns how it is told that Envoy Gateway took its policies. Of Traefik the route tells."""
    if facts.is_task:
        return ()
    return tuple(
        HealthRule(
            api_version=_api_version(facts, Gateways.ENVOY, kind),
            kind=kind,
            ready=_accepted("c.status == 'True'"),
            # The route may be seen after its policy.
            failed=_accepted("c.status == 'False' && c.reason != 'TargetNotFound'"),
            message=f"'{kind} ' + object.metadata.name",
        )
        for kind in (TRAFFIC_POLICY, SECURITY_POLICY)
        if offers(facts, Gateways.ENVOY, kind)
    )


def _accepted(holds: str) -> str:
    of_policy = f"c.type == 'Accepted' && {holds} && {_SEEN}"
    return f"object.status.ancestors.exists(a, a.conditions.exists(c, {of_policy}))"


def _api_version(facts: ReleaseFacts, gateways: Gateways, kind: str) -> str:
    """Returns the apiVersion of a kind that all gateways of the plane heed, empty = there is none.

    A route does not tell which class serves it, so one of several gateways is not enough.
    """
    found = facts.data_plane.status.capabilities
    if found.gateway_controllers != (gateways.value,):
        return ""
    group = _GROUPS[gateways]
    for one in found.gateway_extensions:
        name, _, version = one.partition("/")
        if name == f"{kind}.{group}":
            return f"{group}/{version}"
    return ""


def _made(
    facts: ReleaseFacts, gateways: Gateways, kind: str, name: str, spec: dict[str, Any]
) -> dict[str, Any]:
    api_version = _api_version(facts, gateways, kind)
    return manifest(api_version, kind, name, facts.namespace, component_labels(facts), spec=spec)


def _name(facts: ReleaseFacts, endpoint: WorkloadEndpoint, what: str) -> str:
    """Names a Middleware with a hash of its place.

    Traefik joins namespace and name by a hyphen, so names of two tenants could meet otherwise.
    """
    place = [facts.namespace, facts.component.name, endpoint.name, what]
    return ids.content_name(f"{facts.component.name}-{endpoint.name}-{what.lower()}", place)


def _target(kind: str, name: str) -> dict[str, str]:
    return {"group": "gateway.networking.k8s.io", "kind": kind, "name": name}
