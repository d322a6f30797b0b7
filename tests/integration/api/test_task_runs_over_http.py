from __future__ import annotations

import httpx
import pytest

from api.looks import trees
from clients.kubernetes import Cluster
from domain.deliveries.trees import ComponentTree, NodeHealth, TreeNode, TreeRequest
from tests.integration.api.conftest import resource


def node(kind: str, name: str, **details: str) -> TreeNode:
    return TreeNode(
        id=f"{kind}/{name}", api_version="batch/v1", kind=kind, name=name,
        health=NodeHealth.HEALTHY, details=details,
    )  # fmt: skip


SEEN = (
    node("CronJob", "report", schedule="@daily", timeZone="Europe/Berlin"),
    node(
        "Job", "report-run-1", state="Failed", manual="true", started="2026-03-01T04:00:00Z",
        finished="2026-03-01T04:01:00Z", message="it is broken",
    ),
    node("Pod", "report-run-1-x7k2p"),
)  # fmt: skip


async def test_runs_are_those_that_the_worker_of_the_plane_sees(
    acme: str, dev: httpx.AsyncClient, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = {"componentOwner": {"projectRef": "shop"}, "componentType": "ScheduledTask"}
    await cluster.apply(resource("Component", "report", acme, task))
    asked: list[TreeRequest] = []

    async def seen(_client: object, request: TreeRequest, _bound: str) -> ComponentTree:
        asked.append(request)
        place = request.model_dump(include={"organization", "component", "environment"})
        return ComponentTree(**place, release="report-1", nodes=SEEN, hash="one")

    monkeypatch.setattr(trees, "look_at_tree", seen)
    answer = await dev.get(f"/v1/tasks/{acme}/report/runs?environment=development")
    of_a_service = await dev.get(f"/v1/tasks/{acme}/web/runs?environment=development")

    told = answer.json()
    assert (told["schedule"], told["timeZone"]) == ("@daily", "Europe/Berlin")
    assert [(one["name"], one["state"], one["manual"]) for one in told["items"]] == [
        ("report-run-1", "Failed", True)
    ]
    assert told["items"][0]["message"] == "it is broken"
    assert (asked[0].environment, asked[0].runs) == ("development", 100)
    assert of_a_service.status_code == 422
