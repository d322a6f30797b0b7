"""Tests of a gate that Argo runs, with the rights of the stack's own worker and real pods."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.common.kinds import ARGO_WORKFLOWS, PODS
from activities.planes.gate_tests import GateTestActivities
from clients.kubernetes import Cluster, SharedWatches
from domain.deliveries.promotion_effects import GateTestRun
from domain.deliveries.promotions import GateOutcome
from domain.rendering.labels import ORGANIZATION
from domain.rendering.network.namespaces import deny_all
from tests.integration.devstack_full.conftest import Kubectl

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400), pytest.mark.sampled]

PATIENCE = 200
LABELS = {ORGANIZATION: "acme"}
_SCRIPT = """
import pathlib, sys, time
print("asked as", "{{workflow.parameters.component}}")
pathlib.Path("/tmp/report").write_text("3 of 3 passed")
time.sleep(float("{{workflow.parameters.seconds}}"))
sys.exit(int("{{workflow.parameters.code}}"))
"""


class Gates:
    """The namespace of an environment with a template, as the worker sees it."""

    def __init__(self, cluster: Cluster, watches: SharedWatches, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self._activities = GateTestActivities(cluster, watches)

    def run(self, template: str, **parameters: str) -> GateTestRun:
        return GateTestRun(
            gate="smoke",
            name=f"gate-smoke-{secrets.token_hex(4)}",
            organization="acme",
            project="shop",
            environment="dev",
            namespace=self.namespace,
            image="",
            command=(),
            component="web",
            template=template,
            parameters={"code": "0", "seconds": "0", **parameters},
        )

    async def ask(self, run: GateTestRun) -> GateOutcome:
        return await ActivityEnvironment().run(self._activities.run_gate_tests, run)

    async def pods(self, run: GateTestRun) -> list[dict[str, Any]]:
        label = f"workflows.argoproj.io/workflow={run.name}"
        return (await self.cluster.list(PODS, self.namespace, label)).items


@pytest.fixture
async def gates(stack: dict[str, str], kubectl: Kubectl) -> AsyncIterator[Gates]:
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    labels = [f"{key}={value}" for key, value in {**LABELS, **enforced}.items()]
    await kubectl.run("label", "namespace", kubectl.namespace, *labels)
    report = {"name": "report", "valueFrom": {"path": "/tmp/report", "default": ""}}
    script = {
        "image": stack["PAVANE_BUILD__RUNTIME_IMAGE"],
        "command": ["python3", "-c", _SCRIPT],
    }
    told = {"name": "told", "container": script, "outputs": {"parameters": [report]}}
    silent = {"name": "silent", "container": script}
    templates = [
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "WorkflowTemplate",
            "metadata": {"name": one["name"]},
            "spec": {"entrypoint": one["name"], "templates": [one]},
        }
        for one in (told, silent)
    ]
    await kubectl.apply(deny_all(kubectl.namespace, LABELS), *templates)
    worker = Path(stack["KUBECONFIG"]).parent / "config" / "pavane-worker.kubeconfig"
    cluster = await Cluster.connect(worker)
    watches = SharedWatches(cluster)
    yield Gates(cluster, watches, kubectl.namespace)
    await watches.close()
    await cluster.close()


async def test_a_template_passes_with_its_report_and_is_adopted_by_whoever_asks_again(
    gates: Gates,
) -> None:
    run = gates.run("told")

    first, again = await asyncio.gather(gates.ask(run), gates.ask(run))
    later = await gates.ask(run)

    assert first == again == later
    assert (first.passed, first.report) == (True, "3 of 3 passed"), first
    assert first.reason == "the tests passed in dev"
    assert len(await gates.pods(run)) == 1


async def test_a_template_that_fails_closes_the_gate_and_tells_what_was_said(gates: Gates) -> None:
    outcome = await gates.ask(gates.run("silent", code="3"))

    assert (outcome.passed, "asked as web" in outcome.report) == (False, True), outcome
    assert "the tests failed in dev" in outcome.reason


async def test_a_template_that_is_not_there_is_no_verdict_and_is_named(gates: Gates) -> None:
    outcome = await gates.ask(gates.run("missing"))

    assert outcome.passed is None
    assert '"missing" not found' in outcome.reason, outcome


async def test_a_cancel_takes_the_argo_workflow_and_its_pods_away(gates: Gates) -> None:
    run = gates.run("silent", seconds="600")
    asked = asyncio.ensure_future(gates.ask(run))
    async with asyncio.timeout(PATIENCE):
        while not await gates.pods(run):
            assert not asked.done(), asked.result()
            await asyncio.sleep(0.2)

    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked

    async with asyncio.timeout(PATIENCE):
        while await gates.pods(run):  # noqa: ASYNC110 - Kubernetes takes them away
            await asyncio.sleep(0.2)
    assert await gates.cluster.find(ARGO_WORKFLOWS, run.name, gates.namespace) is None
