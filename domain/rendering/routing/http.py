"""The HTTPRoute of a component: all its public endpoints that speak HTTP, by path."""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.routing import extensions
from domain.rendering.routing.certificates import with_certificate
from domain.rendering.routing.hosts import host_names
from domain.rendering.routing.offers import needs, parent, route
from domain.rendering.routing.traffic import filters, policy_of
from domain.resources.classes import APIClassSpec
from domain.resources.endpoint_policy import EndpointPolicy
from domain.resources.workload import WorkloadEndpoint


def http_route(
    facts: ReleaseFacts, template: dict[str, Any], rule: dict[str, Any]
) -> list[dict[str, Any]]:
    """Returns the HTTPRoute behind what it needs beyond the Gateway API, for it to be there first.

    Nothing for a component without a public endpoint that speaks HTTP.

    ``template`` is what the class says about the route, ``rule`` what it says about each rule.

    Raises:
        InvalidRequest: Two endpoints would answer at the same path, or something is asked for
            that the gateway does not offer.
    """
    endpoints = [one for one in facts.public_endpoints if one.type.is_http]
    if not endpoints:
        return []
    paths = [endpoint.base_path for endpoint in endpoints]
    if len(set(paths)) < len(paths):
        raise InvalidRequest(
            f"Workload {facts.workload.name}: two public endpoints answer at the same basePath"
        )
    name, policies = facts.component.name, {one.name: policy_of(facts, one) for one in endpoints}
    beyond, rules = [], []
    for one in endpoints:
        extensions.check_offered(facts, one, policies[one.name])
        made = extensions.middlewares(facts, one, policies[one.name])
        beyond += made
        rules.append(_rule(facts, rule, one, policies[one.name], extensions.references(made)))
    spec = {
        **template,
        "parentRefs": [parent(facts)],
        "hostnames": host_names(facts, *endpoints),
        "rules": rules,
    }
    limits = extensions.traffic_policy(facts, name, policies)
    made_route = with_certificate(facts, route(facts, "HTTPRoute", name, spec))
    return [*beyond, *([limits] if limits else []), made_route]


def _rule(
    facts: ReleaseFacts,
    rule: dict[str, Any],
    endpoint: WorkloadEndpoint,
    policy: EndpointPolicy,
    beyond: list[dict[str, Any]],
) -> dict[str, Any]:
    """Returns which requests go to an endpoint, and how; it sees no version in their paths.

    ``beyond`` are filters of the gateway's own, which come first.
    """
    path = f"{facts.path_prefix}{endpoint.base_path}".rstrip("/") or "/"
    found = {
        **rule,
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [{"name": facts.component.name, "port": endpoint.port}],
    }
    seen = policy.rewrite_path or (endpoint.base_path if facts.path_prefix else "")
    if added := [*beyond, *filters(facts, endpoint, policy, seen)]:
        found["filters"] = _together(facts, rule.get("filters") or (), added)
    if timeouts := rule.get("timeouts") or _timeouts(facts, policy):
        found["timeouts"] = timeouts
    if policy.retries and not extensions.retries_by_middleware(facts):
        told = f"Endpoint of {facts.component.name}.{endpoint.name}: spec.gateway.retries"
        needs(facts, "HTTPRouteRetry", told, told=True)
        found["retry"] = {"attempts": policy.retries}
    return found


def _timeouts(facts: ReleaseFacts, policy: EndpointPolicy) -> dict[str, str]:
    spec = facts.component_class.spec
    of_class = spec.request_timeout_seconds if isinstance(spec, APIClassSpec) else 0
    given = [one for one in (policy.timeout_seconds, of_class) if one]
    if policy.timeout_seconds:
        needs(facts, "HTTPRouteRequestTimeout", f"Endpoint of {facts.component.name}: a timeout")
    return {"request": f"{min(given)}s"} if given else {}


def _together(
    facts: ReleaseFacts, of_class: Any, added: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """A route may have one filter of most types, so the class and the Endpoint cannot both."""
    known = {one.get("type") for one in of_class} - {"ExtensionRef"}
    for one in added:
        if one["type"] in known:
            raise InvalidRequest(
                f"{facts.class_said}: spec.routeTemplate.rules[0].filters has {one['type']} "
                f"already, so an Endpoint of {facts.component.name} cannot ask for another one"
            )
    return [*of_class, *added]
