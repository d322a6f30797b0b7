"""Fixtures of the full stack's tests: kubectl on the shared stack, and a namespace a test."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from devstack.programs import Silent, ensure

DEADLINE = 90.0


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl against one cluster."""

    program: str
    kubeconfig: str
    namespace: str = "default"

    async def run(self, *arguments: str, given: str | None = None) -> str:
        process = await asyncio.create_subprocess_exec(
            *(self.program, f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}"),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate((given or "").encode())
        assert process.returncode == 0, errors.decode()
        return output.decode()

    async def apply(self, *manifests: Mapping[str, Any]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        # The server checks what it is given; kubectl would read all its definitions for that first.
        await self.run("apply", "--validate=false", "--filename=-", given=json.dumps(listed))

    async def get(self, *arguments: str) -> dict[str, Any]:
        form = () if "--raw" in arguments else ("--output=json",)
        found: dict[str, Any] = json.loads(await self.run("get", *arguments, *form))
        return found

    async def until(self, *arguments: str, holds: Callable[[dict[str, Any]], bool]) -> Any:
        async with asyncio.timeout(DEADLINE):
            while not holds(found := await self.get(*arguments)):  # noqa: ASYNC110 - kubectl
                await asyncio.sleep(0.3)
        return found


def web(image: str, *, command: Sequence[str] = ("python3", "-m", "http.server", "8000")) -> Any:
    """A deployment of two pods and its service."""
    labels = {"app": "web"}
    container = {
        "name": "web",
        "image": image,
        "command": list(command),
        "resources": {"requests": {"cpu": "10m"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1},
    }
    return (
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]},
        },
    )


@pytest.fixture(scope="session")
def kubectl_program() -> str:
    return str(ensure(["kubernetes"], progress=Silent())["kubernetes"].files["kubectl"])


@pytest.fixture
async def kubectl(stack: dict[str, str], kubectl_program: str) -> AsyncIterator[Kubectl]:
    if "PAVANE_REGISTRY__PULL_HOST" not in stack:
        pytest.fail("this test needs a full stack: pavane stack up --profile full", pytrace=False)
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    cluster = Kubectl(kubectl_program, stack["KUBECONFIG"], namespace)
    await cluster.run("create", "namespace", namespace)
    yield cluster
    await cluster.run("delete", "namespace", namespace, "--wait=false")
