from __future__ import annotations

import gc
import sys
from typing import Any

import pytest
from temporalio.client import Client

from domain.deliveries import DeployRequest
from tests.workflows.conftest import World, workers
from tests.workflows.test_deployments import forever, until_waiting
from workflows.starting import signal_deployment

pytestmark = pytest.mark.workflows


async def test_a_run_put_out_of_the_cache_in_the_middle_of_a_step_goes_silently(
    temporal: Client, world: World, organization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    world.behaviours["follow_rollout"] = forever
    request = DeployRequest(
        organization=organization, component="web", environment="dev", request_id="r1"
    )
    async with workers(temporal, world):
        handle = await signal_deployment(temporal, request)
        await until_waiting(handle, "rollout")
    gc.collect()
    await handle.terminate()

    assert [complaint.exc_value for complaint in complaints] == []
