"""What a route may ask of the gateway: names of its own project, at a Gateway that lets it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Denied, InvalidRequest
from domain.gateways import served as gateways
from domain.gateways.marks import CERTIFICATE, annotation
from domain.rendering.labels import ENVIRONMENT, ORGANIZATION, PROJECT

pytestmark = pytest.mark.unit

GATEWAY = {"name": "pavane", "namespace": "pavane-system"}
HOST = "*.shop.acme.dev.example.org"


def route(hostname: str = HOST, *names: str, namespace: str = "acme-shop-dev") -> dict[str, Any]:
    labels = {ORGANIZATION: "acme", PROJECT: "shop", ENVIRONMENT: "dev"}
    marks = annotation(GATEWAY, hostname, names)
    metadata = {"name": "web", "namespace": namespace, "labels": labels, "annotations": marks}
    return {"kind": "HTTPRoute", "metadata": metadata}


def found(*names: str) -> gateways.Served:
    one = gateways.served(route(HOST, *names))
    assert one is not None
    return one


def gateway(port: str = "8443", listeners: int = 1) -> dict[str, Any]:
    labels = {gateways.LISTENER_PORT: port} if port else {}
    spec = {"listeners": [{"name": f"l{number}"} for number in range(listeners)]}
    return {"metadata": {**GATEWAY, "labels": labels}, "spec": spec}


def test_the_listener_of_a_place_takes_its_own_routes_and_shows_its_own_secret() -> None:
    (one,) = gateways.listener(found(), 8443)["spec"]["listeners"]

    assert (one["name"], one["hostname"], one["port"]) == ("pavane-acme-shop-dev", HOST, 8443)
    assert one["allowedRoutes"]["namespaces"]["selector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "acme-shop-dev"
    }
    (shown,) = one["tls"]["certificateRefs"]
    (allowed,) = gateways.grant(found())["spec"]["to"]
    assert (shown["namespace"], shown["name"]) == ("acme-shop-dev", allowed["name"])


@pytest.mark.parametrize(
    "crafted",
    [
        route("*.shop.other.dev.example.org"),
        route("*.example.org"),
        route(HOST, "web.shop.other.dev.example.org"),
        route(HOST, "evilshop.acme.dev.example.org"),
        route(namespace="other-shop-dev"),
    ],
)
def test_names_and_places_of_others_are_refused(crafted: dict[str, Any]) -> None:
    with pytest.raises(Denied):
        gateways.served(crafted)


def test_an_annotation_that_cannot_be_read_is_refused_and_none_asks_for_nothing() -> None:
    broken, plain = route(), route()
    broken["metadata"]["annotations"] = {CERTIFICATE: "{}"}
    plain["metadata"]["annotations"] = {}

    with pytest.raises(InvalidRequest, match="cannot be read"):
        gateways.served(broken)
    assert gateways.served(plain) is None


def test_a_gateway_takes_listeners_only_where_its_owner_says_so_and_while_there_is_room() -> None:
    assert gateways.port_of(gateway(), found()) == 8443
    with pytest.raises(InvalidRequest, match="takes no listeners of Pavane"):
        gateways.port_of(gateway(port=""), found())
    full = gateway(listeners=64)
    with pytest.raises(InvalidRequest, match="64 is the most"):
        gateways.port_of(full, found())
    full["spec"]["listeners"][0]["name"] = found().listener
    assert gateways.port_of(full, found()) == 8443


def test_a_certificate_has_a_bounded_number_of_names() -> None:
    rpc = [f"rpc.c{number}{HOST[1:]}" for number in range(gateways.MOST_NAMES)]

    assert len(gateways.together(found(), rpc[1:]).names) == gateways.MOST_NAMES
    with pytest.raises(InvalidRequest, match="100 is the most"):
        gateways.together(found(), rpc)
