"""The routes by which everybody reaches a component."""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.routing.http import http_route
from domain.rendering.routing.offers import refuse_filled
from domain.rendering.routing.streams import stream_routes

_ROUTE_FILLED = frozenset({"parentRefs", "hostnames"})
_RULE_FILLED = frozenset({"matches", "backendRefs"})


def routes(facts: ReleaseFacts) -> list[dict[str, Any]]:
    """Returns one HTTPRoute for all that is HTTP and one route for every other public endpoint.

    Raises:
        InvalidRequest: The class sets what is filled in, the environment demands what the gateway
            cannot do, or something is asked for that the plane does not offer.
    """
    if not facts.public_endpoints:
        return []
    if facts.environment.spec.gateway.enable_jwt_auth:
        # Fails closed: a route without the check would open to all what was meant for some.
        raise InvalidRequest(
            f"environment {facts.environment.name} demands JWTs at public endpoints, which the "
            f"gateway of data plane {facts.data_plane.name} does not check: "
            f"{facts.component.name} cannot be public there"
        )
    template = dict(facts.running_class.route_template)
    refuse_filled(facts, "routeTemplate", set(template) & _ROUTE_FILLED)
    rule = _rule_template(facts, template)
    http = http_route(facts, template, rule)
    return [*([http] if http else []), *stream_routes(facts, rule)]


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
