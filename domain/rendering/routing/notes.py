"""What is declared of calls and requests that nothing on the plane does."""

from __future__ import annotations

from collections.abc import Iterator

from domain.dependencies import UNUSED_POLICY
from domain.dependencies.offers import declared_for
from domain.rendering.facts import ReleaseFacts
from domain.resources.classes import APIClassSpec
from domain.resources.endpoint_policy import EndpointPolicy
from domain.resources.workload import WorkloadEndpoint

_LIMIT = "HTTPRouteRequestTimeout"


def notes(facts: ReleaseFacts) -> tuple[str, ...]:
    """Returns what has no effect, by name and with the reason."""
    return (*_connections(facts), *_endpoints(facts), *_class(facts))


def _connections(facts: ReleaseFacts) -> Iterator[str]:
    for one in facts.interfaces.dependencies:
        if one.has_policy:
            yield f"Connection {one.connection}: {UNUSED_POLICY}"


def _endpoints(facts: ReleaseFacts) -> Iterator[str]:
    if facts.is_task:
        return
    timed = any(
        one.get("timeouts")
        for one in facts.running_class.route_template.get("rules") or ()
        if isinstance(one, dict)
    )
    for endpoint in facts.endpoints:
        for one in declared_for(endpoint.name, facts.workload, facts.interfaces.endpoints):
            policy = one.spec.gateway
            if policy == EndpointPolicy():
                continue
            if endpoint.visibility != "public" or not endpoint.type.is_http:
                yield (
                    f"Endpoint {one.name}: spec.gateway has no effect, as the gateway passes on "
                    f"public endpoints that speak HTTP, and {endpoint.name} is "
                    f"{_for(endpoint)} and speaks {endpoint.type}"
                )
            elif policy.timeout_seconds and timed:
                yield (
                    f"Endpoint {one.name}: spec.gateway.timeoutSeconds has no effect, as "
                    f"{facts.class_said} sets timeouts"
                )


def _class(facts: ReleaseFacts) -> Iterator[str]:
    spec = facts.component_class.spec
    features = facts.data_plane.status.capabilities.gateway_features
    limited = isinstance(spec, APIClassSpec) and spec.request_timeout_seconds
    if limited and facts.public_endpoints and features and _LIMIT not in features:
        yield (
            f"{facts.class_said}: spec.requestTimeoutSeconds has no effect, as the gateway of data "
            f"plane {facts.data_plane.name} does not offer {_LIMIT}"
        )


def _for(endpoint: WorkloadEndpoint) -> str:
    return "public" if endpoint.visibility == "public" else f"for its {endpoint.visibility}"
