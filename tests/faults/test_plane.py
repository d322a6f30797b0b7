"""The way between the worker and the plane's API server is broken."""

from __future__ import annotations

from devstack.state import StateDir
from tests.faults.promises import promise
from tests.faults.world import Organization, fault, retrying


@promise(
    "Network between worker and plane cut",
    "plane-cut",
    sees="the step that runs, its attempt, `DependencyUnavailable: ... no answer from the API "
    "server`, when it is tried next",
    retried="every step, with growing pauses up to 30 s, for two hours",
    ends="the deployment goes on by itself and is made once",
    cheap=True,
)
async def test_deployment_waits_out_a_cut_network_and_is_made_once(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "plane-cut"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, lambda seen: retrying(seen, "render web"))
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert retry["type"] == "DependencyUnavailable"
    assert "no answer from the API server" in retry["message"]
    assert done["phase"] == "Succeeded", done
    assert await org.running() == ["hello"]
    assert (await org.recorded(), await org.runs("deploy")) == (["Succeeded"], 1)
