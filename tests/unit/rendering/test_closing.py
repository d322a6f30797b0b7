"""What stays open until the pods of the release before are gone."""

from __future__ import annotations

from typing import Any

import pytest

from domain.rendering import RenderedRelease
from domain.rendering.network import held_open
from domain.rendering.network.judging import Call, Party, judge_call, party_of
from tests.unit.rendering.samples import rendered
from tests.unit.rendering.test_policies import BILLING, CILIUM, MAIL, calling

pytestmark = pytest.mark.unit


def party(release: RenderedRelease, objects: Any = None) -> Party:
    found = party_of(objects or release.objects)
    assert found is not None
    return found


@pytest.mark.parametrize("plane", [{}, CILIUM], ids=["Kubernetes", "Cilium"])
def test_old_pods_may_call_what_the_new_release_does_not_until_they_are_gone(
    plane: dict[str, Any],
) -> None:
    before, after = calling(BILLING, plane=plane), rendered(plane=plane)
    callee = Party(
        name="billing",
        namespace="acme-shop-development",
        namespace_labels={"kubernetes.io/metadata.name": "acme-shop-development"},
        labels={"choreo.dev/component": "billing"},
    )
    (held,) = held_open(before.objects, after.objects)
    others = [one for one in after.objects if one["kind"] != held["kind"]]

    def may_call(release: RenderedRelease, objects: Any = None) -> bool:
        return judge_call(party(release, objects), callee, Call(port=BILLING.port)).allowed

    assert may_call(before)
    assert may_call(after, [*others, held])
    assert not may_call(after)


def test_what_is_only_opened_or_stays_holds_nothing_up() -> None:
    less, more = calling(BILLING), calling(BILLING, MAIL)
    assert held_open(less.objects, more.objects) == ()
    assert held_open(less.objects, less.objects) == ()
    assert held_open((), less.objects) == ()
    assert held_open(less.objects, ()) == ()


def test_an_endpoint_that_goes_stays_reachable_as_long() -> None:
    admin = {"name": "admin", "port": 9999}
    http = {"name": "http", "port": 8080, "visibility": "public"}
    before = rendered(workload={"endpoints": [http, admin]})
    after = rendered(workload={"endpoints": [http]})
    (held,) = held_open(before.objects, after.objects)
    ports = [port["port"] for rule in held["spec"]["ingress"] for port in rule["ports"]]
    assert ports == [8080, 9999]
    assert held["spec"]["policyTypes"] == ["Ingress", "Egress"]
