"""The routes by which everybody reaches a component."""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.routing.extensions import check_offered, security_policy
from domain.rendering.routing.http import http_route
from domain.rendering.routing.offers import refuse_filled
from domain.rendering.routing.streams import stream_routes
from domain.rendering.routing.traffic import policy_of
from domain.resources.workload import EndpointType

_ROUTE_FILLED = frozenset({"parentRefs", "hostnames"})
_RULE_FILLED = frozenset({"matches", "backendRefs"})
_GUARDED = frozenset({"HTTPRoute", "GRPCRoute"})


def routes(facts: ReleaseFacts) -> list[dict[str, Any]]:
    """Returns one HTTPRoute for all that is HTTP and one route for every other public endpoint.

    Before them stands what guards them.

    Raises:
        InvalidRequest: The class sets what is filled in, the environment demands what the gateway
            cannot do, or something is asked for that the plane does not offer.
    """
    if not facts.public_endpoints:
        return []
    template = dict(facts.running_class.route_template)
    refuse_filled(facts, "routeTemplate", set(template) & _ROUTE_FILLED)
    rule = _rule_template(facts, template)
    made = [*http_route(facts, template, rule), *stream_routes(facts, rule)]
    return [*_guards(facts, made), *made]


def _guards(facts: ReleaseFacts, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns what checks tokens, where the environment demands them."""
    for one in facts.public_endpoints:
        if not one.type.is_http:
            check_offered(facts, one, policy_of(facts, one))
    if not facts.environment.spec.gateway.enable_jwt_auth:
        return []
    for one in facts.public_endpoints:
        if not (one.type.is_http or one.type is EndpointType.GRPC):
            raise InvalidRequest(
                f"environment {facts.environment.name} demands JWTs at public endpoints, and "
                f"endpoint {one.name} of {facts.component.name} speaks {one.type}, which has none"
            )
    routes_made = [one for one in made if one["kind"] in _GUARDED]
    targets = [(str(one["kind"]), str(one["metadata"]["name"])) for one in routes_made]
    return [security_policy(facts, targets)]


def _rule_template(facts: ReleaseFacts, template: dict[str, Any]) -> dict[str, Any]:
    """Returns what the class says about each rule, such as time limits and filters."""
    rules = template.get("rules") or [{}]
    if not isinstance(rules, list) or len(rules) != 1 or not isinstance(rules[0], dict):
        raise InvalidRequest(
            f"{facts.class_said}: spec.routeTemplate.rules must have one rule, which is used for "
            "every endpoint"
        )
    refuse_filled(facts, "routeTemplate.rules[0]", set(rules[0]) & _RULE_FILLED)
    return rules[0]
