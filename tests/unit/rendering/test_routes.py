"""Routes of each kind, what the gateway does with requests, and what a plane does not offer."""

from __future__ import annotations

from typing import Any

import pytest

from domain.dependencies import Interfaces
from domain.errors import InvalidRequest
from domain.gateways.hosts import HostRights, rights_of
from domain.gateways.marks import CERTIFICATE
from domain.gateways.served import served
from domain.rendering import RenderedRelease, render_release
from domain.resources.interfaces import Endpoint
from domain.resources.organization import Organization
from domain.resources.planes import DataPlane
from tests.unit.rendering.samples import of_type, one, rendered, resource

pytestmark = pytest.mark.unit

HOST = "web.shop.acme.dev.localhost"
HTTP = {"name": "http", "port": 8080, "visibility": "public"}
GRPC = {"name": "rpc", "port": 9000, "type": "gRPC", "visibility": "public"}
TLS = {"name": "mqtt", "port": 8883, "type": "TLS", "visibility": "public"}
TCP = {"name": "db", "port": 5432, "type": "TCP", "visibility": "public"}
LISTENER = {
    "name": "web-db",
    "port": 15432,
    "environmentRef": "development",
    "componentRef": "web",
    "endpoint": "db",
}


def routed(*endpoints: dict[str, Any], **changes: Any) -> RenderedRelease:
    return rendered(workload={"endpoints": list(endpoints)}, **changes)


def plane(gateway: dict[str, Any] | None = None, **found: Any) -> DataPlane:
    """Returns a plane that was looked at, with this found on it."""
    capabilities = {"gatewayAPI": "v1", **found}
    return DataPlane.model_validate(
        {
            "metadata": {"name": "local", "namespace": "acme"},
            "spec": {"gateway": gateway or {}},
            "status": {"capabilities": capabilities, "checked": "2026-11-26T00:00:00Z"},
        }
    )


def policy(**said: Any) -> Interfaces:
    """Returns an Endpoint that says what the gateway does with requests to ``http``."""
    spec = {"backendRef": {"componentRef": "web", "endpoint": "http"}, "gateway": said}
    return Interfaces(endpoints=(resource(Endpoint, "web", spec),))


def refusal(*endpoints: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(InvalidRequest) as refused:
        routed(*(endpoints or (HTTP,)), **changes)
    return refused.value.message


def kinds(release: RenderedRelease) -> set[str]:
    return {each["kind"] for each in release.objects if each["kind"].endswith("Route")}


def test_each_protocol_gets_the_route_of_its_kind_and_a_host_name_of_its_own() -> None:
    gateway = {"tlsSectionName": "tls", "tcpListeners": [LISTENER]}
    release = routed(HTTP, GRPC, TLS, TCP, plane={"gateway": gateway})

    assert kinds(release) == {"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"}
    assert one(release, "HTTPRoute")["spec"]["hostnames"] == [HOST]
    rpc = one(release, "GRPCRoute", "web.rpc")["spec"]
    assert rpc["hostnames"] == [f"rpc.{HOST}"]
    assert rpc["rules"] == [{"backendRefs": [{"name": "web", "port": 9000}]}]
    tls = one(release, "TLSRoute", "web.mqtt")["spec"]
    assert (tls["hostnames"], tls["parentRefs"][0]["sectionName"]) == ([f"mqtt.{HOST}"], "tls")
    tcp = one(release, "TCPRoute", "web.db")["spec"]
    assert tcp["parentRefs"] == [
        {"name": "pavane", "namespace": "pavane-system", "sectionName": "web-db"}
    ]
    assert "hostnames" not in tcp


def test_every_endpoint_has_an_address_for_those_who_may_call_it() -> None:
    gateway = {"tlsSectionName": "tls", "tlsPort": 8443, "tcpListeners": [LISTENER]}
    inner = {"name": "admin", "port": 9999, "basePath": "/admin"}
    udp = {"name": "syslog", "port": 514, "type": "UDP"}
    socket = {"name": "live", "port": 8081, "type": "WebSocket", "visibility": "public"} | {
        "basePath": "/live"
    }
    release = routed(HTTP, GRPC, TLS, TCP, inner, udp, socket, plane={"gateway": gateway})

    assert {each.name: each.url for each in release.endpoints} == {
        "db": "tcp://localhost:15432",
        "http": f"http://{HOST}/",
        "live": f"ws://{HOST}/live",
        "mqtt": f"tls://mqtt.{HOST}:8443",
        "rpc": f"grpc://rpc.{HOST}:80",
        "admin": "http://web.acme-shop-development.svc:9999/admin",
        "syslog": "udp://web.acme-shop-development.svc:514",
    }
    assert release.url == f"http://{HOST}/"
    assert [each.visibility for each in release.endpoints][-2:] == ["project", "project"]


def test_udp_is_udp_wherever_it_is_named() -> None:
    release = routed({"name": "syslog", "port": 514, "type": "UDP"})
    (port,) = one(release, "Service")["spec"]["ports"]
    assert (port["protocol"], port["appProtocol"]) == ("UDP", "udp")
    (rule,) = one(release, "NetworkPolicy")["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "UDP", "port": 514}]
    (container,) = one(release, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["ports"][0]["protocol"] == "UDP"
    assert "readinessProbe" not in container


def test_tcp_and_tls_without_a_listener_are_refused_by_name() -> None:
    other = LISTENER | {"environmentRef": "production"}
    assert "(spec.gateway.tcpListeners)" in refusal(TCP)
    assert "(spec.gateway.tcpListeners)" in refusal(
        TCP, plane={"gateway": {"tcpListeners": [other]}}
    )
    assert "(spec.gateway.tlsSectionName)" in refusal(TLS)


def test_a_kind_of_route_that_the_plane_lacks_is_refused_by_name() -> None:
    found = plane(routeKinds=["HTTPRoute/v1"])
    assert refusal(GRPC, data_plane=found) == (
        "web needs a GRPCRoute, and the Gateway API of data plane local has HTTPRoute only"
    )
    assert kinds(routed(HTTP, data_plane=found)) == {"HTTPRoute"}
    assert "has no Gateway API" in refusal(HTTP, data_plane=plane(gatewayAPI=""))


def test_a_route_is_written_in_the_version_that_the_plane_has() -> None:
    found = plane({"tcpListeners": [LISTENER]}, routeKinds=["HTTPRoute/v1", "TCPRoute/v1alpha2"])
    route = one(routed(TCP, data_plane=found), "TCPRoute", "web.db")
    assert route["apiVersion"] == "gateway.networking.k8s.io/v1alpha2"


def test_the_gateway_does_with_requests_what_an_endpoint_says() -> None:
    said = policy(
        cors={"allowOrigins": ["https://example.org"], "allowMethods": ["GET"], "maxAgeSeconds": 9},
        requestHeaders={"set": [{"name": "X-From", "value": "outside"}], "remove": ["X-Debug"]},
        responseHeaders={"remove": ["Server"]},
        rewritePath="/v2",
        timeoutSeconds=5,
    )
    (rule,) = one(routed(HTTP, interfaces=said), "HTTPRoute")["spec"]["rules"]
    assert rule["timeouts"] == {"request": "5s"}
    assert {each["type"]: each for each in rule["filters"]} == {
        "CORS": {
            "type": "CORS",
            "cors": {
                "allowOrigins": ["https://example.org"],
                "allowMethods": ["GET"],
                "maxAge": 9,
            },
        },
        "RequestHeaderModifier": {
            "type": "RequestHeaderModifier",
            "requestHeaderModifier": {
                "set": [{"name": "X-From", "value": "outside"}],
                "remove": ["X-Debug"],
            },
        },
        "ResponseHeaderModifier": {
            "type": "ResponseHeaderModifier",
            "responseHeaderModifier": {"remove": ["Server"]},
        },
        "URLRewrite": {
            "type": "URLRewrite",
            "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"}},
        },
    }


@pytest.mark.parametrize(
    ("said", "feature"),
    [
        ({"cors": {"allowOrigins": ["*"]}}, "HTTPRouteCORS"),
        ({"responseHeaders": {"remove": ["Server"]}}, "HTTPRouteResponseHeaderModification"),
        ({"rewritePath": "/v2"}, "HTTPRoutePathRewrite"),
        ({"timeoutSeconds": 5}, "HTTPRouteRequestTimeout"),
        ({"retries": 2}, "HTTPRouteRetry"),
    ],
)
def test_what_the_gateway_says_it_cannot_is_refused_by_name(
    said: dict[str, Any], feature: str
) -> None:
    without = plane(gatewayFeatures=["HTTPRouteMethodMatching"])
    assert f"needs {feature}" in refusal(interfaces=policy(**said), data_plane=without)
    able = plane(gatewayFeatures=[feature])
    assert kinds(routed(HTTP, interfaces=policy(**said), data_plane=able)) == {"HTTPRoute"}


def test_retries_need_a_gateway_that_says_it_can() -> None:
    """The usual Gateway API does not know the field, so not saying is not enough."""
    assert "needs HTTPRouteRetry" in refusal(interfaces=policy(retries=2))


def test_two_endpoints_that_contradict_each_other_are_refused() -> None:
    spec = {"backendRef": {"componentRef": "web"}, "gateway": {"timeoutSeconds": 9}}
    both = Interfaces(
        endpoints=(*policy(timeoutSeconds=5).endpoints, resource(Endpoint, "web-2", spec))
    )
    assert refusal(interfaces=both) == (
        "Endpoints web and web-2 say different things in spec.gateway about web.http: leave it to "
        "one of them"
    )


def test_a_class_and_an_endpoint_cannot_both_set_a_filter() -> None:
    filters = [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["X"]}}]
    template = {"routeTemplate": {"rules": [{"filters": filters}]}}
    said = policy(requestHeaders={"remove": ["Y"]})
    assert "has RequestHeaderModifier already" in refusal(service_class=template, interfaces=said)


def test_what_a_class_says_of_http_rules_is_never_left_out_of_grpc_silently() -> None:
    """A filter of the class may be what guards the route."""
    guard = {"type": "ExtensionRef", "extensionRef": {"group": "x", "kind": "Auth", "name": "a"}}
    template = {"routeTemplate": {"rules": [{"filters": [guard]}]}}
    route = one(routed(GRPC, service_class=template), "GRPCRoute", "web.rpc")
    assert route["spec"]["rules"][0]["filters"] == [guard]

    timeouts = {"routeTemplate": {"rules": [{"timeouts": {"request": "5s"}}]}}
    assert "timeouts is for HTTP, and endpoint rpc of web speaks gRPC" in refusal(
        GRPC, service_class=timeouts
    )
    cors = {"routeTemplate": {"rules": [{"filters": [{"type": "CORS", "cors": {}}]}]}}
    assert "filters has CORS, which is for HTTP" in refusal(GRPC, service_class=cors)


def test_an_api_s_version_is_rewritten_to_the_path_that_is_asked_for() -> None:
    facts = of_type("API", instance={"version": "v1"}).model_copy(
        update={"interfaces": policy(rewritePath="/inner")}
    )
    (rule,) = one(render_release(facts), "HTTPRoute")["spec"]["rules"]
    assert rule["matches"][0]["path"]["value"] == "/v1"
    (rewrite,) = rule["filters"]
    assert rewrite["urlRewrite"]["path"]["replacePrefixMatch"] == "/inner"


def test_what_has_no_effect_is_told_by_name() -> None:
    inner = HTTP | {"visibility": "project"}
    (told,) = routed(inner, interfaces=policy(timeoutSeconds=5)).notes
    assert told == (
        "Endpoint web: spec.gateway has no effect, as the gateway passes on public endpoints that "
        "speak HTTP, and http is for its project and speaks HTTP"
    )
    template = {"routeTemplate": {"rules": [{"timeouts": {"request": "30s"}}]}}
    (told,) = routed(HTTP, service_class=template, interfaces=policy(timeoutSeconds=5)).notes
    assert "spec.gateway.timeoutSeconds has no effect" in told


def test_a_time_limit_of_a_class_that_the_gateway_ignores_is_told() -> None:
    limited = of_type("API", component_class={"requestTimeoutSeconds": 5})
    rewrites = "HTTPRoutePathRewrite"
    for features, told in (([rewrites], 1), ([rewrites, "HTTPRouteRequestTimeout"], 0), ([], 0)):
        known = limited.model_copy(update={"data_plane": plane(gatewayFeatures=features)})
        notes = render_release(known).notes
        assert len(notes) == told
        assert all("spec.requestTimeoutSeconds has no effect" in one for one in notes)


SIGNED = {"domain": "example.org", "certificateIssuer": "letters"}


def test_a_component_gets_a_certificate_and_listeners_for_its_own_names_only() -> None:
    release = routed(HTTP, GRPC, plane={"gateway": SIGNED})
    host = "web.shop.acme.dev.example.org"

    certificate = one(release, "Certificate")["spec"]
    assert certificate["dnsNames"] == [f"rpc.{host}", host]
    assert certificate["issuerRef"] == {"kind": "ClusterIssuer", "name": "letters"}
    spec = one(release, "ListenerSet")["spec"]
    assert spec["parentRef"]["name"] == "pavane"
    assert {each["hostname"] for each in spec["listeners"]} == {host, f"rpc.{host}"}
    assert {each["protocol"] for each in spec["listeners"]} == {"HTTPS"}
    for each in spec["listeners"]:
        assert each["tls"]["certificateRefs"] == [{"name": certificate["secretName"]}]
    # To the gateway as well, it would answer without encryption.
    for kind, name in (("HTTPRoute", "web"), ("GRPCRoute", "web.rpc")):
        (parent,) = one(release, kind, name)["spec"]["parentRefs"]
        assert (parent["kind"], parent["name"]) == ("ListenerSet", "web")
    assert release.url == f"https://{host}/"
    assert {each.url for each in release.endpoints} == {
        f"https://{host}/",
        f"grpcs://rpc.{host}:443",
    }
    assert {check.kind for check in release.health} == {"Certificate", "ListenerSet"}


def test_a_certificate_needs_a_manager_and_a_gateway_that_takes_listeners() -> None:
    kinds_there = {"routeKinds": ["HTTPRoute/v1", "ListenerSet/v1"]}
    without = plane(SIGNED, **kinds_there)
    assert "has no cert-manager" in refusal(HTTP, data_plane=without)
    managed = {**kinds_there, "certManager": "v1"}
    unable = plane(SIGNED, **managed, gatewayFeatures=["HTTPRouteCORS"])
    assert "needs ListenerSet" in refusal(HTTP, data_plane=unable)
    lacking = plane(SIGNED, certManager="v1", routeKinds=["HTTPRoute/v1"])
    assert "needs a ListenerSet" in refusal(HTTP, data_plane=lacking)
    able = plane(SIGNED, **managed, gatewayFeatures=["ListenerSet"])
    assert kinds(routed(HTTP, data_plane=able)) == {"HTTPRoute"}


def test_what_nobody_reaches_needs_no_certificate() -> None:
    inner = HTTP | {"visibility": "organization"}
    release = routed(inner, plane={"gateway": SIGNED})
    assert not {"Certificate", "ListenerSet"} & {each["kind"] for each in release.objects}


def test_where_openbao_signs_routes_attach_to_the_listener_of_their_place_only() -> None:
    signed = {"domain": "example.org", "certificateAuthority": "OpenBao", "certificatePort": 8443}
    release = routed(HTTP, GRPC, plane={"gateway": signed})
    host = "web.shop.acme.dev.example.org"

    assert not {"Certificate", "ListenerSet"} & {each["kind"] for each in release.objects}
    asked = []
    for kind, name in (("HTTPRoute", "web"), ("GRPCRoute", "web.rpc")):
        made = one(release, kind, name)
        (parent,) = made["spec"]["parentRefs"]
        found = served(made)
        assert found is not None
        assert parent == {
            "name": found.gateway,
            "namespace": found.gateway_namespace,
            "sectionName": found.listener,
        }
        asked.append((found.hostname, found.names))
    place = "*.shop.acme.dev.example.org"
    assert asked == [(place, (place,)), (place, (place, f"rpc.{host}"))]
    assert release.url == f"https://{host}:8443/"
    assert release.health == ()


def test_a_class_cannot_ask_for_certificates_itself() -> None:
    annotations = {CERTIFICATE: "{}"}
    metadata = {"name": "x", "annotations": annotations}
    crafted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    assert "Pavane's own annotation" in refusal(service_class={"objects": [crafted]})


def hosts(*named: tuple[str, str], **rights: Any) -> dict[str, Any]:
    """Returns what an Endpoint chooses, by environment, and what its organization may."""
    claims = [{"environmentRef": where, "host": host} for where, host in named]
    spec = {"backendRef": {"componentRef": "web", "endpoint": "http"}, "hosts": claims}
    given = {"domains": ("example.org",), **rights}
    return {
        "interfaces": Interfaces(endpoints=(resource(Endpoint, "front", spec),)),
        "hosts": HostRights(**given),
    }


WWW = ("development", "www.example.org")


def test_an_endpoint_answers_under_a_name_of_its_own_in_the_environment_that_is_named() -> None:
    release = routed(HTTP, **hosts(WWW, ("production", "shop.example.org")))

    assert one(release, "HTTPRoute")["spec"]["hostnames"] == ["www.example.org", HOST]
    assert release.url == "http://www.example.org/"
    signed = routed(HTTP, plane={"gateway": {**SIGNED, "domain": "plane.test"}}, **hosts(WWW))
    listeners = one(signed, "ListenerSet")["spec"]["listeners"]
    assert "www.example.org" in {each["hostname"] for each in listeners}
    assert "www.example.org" in one(signed, "Certificate")["spec"]["dnsNames"]


@pytest.mark.parametrize(
    ("host", "rights", "told"),
    [
        ("www.example.net", {}, "in no domain of organization acme, which has example.org"),
        ("myexample.org", {}, "in no domain"),
        ("www.example.org", {"of_others": (("example.org", "beta"),)}, "organization beta"),
        (
            "www.example.org",
            {"claims": (("www.example.org", "front"), ("www.example.org", "other"))},
            "Endpoints front and other ask for it",
        ),
        ("web.localhost", {"domains": ("web.localhost",)}, "are made by Pavane"),
    ],
)
def test_a_name_that_is_not_ones_own_is_refused_by_name(
    host: str, rights: dict[str, Any], told: str
) -> None:
    refused = refusal(HTTP, **hosts(("development", host), **rights))

    assert refused.startswith(f"Endpoint front: host name {host} refused: ")
    assert told in refused


def test_the_older_of_two_organizations_keeps_a_domain() -> None:
    def organization(name: str, year: int, *domains: str) -> Organization:
        born = {"name": name, "creationTimestamp": f"{year}-01-01T00:00:00Z"}
        return Organization.model_validate({"metadata": born, "spec": {"hostDomains": domains}})

    both = [
        organization("acme", 2025, "shop.example.org"),
        organization("beta", 2024, "example.org"),
    ]

    assert rights_of("acme", both, ()).of_others == (("example.org", "beta"),)
    assert rights_of("beta", both, ()).of_others == ()
    assert rights_of("beta", both, ()).domains == ("example.org",)
