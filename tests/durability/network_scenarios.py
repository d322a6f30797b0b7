"""Ways that close when the last old pod is gone or open again, and ways that pods try."""

from __future__ import annotations

from typing import Any

from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.common.kinds import SECRETS, platform
from domain import ids
from domain.deliveries.certificates import RenewalRequest
from domain.gateways import served
from domain.rendering import labels as names
from tests.durability.declared import COMPONENT
from tests.durability.place import (
    BETTER,
    CRASHING,
    ENVIRONMENT,
    GOOD,
    PROJECT,
    Place,
    runtime_image,
)
from tests.durability.scenario import Scenario, phases, runs
from tests.durability.state import State
from tests.gateways import ending, sign_for_gateway
from workflows.gateways.renewal import CertificateRenewalWorkflow


class ClosedWay(Scenario):
    name = "close a way"
    answers_throughout = True
    only = ("apply_release", "close_ways")
    wanted, ways, ends = BETTER, 0, ["Succeeded", "Succeeded"]

    async def before(self, place: Place) -> None:
        target = {"cidr": "192.0.2.0/24", "port": 5432}
        await place.apply("Connection", "far", {"componentRef": COMPONENT, "target": target})
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await place.cluster.delete(platform("Connection"), "far", place.name)
        await place.deploy(self.wanted, interfaces="none")

    def facts(self, state: State) -> None:
        assert runs(state) == ["a" if self.ways else "b"]
        assert phases(state, "Deployment") == self.ends
        assert str(state["plane NetworkPolicy"]).count("192.0.2.0/24") == self.ways


class RestoredWay(ClosedWay):
    name = "restore a way"
    only = ("apply_release", "follow_rollout")
    wanted, ways, ends = CRASHING, 1, ["Failed", "Succeeded"]


class ProbedWays(Scenario):
    name = "probe ways"
    only = ("probe_ways",)
    hole, ends, version = False, ["Succeeded", "Succeeded"], "b"

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)
        await place.ended()  # what is asked for below is about the next one only
        image = await runtime_image(place.environment)
        await place.apply("DataPlane", "local", {"network": {"probeImage": image}})
        asks = {"dataPlaneRef": "local", "network": {"probes": "Enforce"}}
        await place.apply("Environment", ENVIRONMENT, asks)
        if self.hole:
            await place.cluster.apply(hole(place), manager="somebody")

    async def act(self, place: Place) -> None:
        target = {"cidr": "192.0.2.0/24", "port": 5432}
        await place.apply("Connection", "far", {"componentRef": COMPONENT, "target": target})
        await place.deploy(BETTER, interfaces="any")

    def facts(self, state: State) -> None:
        assert runs(state) == [self.version]
        assert phases(state, "Deployment") == self.ends
        assert "probe-web" not in str(state["plane NetworkPolicy"])


class RevertedByProbes(ProbedWays):
    name = "revert by probes"
    hole, ends, version = True, ["Failed", "Succeeded"], "a"


def hole(place: Place) -> dict[str, Any]:
    """A policy by which strangers reach the component, as somebody else would add it."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": "hole",
            "namespace": ids.namespace(place.name, PROJECT, ENVIRONMENT),
        },
        "spec": {
            "podSelector": {"matchLabels": {names.COMPONENT: COMPONENT}},
            "policyTypes": ["Ingress"],
            "ingress": [{}],
        },
    }


class RenewedCertificate(Scenario):
    """The certificate of the gateway soon ends: there is one new one, and it is told once."""

    name = "renew certificates"
    is_undone_by_cancel = False

    async def before(self, place: Place) -> None:
        host = f"{PROJECT}.{place.name}.dev.localhost"
        await sign_for_gateway(place.environment, place.name, host)
        signed = {"domain": "localhost", "certificateAuthority": "OpenBao"}
        await place.apply("DataPlane", "local", {"gateway": signed})
        await place.deploy(GOOD)
        await place.ended()
        namespace = ids.namespace(place.name, PROJECT, ENVIRONMENT)
        ends = {"data": ending((f"*.{host}",))}
        await place.cluster.patch(SECRETS, served.SECRET, namespace, ends)

    async def act(self, place: Place) -> None:
        for _ in range(place.times):
            handle = await place.client.start_workflow(
                CertificateRenewalWorkflow.run,
                RenewalRequest(organizations=(place.name,)),
                id=f"renew-certificates/{place.name}/one",
                task_queue=ids.ORCHESTRATION_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            )
            place.remember(handle)

    def facts(self, state: State) -> None:
        (renewed,) = [one for one in state["operation"] if "renew" in one["workflow"]]
        assert renewed["result"]["renewed"] == 1
        assert [one["action"] for one in state["fact"]].count("certificate.renewed") == 1


NETWORK = (ClosedWay(), RestoredWay(), ProbedWays(), RevertedByProbes(), RenewedCertificate())
