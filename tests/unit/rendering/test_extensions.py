"""What gateways do beyond the Gateway API: limits, retries, circuit breaking, tokens."""

from __future__ import annotations

from typing import Any

import pytest

from domain.dependencies import Interfaces
from domain.rendering import RenderedRelease, render_release
from domain.rendering.waves import waves
from domain.resources.interfaces import Endpoint
from domain.resources.planes import DataPlane
from tests.unit.rendering.samples import of_type, one, resource
from tests.unit.rendering.test_routes import GRPC, HTTP, TCP, plane, policy, refusal, routed

pytestmark = pytest.mark.unit

LIMIT: dict[str, Any] = {"rateLimit": {"requests": 10, "per": "Minute"}}
TRAEFIK: dict[str, Any] = {
    "gatewayControllers": ["traefik.io/gateway-controller"],
    "gatewayExtensions": ["Middleware.traefik.io/v1alpha1"],
}
ENVOY: dict[str, Any] = {
    "gatewayControllers": ["gateway.envoyproxy.io/gatewayclass-controller"],
    "gatewayExtensions": [
        "BackendTrafficPolicy.gateway.envoyproxy.io/v1alpha1",
        "SecurityPolicy.gateway.envoyproxy.io/v1alpha1",
    ],
}
ISSUER: dict[str, Any] = {
    "issuer": "https://login.example.org",
    "jwksUri": "https://login.example.org/keys",
}
TOKENS: dict[str, Any] = {"gateway": {"dnsPrefix": "dev", "enableJWTAuth": True, "jwt": ISSUER}}


def beyond(release: RenderedRelease) -> dict[str, dict[str, Any]]:
    """Returns what each Middleware says, by what it does, in the order of the route's filters."""
    (rule,) = one(release, "HTTPRoute")["spec"]["rules"]
    named = [
        each["extensionRef"]["name"] for each in rule.get("filters", ()) if "extensionRef" in each
    ]
    made = {
        each["metadata"]["name"]: each["spec"]
        for each in release.objects
        if each["kind"] == "Middleware"
    }
    assert sorted(named) == sorted(made)
    return {what: said for name in named for what, said in made[name].items()}


def test_traefik_is_told_by_middlewares_that_stand_before_the_route() -> None:
    said = policy(
        **LIMIT, retries=2, circuitBreaker={"errorPercent": 30}, responseHeaders={"remove": ["Via"]}
    )
    release = routed(HTTP, interfaces=said, data_plane=plane(**TRAEFIK))

    told = beyond(release)
    assert list(told) == ["rateLimit", "circuitBreaker", "retry"]
    assert told["rateLimit"] == {"average": 10, "period": "1m", "burst": 10}
    assert told["retry"]["attempts"] == 3
    assert "NetworkErrorRatio() > 0.30" in told["circuitBreaker"]["expression"]
    order = [each["kind"] for wave in waves(release.objects) for each in wave]
    assert order.index("Middleware") < order.index("HTTPRoute")
    burst = policy(rateLimit={"requests": 10, "burst": 40})
    assert beyond(routed(HTTP, interfaces=burst, data_plane=plane(**TRAEFIK)))["rateLimit"] == {
        "average": 10,
        "period": "1s",
        "burst": 40,
    }


def test_no_two_places_share_a_middleware_however_traefik_joins_their_names() -> None:
    found = plane(**TRAEFIK)
    one_of = routed(HTTP | {"name": "b-c"}, interfaces=_about("b-c", **LIMIT), data_plane=found)
    names = {each["metadata"]["name"] for each in one_of.objects if each["kind"] == "Middleware"}
    api = of_type("API", name="web-b").model_copy(
        update={"interfaces": _about("http", "web-b", **LIMIT), "data_plane": found}
    )
    others = render_release(api).objects
    names |= {each["metadata"]["name"] for each in others if each["kind"] == "Middleware"}
    assert len(names) == 2


def _about(endpoint: str, component: str = "web", **said: Any) -> Interfaces:
    spec = {"backendRef": {"componentRef": component, "endpoint": endpoint}, "gateway": said}
    return Interfaces(endpoints=(resource(Endpoint, "front", spec),))


def test_where_routes_can_say_that_something_is_tried_again_no_middleware_does() -> None:
    able = plane(**TRAEFIK, gatewayFeatures=["HTTPRouteRetry"])
    release = routed(HTTP, interfaces=policy(retries=2), data_plane=able)
    assert beyond(release) == {}
    (rule,) = one(release, "HTTPRoute")["spec"]["rules"]
    assert rule["retry"] == {"attempts": 2}


def test_envoy_gateway_is_told_by_a_policy_of_the_route_whose_word_is_waited_for() -> None:
    release = routed(HTTP, interfaces=policy(**LIMIT), data_plane=plane(**ENVOY))

    spec = one(release, "BackendTrafficPolicy")["spec"]
    assert spec["targetRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "web"}
    ]
    for rule in spec["rateLimit"]["local"]["rules"]:
        assert rule["limit"] == {"requests": 10, "unit": "Minute"}
        (selector,) = rule["clientSelectors"]
        assert selector["sourceCIDR"]["type"] == "Distinct"
    assert "BackendTrafficPolicy" in {check.kind for check in release.health}
    assert "Middleware" not in {each["kind"] for each in release.objects}


def test_what_envoy_gateway_has_no_words_for_is_refused_by_name() -> None:
    found = plane(**ENVOY)
    burst = policy(rateLimit={"requests": 10, "burst": 40})
    assert "spec.gateway.rateLimit.burst" in refusal(interfaces=burst, data_plane=found)
    other = {"name": "admin", "port": 9000, "visibility": "public", "basePath": "/admin"}
    assert "say different things in spec.gateway.rateLimit" in refusal(
        HTTP, other, interfaces=policy(**LIMIT), data_plane=found
    )
    breaker = policy(circuitBreaker={"errorPercent": 30})
    assert "spec.gateway.circuitBreaker needs Traefik's" in refusal(
        interfaces=breaker, data_plane=found
    )


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"gatewayControllers": TRAEFIK["gatewayControllers"]},
        {"gatewayExtensions": TRAEFIK["gatewayExtensions"]},
        {**TRAEFIK, "gatewayControllers": ["a.example.org/x", "traefik.io/gateway-controller"]},
    ],
)
def test_a_limit_that_no_gateway_is_known_to_heed_is_refused_by_name(found: dict[str, Any]) -> None:
    told = refusal(interfaces=policy(**LIMIT), data_plane=plane(**found))
    assert told.startswith("Endpoint of web.http: spec.gateway.rateLimit needs")
    assert "the gateway of data plane local does not offer" in told


def test_a_limit_is_refused_where_nobody_has_looked_yet_and_where_nothing_is_counted() -> None:
    new = resource(DataPlane, "local", {})
    assert "nobody has looked yet" in refusal(interfaces=policy(**LIMIT), data_plane=new)
    told = refusal(GRPC, interfaces=_spoken("gRPC", "rpc"), data_plane=plane(**TRAEFIK))
    assert told.endswith("rateLimit counts HTTP requests, and rpc speaks gRPC")


def _spoken(protocol: str, endpoint: str) -> Interfaces:
    backend = {"componentRef": "web", "endpoint": endpoint}
    spec = {"backendRef": backend, "protocols": [protocol], "gateway": LIMIT}
    return Interfaces(endpoints=(resource(Endpoint, "front", spec),))


def test_where_tokens_are_demanded_a_policy_guards_each_route_and_stands_before_them() -> None:
    release = routed(HTTP, GRPC, environment=TOKENS, data_plane=plane(**ENVOY))

    guard = one(release, "SecurityPolicy")["spec"]
    assert {(each["kind"], each["name"]) for each in guard["targetRefs"]} == {
        ("HTTPRoute", "web"),
        ("GRPCRoute", "web.rpc"),
    }
    (provider,) = guard["jwt"]["providers"]
    assert provider["issuer"] == ISSUER["issuer"]
    assert provider["remoteJWKS"] == {"uri": ISSUER["jwksUri"]}
    order = [each["kind"] for wave in waves(release.objects) for each in wave]
    assert order.index("SecurityPolicy") < min(order.index("HTTPRoute"), order.index("GRPCRoute"))
    assert "SecurityPolicy" in {check.kind for check in release.health}


def test_no_route_is_open_where_tokens_are_demanded_and_not_checked() -> None:
    found = plane({"tcpListeners": []}, **ENVOY)
    unsaid = {"gateway": {"enableJWTAuth": True}}
    assert "does not say whose (spec.gateway.jwt)" in refusal(environment=unsaid, data_plane=found)
    assert "does not check" in refusal(environment=TOKENS, data_plane=plane(**TRAEFIK))
    listener = {"name": "db", "port": 15432, "environmentRef": "development"}
    open_port = {**listener, "componentRef": "web", "endpoint": "db"}
    given = plane({"tcpListeners": [open_port]}, **ENVOY)
    assert "speaks TCP, which has none" in refusal(TCP, environment=TOKENS, data_plane=given)
