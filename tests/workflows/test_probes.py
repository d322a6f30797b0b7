"""Network policies are tried after a release; what is not as declared brings back what ran."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError

from domain.deliveries import DeployRequest, PreparedRelease
from domain.deliveries.probes import ProbedWay, ProbeOutcome, Prober, ProbeRun
from domain.phases import Phase
from tests.workflows.conftest import World, a_release
from tests.workflows.test_deployments import a_request, failure_of
from workflows.starting import signal_deployment

pytestmark = pytest.mark.workflows

WRONG = "nobody else reaches web.http: it is open"


def asking(world: World, *, enforced: bool) -> None:
    """Releases are to be probed, and strangers get in."""

    async def prepare(request: DeployRequest) -> PreparedRelease:
        way = ProbedWay(prober=Prober.STRANGER, host="web", port=80, passes=False, said="no")
        run = ProbeRun(
            organization=request.organization,
            project="shop",
            component="web",
            environment="dev",
            namespace="acme-shop-dev",
            image="probe",
            policy={},
            labels={},
            ways=(way,),
            enforced=enforced,
        )
        return a_release(request, probes=run)

    async def probe(_: Any) -> ProbeOutcome:
        return ProbeOutcome(wrong=(WRONG,), tried=1)

    world.behaviours |= {"prepare_release": prepare, "probe_ways": probe}


async def test_what_is_not_as_declared_brings_back_what_ran_before(
    temporal: Client, running: World, organization: str
) -> None:
    asking(running, enforced=True)
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))

    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()

    assert WRONG in failure_of(caught.value).message
    assert running.names()[-6:] == [
        "apply_release",
        "follow_rollout",
        "probe_ways",
        "apply_release",
        "follow_rollout",
        "record_deployment",
    ]
    assert running.last("apply_release").bundle.release == "web-old"
    record = running.last("record_deployment")
    assert (record.phase, record.reason) == (Phase.FAILED, "ProbeFailed")
    assert record.undone == ("restored web-old",)
    assert "deployment.probed" in {one.action for one in record.facts}
    assert record.release.probes is None


async def test_what_is_only_observed_is_told_and_stays(
    temporal: Client, running: World, organization: str
) -> None:
    asking(running, enforced=False)
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))

    await handle.result()

    record = running.last("record_deployment")
    assert (record.phase, record.undone) == (Phase.SUCCEEDED, ())
    (fact,) = (one for one in record.facts if one.action == "deployment.probed")
    assert WRONG in fact.message
