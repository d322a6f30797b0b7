from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
from temporalio.client import Client

from clients.kubernetes import Cluster, Kind
from domain.errors import NotFound
from domain.policies.teardown.holds import TEARDOWN
from tests.integration.api.conftest import component, resource

pytestmark = [pytest.mark.integration, pytest.mark.sampled]
COMPONENTS = Kind("choreo.dev/v1alpha1", "Component", "components", namespaced=True)


def connection(organization: str) -> dict[str, object]:
    spec = {"componentRef": "front", "target": {"componentRef": "web", "endpoint": "http"}}
    return resource("Connection", "front-web", organization, spec)


async def test_a_plan_tells_what_would_go_and_writes_nothing(
    acme: str, dev: httpx.AsyncClient
) -> None:
    plan = await dev.get(f"/v1/resources/projects/shop/deletion?organization={acme}")
    there = await dev.get(f"/v1/resources/projects/shop?organization={acme}")

    assert plan.status_code == there.status_code == 200
    found = [(one["kind"], one["name"]) for one in plan.json()["removes"]]
    assert found[-1] == ("Project", "shop")
    assert ("Component", "web") in found
    assert "deletionTimestamp" not in there.json()["metadata"]


async def test_what_others_use_is_refused_with_who_unless_it_is_to_wait(
    acme: str, dev: httpx.AsyncClient
) -> None:
    applied = await dev.post("/v1/apply", json=[component(acme, "front"), connection(acme)])
    assert applied.status_code == 200, applied.text
    path = f"/v1/resources/components/web?organization={acme}"

    refused = await dev.delete(path)
    plan = await dev.get(f"/v1/resources/components/web/deletion?organization={acme}")

    assert refused.status_code == 409
    assert "Connection front-web" in refused.json()["detail"]
    assert "Connection front-web" in plan.json()["waitsFor"][0]
    assert (await dev.get(path)).status_code == 200
    waits = await dev.delete(f"{path}&anyway=true")
    assert waits.status_code in {202, 204}, waits.text  # held where the stack has a platform


async def test_what_is_held_is_taken_down_by_a_procedure_in_the_name_of_who_asked(
    acme: str, dev: httpx.AsyncClient, cluster: Cluster, temporal: Client
) -> None:
    held = {"metadata": {"finalizers": [TEARDOWN]}}
    await cluster.patch(COMPONENTS, "web", acme, held)

    answer = await dev.delete(f"/v1/resources/components/web?organization={acme}")

    assert answer.status_code == 202
    operation = answer.json()["operation"]
    assert operation == f"teardown/{acme}/web/component"
    described = await temporal.get_workflow_handle(operation).describe()
    assert await described.static_details() == "dev@example.test"
    shown = await dev.get(f"/v1/operations/{operation}")
    assert shown.status_code == 200
    with suppress(NotFound):  # where the stack has a platform, it has taken it down
        await cluster.patch(COMPONENTS, "web", acme, {"metadata": {"finalizers": None}})


async def test_who_may_not_deploy_everywhere_deletes_nothing_that_runs_there(
    acme: str,
    sign_in: Callable[[str], httpx.AsyncClient],
    dev: httpx.AsyncClient,
) -> None:
    wanted = {"componentRef": "web", "environmentRef": "development"}
    bound = resource("ServiceBinding", "web-development", acme, wanted)
    assert (await dev.post("/v1/apply", json=bound)).status_code == 200
    rules = [
        {"group": "platform-engineers", "role": "admin"},
        {"group": "developers", "role": "developer", "actions": ["read", "write"]},
    ]
    async with sign_in("ada") as admin:
        narrowed = resource("Organization", acme, "", {"access": rules})
        applied = await admin.post("/v1/apply?force=true", json=narrowed)
        assert applied.status_code == 200, applied.text

    refused, planned = await asyncio.gather(
        dev.delete(f"/v1/resources/components/web?organization={acme}"),
        dev.get(f"/v1/resources/components/web/deletion?organization={acme}"),
    )

    assert (refused.status_code, planned.status_code) == (403, 403)
