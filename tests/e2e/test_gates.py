"""A gate whose tests Argo runs, in an organization that is set up as any other."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from temporalio.client import Client

from clients.kubernetes import Cluster
from domain.deliveries.promotions import PromotionRequest
from domain.phases import Phase
from tests.e2e.test_types import SERVE, Tenant, cluster, temporal, tenant
from workflows.promotions.starting import signal_promotion

__all__ = ["cluster", "temporal", "tenant"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


async def smoke_tests(tenant: Tenant, cluster: Cluster) -> None:
    report = {"name": "report", "valueFrom": {"path": "/tmp/report", "default": ""}}
    script = "import pathlib; pathlib.Path('/tmp/report').write_text('3 of 3 passed')"
    container = {"image": tenant.image, "command": ["python3", "-c", script]}
    told: dict[str, Any] = {"name": "told", "container": container}
    template = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {"name": "smoke", "namespace": tenant.namespace},
        "spec": {
            "entrypoint": "told",
            "templates": [told | {"outputs": {"parameters": [report]}}],
        },
    }
    await cluster.apply(template, manager="test")


async def test_a_promotion_passes_a_gate_whose_tests_argo_runs_where_its_source_runs(
    tenant: Tenant, cluster: Cluster, temporal: Client
) -> None:
    gate = {"name": "smoke", "check": "Tests", "template": "smoke"}
    target = {"name": "staging", "gates": [gate]}
    await tenant.declare("Environment", "staging", {"dataPlaneRef": "local"})
    paths = [{"sourceEnvironmentRef": "dev", "targetEnvironmentRefs": [target]}]
    await tenant.declare("DeploymentPipeline", "gated", {"promotionPaths": paths})
    await tenant.declare("Project", "shop", {"deploymentPipelineRef": "gated"})
    await tenant.component(
        "Service", "tried", workload={"containers": [{"name": "main", "command": [*SERVE, "/etc"]}]}
    )
    assert (await tenant.judged("Service", "tried"))["ready"]["status"] == "True"
    await smoke_tests(tenant, cluster)

    asked = PromotionRequest(
        organization=tenant.name,
        component="tried",
        environment="staging",
        request_id=secrets.token_hex(4),
    )
    promotion = await (await signal_promotion(temporal, asked)).result()

    assert promotion.phase is Phase.SUCCEEDED, promotion
    [judged] = [one for one in promotion.gates if one.name == "smoke"]
    assert judged.evidence == {"report": "3 of 3 passed"}, judged
