"""What a component's network policy says, in both kinds, and what the component is told."""

from __future__ import annotations

from typing import Any

import pytest

from domain.dependencies import Dependency, DependencyState, Interfaces
from domain.errors import InvalidRequest
from domain.rendering import RenderedRelease
from domain.resources.interfaces import AllowedRequest, Endpoint
from domain.resources.workload import EndpointType
from tests.unit.rendering.samples import facts, main_container, one, rendered, resource

pytestmark = pytest.mark.unit

BILLING = Dependency(
    connection="billing",
    state=DependencyState.FOUND,
    component="billing",
    project="shop",
    endpoint="http",
    type=EndpointType.HTTP,
    base_path="/v1",
    port=8081,
    variable_prefix="BILLING",
)
LEDGER = BILLING.model_copy(
    update={
        "connection": "ledger",
        "component": "ledger",
        "project": "finance",
        "type": EndpointType.GRPC,
        "variable_prefix": "LEDGER",
    }
)
MAIL = Dependency(
    connection="mail",
    state=DependencyState.FOUND,
    host="mail.example.org",
    port=443,
    variable_prefix="MAIL",
)
RANGE = Dependency(
    connection="old",
    state=DependencyState.FOUND,
    cidr="192.0.2.0/24",
    port=5432,
    variable_prefix="OLD",
)
CILIUM = {"network": {"policies": "Cilium"}}
ENVOY = {"network": {"policies": "Cilium", "envoy": True}}


def calling(*dependencies: Dependency, **changes: Any) -> RenderedRelease:
    return rendered(interfaces=Interfaces(dependencies=dependencies), **changes)


def policy(release: RenderedRelease, kind: str = "NetworkPolicy") -> dict[str, Any]:
    spec: dict[str, Any] = one(release, kind)["spec"]
    return spec


def variables(release: RenderedRelease) -> dict[str, str]:
    return {each["name"]: each["value"] for each in main_container(release)["env"]}


def test_a_component_that_declares_nothing_reaches_only_the_name_server() -> None:
    egress = policy(rendered())["egress"]
    assert [port["port"] for rule in egress for port in rule["ports"]] == [53, 53]
    assert egress[0]["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ]


def test_each_visibility_admits_those_who_declared_a_connection() -> None:
    endpoints = [
        {"name": "http", "port": 8080, "visibility": "public"},
        {"name": "grpc", "port": 9000, "type": "gRPC", "visibility": "organization"},
        {"name": "admin", "port": 9999, "type": "TCP"},
    ]
    ingress = policy(rendered(workload={"endpoints": endpoints}))["ingress"]
    peers = {rule["ports"][0]["port"]: rule["from"] for rule in ingress}
    tenant = {"choreo.dev/organization": "acme", "choreo.dev/environment": "development"}
    assert peers[9999] == [
        {"podSelector": {"matchLabels": {"calls.choreo.dev/web.admin": "allowed"}}}
    ]
    assert peers[9000] == [
        {
            "namespaceSelector": {"matchLabels": tenant},
            "podSelector": {"matchLabels": {"calls.choreo.dev/web.grpc": "allowed"}},
        }
    ]
    assert peers[8080][1] == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "pavane-system"}}
    }


def test_a_connection_opens_the_way_out_and_carries_the_right_to_come_in() -> None:
    release = calling(BILLING, LEDGER)
    assert policy(release)["egress"][1:] == [
        {
            "to": [{"podSelector": {"matchLabels": {"choreo.dev/component": "billing"}}}],
            "ports": [{"port": 8081, "protocol": "TCP"}],
        },
        {
            "to": [
                {
                    "namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": "acme-finance-development"}
                    },
                    "podSelector": {"matchLabels": {"choreo.dev/component": "ledger"}},
                }
            ],
            "ports": [{"port": 8081, "protocol": "TCP"}],
        },
    ]
    labels = one(release, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert labels["calls.choreo.dev/billing.http"] == "allowed"
    assert labels["calls.choreo.dev/ledger.http"] == "allowed"


def test_policies_select_every_version_of_a_component() -> None:
    for release, kind in ((rendered(), "NetworkPolicy"), (rendered(plane=CILIUM), "Cilium")):
        name = "podSelector" if kind == "NetworkPolicy" else "endpointSelector"
        spec = policy(release, kind if kind == "NetworkPolicy" else "CiliumNetworkPolicy")
        assert len(spec[name]["matchLabels"]) == 1
        assert "web" in spec[name]["matchLabels"].values()


def test_addresses_of_what_is_called_are_told_to_the_process() -> None:
    told = variables(calling(BILLING, LEDGER, MAIL, RANGE))
    host = "billing.acme-shop-development.svc"
    assert (told["BILLING_HOST"], told["BILLING_PORT"]) == (host, "8081")
    assert told["BILLING_URL"] == f"http://{host}:8081/v1"
    assert told["LEDGER_HOST"] == "ledger.acme-finance-development.svc"
    assert "LEDGER_URL" not in told
    assert told["MAIL_URL"] == "https://mail.example.org"
    assert told["OLD_PORT"] == "5432"
    assert "OLD_HOST" not in told


def test_a_variable_that_a_person_sets_wins_over_an_address() -> None:
    declared = {"env": [{"name": "BILLING_URL", "value": "http://stub"}]}
    assert variables(calling(BILLING, container=declared))["BILLING_URL"] == "http://stub"


def test_two_connections_of_one_prefix_are_refused() -> None:
    other = LEDGER.model_copy(update={"variable_prefix": "BILLING"})
    with pytest.raises(InvalidRequest, match="would both set BILLING_HOST"):
        calling(BILLING, other)


def test_a_connection_that_leads_nowhere_is_waited_for() -> None:
    gone = BILLING.model_copy(
        update={"state": DependencyState.MISSING, "message": "waiting until billing is created"}
    )
    with pytest.raises(InvalidRequest) as refused:
        calling(gone)
    assert refused.value.facts["reason"] == "ReferenceMissing"
    assert refused.value.message == "Connection billing: waiting until billing is created"


def test_a_host_name_that_no_policy_knows_is_told_or_refused() -> None:
    release = calling(MAIL)
    assert "port 443 is open to every address outside" in release.notes[0]
    blocks = [peer["ipBlock"] for peer in policy(release)["egress"][1]["to"]]
    assert {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]} in blocks
    with pytest.raises(InvalidRequest, match="know no host names"):
        calling(MAIL, plane={"network": {"hostNames": "Refuse"}})


def test_cilium_opens_a_host_by_its_name_and_looks_at_its_name_server_s_answers() -> None:
    release = calling(MAIL, plane=CILIUM)
    dns, host = policy(release, "CiliumNetworkPolicy")["egress"]
    assert dns["toPorts"][0]["rules"] == {"dns": [{"matchPattern": "*"}]}
    assert host["toFQDNs"] == [{"matchName": "mail.example.org"}]
    assert release.notes == ()


def test_requests_are_looked_at_only_where_somebody_can() -> None:
    asked = (AllowedRequest(method="GET", path="/invoices/"), AllowedRequest())
    narrow = BILLING.model_copy(update={"requests": asked})
    egress = policy(calling(narrow, plane=ENVOY), "CiliumNetworkPolicy")["egress"]
    assert egress[1]["toPorts"][0]["rules"]["http"] == [
        {"method": "GET", "path": "/invoices([/?].*)?"},
        {},
    ]
    for plane in ({}, CILIUM):
        with pytest.raises(InvalidRequest, match="would let all through"):
            calling(narrow, plane=plane)


def test_cilium_s_word_that_a_policy_is_valid_is_waited_for() -> None:
    (rule,) = rendered(plane=CILIUM).health
    assert (rule.kind, "Valid" in rule.ready) == ("CiliumNetworkPolicy", True)
    assert rendered().health == ()


def test_an_endpoint_opens_what_the_workload_keeps_in_the_project() -> None:
    workload = {"endpoints": [{"name": "http", "port": 8080}]}
    opened = resource(
        Endpoint, "web", {"backendRef": {"componentRef": "web"}, "visibility": "public"}
    )
    release = rendered(workload=workload, interfaces=Interfaces(endpoints=(opened,)))
    assert release.url
    assert len(policy(release)["ingress"][0]["from"]) == len(("organization", "gateway"))
    assert not rendered(workload=workload).url


def test_a_class_gives_nobody_the_right_to_call() -> None:
    label = {"calls.choreo.dev/billing.http": "allowed"}
    with pytest.raises(InvalidRequest, match="those that declare a Connection"):
        rendered(template={"template": {"metadata": {"labels": label}}})
    with pytest.raises(InvalidRequest, match="those that declare a Connection"):
        rendered(service_class={"labels": label})


def test_order_of_connections_changes_nothing() -> None:
    first = calling(BILLING, LEDGER, MAIL).objects
    assert calling(MAIL, LEDGER, BILLING).objects == first
    assert facts().interfaces.hash == ""


def test_the_api_server_is_reached_only_where_it_is_declared_by_word_or_by_address() -> None:
    server = RANGE.model_copy(update={"cidr": "", "system": "APIServer", "port": 443})
    assert "kube-apiserver" not in str(policy(calling(MAIL, plane=CILIUM), "CiliumNetworkPolicy"))

    _, way = policy(calling(server, plane=CILIUM), "CiliumNetworkPolicy")["egress"]
    assert way["toEntities"] == ["kube-apiserver"]
    assert [group["ports"][0]["port"] for group in way["toPorts"]] == ["443", "6443"]
    with pytest.raises(InvalidRequest, match=r"name its addresses in spec\.network\.apiServer"):
        calling(server)
    known = {"network": {"apiServerAddresses": ["192.0.2.7"]}}
    _, way = policy(calling(server, plane=known))["egress"]
    assert way["to"] == [{"ipBlock": {"cidr": "192.0.2.7/32"}}]
    assert [port["port"] for port in way["ports"]] == [443, 6443]
    with pytest.raises(InvalidRequest, match="nobody looks into those to the API server"):
        calling(server.model_copy(update={"requests": (AllowedRequest(),)}), plane=ENVOY)


def mutual(version: str = "1.19", **network: Any) -> dict[str, Any]:
    return {"network": {"policies": "Cilium", "ciliumVersion": version, **network}}


def test_mutual_authentication_is_demanded_where_cilium_heeds_it_undeprecated() -> None:
    asked = BILLING.model_copy(update={"is_mutual": True})
    for version in ("1.14", "1.19"):
        found = policy(calling(asked, LEDGER, plane=mutual(version)), "CiliumNetworkPolicy")
        ways = [one.get("authentication") for one in found["egress"] if "toEndpoints" in one]
        assert sorted(ways, key=str) == [None, None, {"mode": "required"}]
    again = BILLING.model_copy(
        update={"connection": "z", "variable_prefix": "Z", "requests": (AllowedRequest(),)}
    )
    made = calling(asked, again, plane=mutual(envoy=True))
    _, *ways = policy(made, "CiliumNetworkPolicy")["egress"]
    assert [way["authentication"] for way in ways] == [{"mode": "required"}] * 2


@pytest.mark.parametrize(
    ("plane", "told"),
    [
        ({}, "is not known to have a Cilium that can"),
        (CILIUM, "is not known to have a Cilium that can"),
        (mutual("1.13"), "no policy of Cilium 1.13 on data plane local can say"),
        (mutual("1.20"), "no policy of Cilium 1.20 on data plane local can say"),
        (mutual("1.21"), "no policy of Cilium 1.21 on data plane local can say"),
    ],
)
def test_mutual_authentication_that_nothing_can_demand_is_refused_by_name(
    plane: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidRequest, match=told) as refused:
        calling(BILLING.model_copy(update={"is_mutual": True}), plane=plane)
    assert refused.value.message.startswith("Connection billing demands mutual authentication")
    with pytest.raises(InvalidRequest, match="between components only"):
        calling(MAIL.model_copy(update={"is_mutual": True}), plane=mutual())


def test_what_decides_objects_is_the_same_for_who_names_no_part_of_the_cluster() -> None:
    assert "system" not in MAIL.told()
    assert "is_mutual" not in MAIL.told()
    assert MAIL.model_copy(update={"system": "APIServer"}).told()["system"] == "APIServer"
