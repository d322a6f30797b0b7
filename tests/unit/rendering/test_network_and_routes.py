from __future__ import annotations

from typing import Any

import pytest

from domain.errors import InvalidRequest
from domain.rendering import GatewayDefaults
from tests.unit.rendering.samples import one, rendered

pytestmark = pytest.mark.unit

GRPC_AND_HTTP = [
    {"name": "http", "port": 8080, "visibility": "public"},
    {"name": "grpc", "port": 9000, "type": "gRPC", "visibility": "organization"},
    {"name": "admin", "port": 9999, "type": "TCP"},
]


def endpoints(*given: dict[str, Any]) -> dict[str, Any]:
    return {"endpoints": list(given)}


def refusal(**changes: Any) -> str:
    with pytest.raises(InvalidRequest) as refused:
        rendered(**changes)
    return refused.value.message


def test_nothing_talks_in_a_namespace_unless_declared() -> None:
    policy = one(rendered(), "NetworkPolicy", "pavane-default-deny")
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_service_has_a_port_for_each_endpoint() -> None:
    spec = one(rendered(workload=endpoints(*GRPC_AND_HTTP)), "Service")["spec"]
    assert [(port["name"], port["port"], port["appProtocol"]) for port in spec["ports"]] == [
        ("admin", 9999, "tcp"),
        ("grpc", 9000, "kubernetes.io/h2c"),
        ("http", 8080, "http"),
    ]
    assert spec["selector"] == {"choreo.dev/component": "web"}
    assert spec["type"] == "ClusterIP"


def test_component_without_endpoints_has_neither_service_nor_route_nor_url() -> None:
    release = rendered(workload=endpoints())
    assert not {"Service", "HTTPRoute"} & {each["kind"] for each in release.objects}
    assert release.url == ""
    assert one(release, "NetworkPolicy")["spec"]["ingress"] == []


def test_endpoint_that_is_not_public_gets_no_route() -> None:
    release = rendered(workload=endpoints({"name": "http", "port": 80, "visibility": "project"}))
    assert "HTTPRoute" not in {each["kind"] for each in release.objects}
    assert release.url == ""


def test_route_binds_to_the_installation_s_gateway_by_default() -> None:
    release = rendered(gateway=GatewayDefaults(name="edge", namespace="gateways", port=8088))
    spec = one(release, "HTTPRoute")["spec"]
    assert spec["parentRefs"] == [{"name": "edge", "namespace": "gateways"}]
    assert spec["hostnames"] == ["web.shop.acme.dev.localhost"]
    assert release.url == "http://web.shop.acme.dev.localhost:8088/"


def test_plane_s_own_gateway_wins() -> None:
    gateway = {
        "name": "public",
        "namespace": "edge",
        "sectionName": "https",
        "domain": "apps.example.org",
        "scheme": "https",
        "port": 443,
    }
    release = rendered(plane={"gateway": gateway})
    spec = one(release, "HTTPRoute")["spec"]
    assert spec["parentRefs"] == [{"name": "public", "namespace": "edge", "sectionName": "https"}]
    assert release.url == "https://web.shop.acme.dev.apps.example.org/"


def test_public_endpoints_share_the_host_by_path() -> None:
    release = rendered(
        workload=endpoints(
            {"name": "api", "port": 8081, "visibility": "public", "basePath": "/api"},
            {"name": "ui", "port": 8080, "visibility": "public", "basePath": "/"},
        )
    )
    rules = one(release, "HTTPRoute")["spec"]["rules"]
    assert [
        (rule["matches"][0]["path"]["value"], rule["backendRefs"][0]["port"]) for rule in rules
    ] == [("/api", 8081), ("/", 8080)]
    assert release.url.endswith(".localhost/")


def test_url_names_the_path_of_the_only_public_endpoint() -> None:
    only = {"name": "api", "port": 8081, "visibility": "public", "basePath": "/api"}
    assert rendered(workload=endpoints(only)).url.endswith("localhost/api")


def test_class_gives_every_rule_its_time_limits() -> None:
    template = {"rules": [{"timeouts": {"request": "30s"}}]}
    spec = one(rendered(service_class={"routeTemplate": template}), "HTTPRoute")["spec"]
    assert spec["rules"][0]["timeouts"] == {"request": "30s"}
    assert spec["rules"][0]["backendRefs"] == [{"name": "web", "port": 8080}]


def test_class_may_shape_the_service() -> None:
    template = {"sessionAffinity": "ClientIP"}
    spec = one(rendered(service_class={"serviceTemplate": template}), "Service")["spec"]
    assert spec["sessionAffinity"] == "ClientIP"


@pytest.mark.parametrize(
    ("templates", "message"),
    [
        ({"serviceTemplate": {"ports": []}}, "spec.serviceTemplate.ports is filled in"),
        ({"routeTemplate": {"hostnames": ["x"]}}, "spec.routeTemplate.hostnames is filled in"),
        (
            {"routeTemplate": {"rules": [{"backendRefs": []}]}},
            "spec.routeTemplate.rules[0].backendRefs is filled in",
        ),
        ({"routeTemplate": {"rules": [{}, {}]}}, "spec.routeTemplate.rules must have one rule"),
        ({"routeTemplate": {"rules": ["x"]}}, "spec.routeTemplate.rules must have one rule"),
        ({"routeTemplate": {"rules": {"a": 1}}}, "spec.routeTemplate.rules must have one rule"),
    ],
)
def test_class_cannot_set_what_the_component_fills_in(
    templates: dict[str, Any], message: str
) -> None:
    assert refusal(service_class=templates).startswith(f"ServiceClass standard-service: {message}")


def test_two_public_endpoints_at_one_path_are_refused() -> None:
    both = endpoints(
        {"name": "a", "port": 1, "visibility": "public"},
        {"name": "b", "port": 2, "visibility": "public"},
    )
    assert refusal(workload=both) == (
        "Workload web: two public endpoints answer at the same basePath"
    )


def test_environment_that_demands_tokens_never_gets_an_open_route() -> None:
    gateway = {"gateway": {"dnsPrefix": "prod", "enableJWTAuth": True}}
    assert refusal(environment=gateway).startswith("environment development demands JWTs")
    assert rendered(environment=gateway, workload=endpoints()).url == ""


def test_service_name_begins_with_a_letter() -> None:
    assert "must begin with a letter" in refusal(name="2fa")
    assert rendered(name="2fa", workload=endpoints()).url == ""


def test_host_name_longer_than_dns_allows_is_refused() -> None:
    domain = ".".join(["a" * 60] * 4)
    assert "is longer than 253 characters" in refusal(plane={"gateway": {"domain": domain}})
