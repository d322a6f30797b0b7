"""Promotions that a freeze takes back while workers are killed, and that come again."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.client import WorkflowHandle

from clients.kubernetes.kinds import Kind
from domain.deliveries import OperationStatus
from domain.deliveries.promotions import PromotionRequest
from tests.durability.declared import COMPONENT
from tests.durability.place import BETTER, ENVIRONMENT, GOOD, Place
from tests.durability.promotion_scenarios import STAGING
from tests.durability.scenario import Scenario, phases, runs
from tests.durability.state import State
from workflows.common.waking import tell_freezes
from workflows.promotions.starting import signal_promotion

_FREEZES = Kind("choreo.dev/v1alpha1", "FreezeWindow", "freezewindows", namespaced=True)
_LONG = 600
"""Seconds that a release is watched: whoever is killed, the freeze comes before the end."""


class Reverted(Scenario):
    """What is watched is put back when a freeze begins, and comes again when it is over."""

    name = "promote reverted"
    is_undone_by_cancel = False
    only = ("promotion",)

    async def before(self, place: Place) -> None:
        await place.apply("Environment", STAGING, {"dataPlaneRef": "local"})
        await self._watches(place, 0)
        await place.deploy(GOOD)
        await place.ended()
        await self._promote(place, "first")
        await place.ended()
        await place.deploy(BETTER)
        await self._watches(place, _LONG)

    async def act(self, place: Place) -> None:
        handle = await self._promote(place, "promote")
        await waits(handle, "the end of the watch")
        await self._meanwhile(place, handle)
        schedule = {"start": "2026-01-01T00:00", "duration": "24h", "recurrence": "FREQ=DAILY"}
        window = {"reason": "a party", "schedule": schedule, "inProgress": "Revert"}
        await place.apply("FreezeWindow", "always", window)
        await told(place)
        await waits(handle, "freeze always")
        await self._watches(place, 0)
        await place.cluster.delete(_FREEZES, "always", place.name)
        await told(place)

    def facts(self, state: State) -> None:
        assert runs(state) == ["b", "b"]
        assert phases(state, "Deployment") == ["Succeeded"] * 6
        assert [one["action"] for one in state["fact"]].count("freeze.reverted") == 1

    async def _meanwhile(self, place: Place, handle: WorkflowHandle[Any, Any]) -> None:
        """What happens between the deployment and the freeze."""

    async def _watches(self, place: Place, seconds: int) -> None:
        target = {"name": STAGING, "watchSeconds": seconds}
        path = {"sourceEnvironmentRef": ENVIRONMENT, "targetEnvironmentRefs": [target]}
        await place.apply("DeploymentPipeline", "default", {"promotionPaths": [path]})

    async def _promote(self, place: Place, name: str, **more: str) -> WorkflowHandle[Any, Any]:
        asked = PromotionRequest(
            organization=place.name, component=COMPONENT, environment=STAGING,
            request_id=name, **more,
        )  # fmt: skip
        handle = await signal_promotion(place.client, asked)
        place.remember(handle)
        return handle


class CarriedReverted(Reverted):
    """The same behind a newer promotion that was denied."""

    name = "promote reverted when carried"

    async def _meanwhile(self, place: Place, handle: WorkflowHandle[Any, Any]) -> None:
        await self._promote(place, "denied", artifact=await place.artifact(GOOD))
        await waits(handle, "the end of the watch of")


async def waits(handle: WorkflowHandle[Any, Any], what: str) -> None:
    """Waits until the promotion says that it waits for that."""
    while True:
        status = await handle.query("status", result_type=OperationStatus)
        if status.waiting_for is not None and status.waiting_for.what.startswith(what):
            return
        await asyncio.sleep(0.1)


async def told(place: Place) -> None:
    """Tells all who wait or work of the windows."""
    while not await tell_freezes(place.client, place.name):  # noqa: ASYNC110 - visibility follows
        await asyncio.sleep(0.1)


FREEZES: tuple[Scenario, ...] = (Reverted(), CarriedReverted())
