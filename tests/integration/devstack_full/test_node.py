"""The node of the full stack runs real pods and connects them."""

from __future__ import annotations

import asyncio
import uuid

import httpx
import pytest

from tests.integration.devstack_full.conftest import DEADLINE, Kubectl, web

pytestmark = pytest.mark.e2e


async def test_two_pods_become_ready_find_each_other_by_name_and_take_commands(
    stack: dict[str, str], kubectl: Kubectl
) -> None:
    await kubectl.apply(*web(stack["PAVANE_BUILD__RUNTIME_IMAGE"]))
    await kubectl.run("rollout", "status", "deployment/web", f"--timeout={DEADLINE:.0f}s")

    asked = await kubectl.run(
        *("exec", "deployment/web", "--", "python3", "-c"),
        f"import urllib.request as r; print(r.urlopen('http://web.{kubectl.namespace}.svc').status)",
    )
    assert asked.strip() == "200"
    assert "Serving HTTP" in await kubectl.run("logs", "deployment/web")


async def test_a_route_answers_through_the_gateway(stack: dict[str, str], kubectl: Kubectl) -> None:
    host = f"{kubectl.namespace}.example.test"
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web"},
        "spec": {
            "parentRefs": [
                {
                    "name": stack["PAVANE_GATEWAY__NAME"],
                    "namespace": stack["PAVANE_GATEWAY__NAMESPACE"],
                }
            ],
            "hostnames": [host],
            "rules": [{"backendRefs": [{"name": "web", "port": 80}]}],
        },
    }
    await kubectl.apply(*web(stack["PAVANE_BUILD__RUNTIME_IMAGE"]), route)

    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(DEADLINE):
        while True:
            answer = await client.get(stack["PAVANE_GATEWAY__URL"], headers={"Host": host})
            if answer.status_code == 200:
                break
            await asyncio.sleep(0.2)
        strange = await client.get(
            stack["PAVANE_GATEWAY__URL"], headers={"Host": f"{uuid.uuid4().hex}.example.test"}
        )

    assert "Directory listing" in answer.text
    assert strange.status_code == 404


@pytest.mark.timeout(180)
async def test_the_use_of_pods_and_nodes_is_measured(
    stack: dict[str, str], kubectl: Kubectl
) -> None:
    await kubectl.apply(*web(stack["PAVANE_BUILD__RUNTIME_IMAGE"]))

    measured = await kubectl.until(
        "--raw",
        f"/apis/metrics.k8s.io/v1beta1/namespaces/{kubectl.namespace}/pods",
        holds=lambda found: len(found["items"]) == 2,
    )

    containers = [item["containers"][0] for item in measured["items"]]
    assert [container["name"] for container in containers] == ["web", "web"]
    assert all(container["usage"]["memory"] != "0" for container in containers)
