"""What the doctor says of a real installation, and how it changes with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from api.installation.neighbours import _certificate
from domain import ids

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120), pytest.mark.sampled]

SignIn = Callable[[str], httpx.AsyncClient]


@activity.defn(name="nothing")
async def nothing() -> None:
    """Only there so that a worker polls."""


@pytest.fixture
def kubernetes(stack: dict[str, str]) -> str:
    """The API server, whose authority no process trusts by itself."""
    kubeconfig = yaml.safe_load(Path(stack["KUBECONFIG"]).read_text())
    server: str = kubeconfig["clusters"][0]["cluster"]["server"]
    return server


async def findings(admin: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    answer = await admin.get("/v1/installation/findings")
    assert answer.status_code == 200, answer.text
    return {one["check"]: one for one in answer.json()["items"]}


async def test_it_tells_what_is_well_what_is_missing_and_what_to_do(
    acme: str, sign_in: SignIn, temporal: Client
) -> None:
    plane = f"plane-{acme}"
    queue = ids.plane_queue(plane)
    manifest = {
        "apiVersion": "choreo.dev/v1alpha1",
        "kind": "DataPlane",
        "metadata": {"name": plane, "namespace": acme},
        "spec": {},
    }
    async with sign_in("ada") as ada:
        applied = await ada.post("/v1/apply", json=[manifest])
        assert applied.status_code == 200, applied.text
        before = await findings(ada)
        async with Worker(temporal, task_queue=queue, activities=[nothing]):
            served = await findings(ada)

    # The server of the tests forgets after a day, which is too soon.
    assert before["temporal"]["level"] == "Warning"
    assert "--retention 168h" in before["temporal"]["remedy"]
    for check in ("kubernetes", "kinds", "permissions", "records", "clock"):
        assert before[check]["level"] == "Ok", before[check]
    name = f"task queue {queue}"
    assert before[name]["level"] == "Error"
    assert before[name]["remedy"] == (
        f'start pavane-worker with PAVANE_WORKER__ROLES=["plane"], PAVANE_WORKER__PLANE={plane}'
    )
    assert served[name] == {"check": name, "level": "Ok", "found": "served by 1", "remedy": ""}


async def test_only_administrators_see_it(dev: httpx.AsyncClient) -> None:
    assert (await dev.get("/v1/installation/findings")).status_code == 403


async def test_a_certificate_of_an_unknown_authority_is_found_with_its_remedy(
    kubernetes: str,
) -> None:
    found = await _certificate("kubernetes", kubernetes)
    assert found.level == "Error"
    assert "SSL_CERT_FILE" in found.remedy
