from __future__ import annotations

from typing import Any

import pytest

from activities.tenants import probing
from activities.tenants.probing import enforced
from domain.deliveries.tenants import TenantPlace, TenantPlan, TenantPlane
from domain.errors import Denied, DependencyUnavailable
from domain.policies.tenants.images import Registries, refused_images
from domain.rendering.tenants.probes import Probe, image_probes, label_probes

pytestmark = pytest.mark.unit
PLACE = TenantPlace(project="shop", environment="dev", namespace="acme-shop-dev")
SHARED, ALLOWED = ("registry:5000",), ("ghcr.example/acme",)


def a_plane(**more: Any) -> TenantPlane:
    given = {"shared_registries": SHARED, "places": (PLACE,), **more}
    return TenantPlane(organization="acme", plane="local", task_queue="plane.local", **given)


class Server:
    """Answers a dry run as an API server does that takes a policy up after a while."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.dry = True

    async def apply(self, _obj: dict[str, Any], *, dry_run: bool, force: bool) -> dict[str, Any]:
        self.dry = self.dry and dry_run and force
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer:
            raise Denied(answer)
        return {}


PROBE = Probe({"metadata": {"namespace": "acme-shop-dev"}}, "ghcr.example/acme")
OLD = "ValidatingAdmissionPolicy 'pavane-images-acme' denied request: allowed: elsewhere"
NEW = "ValidatingAdmissionPolicy 'pavane-images-acme' denied request: allowed: ghcr.example/acme"


def test_what_is_probed_is_what_the_platform_refuses_itself() -> None:
    probes = image_probes(a_plane(allowed_registries=ALLOWED))

    assert len(probes) == 2
    for one in probes:
        image = one.obj["spec"]["template"]["spec"]["containers"][0]["image"]
        (why,) = refused_images([image], "acme", ALLOWED, Registries(shared=SHARED))
        assert one.says in why


def test_an_organization_without_places_or_required_labels_is_not_probed() -> None:
    assert image_probes(a_plane(places=())) == ()
    assert label_probes(TenantPlan(organization="acme", generation=1)) == ()


def test_a_project_without_required_labels_is_probed() -> None:
    plan = TenantPlan(organization="acme", generation=1, required_labels=("team", "cost"))

    (probe,) = label_probes(plan)

    assert probe.obj["kind"] == "Project"
    assert probe.says == "team, cost"


async def test_an_answer_of_the_policy_as_it_was_before_is_waited_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("temporalio.activity.heartbeat", lambda *_: None)
    server = Server("", OLD, NEW)

    await enforced(server, [PROBE])  # type: ignore[arg-type] # what it needs of a cluster

    assert server.answers == [NEW]
    assert server.dry


async def test_a_refusal_by_another_policy_is_one() -> None:
    server = Server("pods must be signed")

    await enforced(server, [PROBE])  # type: ignore[arg-type] # as above

    assert server.dry


async def test_a_policy_that_never_counts_is_a_fault_that_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("temporalio.activity.heartbeat", lambda *_: None)
    monkeypatch.setattr(probing, "_PATIENCE_SECONDS", 0.05)

    with pytest.raises(DependencyUnavailable, match="acme-shop-dev"):
        await enforced(Server(""), [PROBE])  # type: ignore[arg-type] # as above
