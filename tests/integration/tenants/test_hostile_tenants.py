"""Whatever somebody of one organization tries, it reaches nothing of another one.

The tries stand in the modules `tries_*`; docs/tenancy.md is made of them.
"""

from __future__ import annotations

import asyncio

import pytest

from domain.errors import Denied, Errored
from tests.integration.tenants import tries_api, tries_crafted, tries_kubectl
from tests.integration.tenants.conftest import ORGANIZATIONS
from tests.integration.tenants.hostile import ALPHA, TRIES, Scene, Try
from tests.integration.tenants.tries_kubectl import COMPONENTS

pytestmark = pytest.mark.integration
MODULES = (tries_api, tries_kubectl, tries_crafted)


@pytest.mark.parametrize("one", TRIES, ids=lambda one: f"{one.way}: {one.what}")
async def test_a_try_reaches_nothing(scene: Scene, one: Try) -> None:
    await one.act(scene)


async def test_what_alpha_owns_its_people_reach(scene: Scene) -> None:
    """The tries would all fail on a platform that lets nobody do anything."""
    answer = await scene.developer.api.get(f"/v1/resources/components/web?organization={ALPHA}")
    assert answer.status_code == 200
    assert (await scene.developer.kubectl.get(COMPONENTS, "web", ALPHA))["metadata"][
        "name"
    ] == "web"


async def test_a_role_that_is_taken_away_is_gone_at_once(scene: Scene) -> None:
    before = (await scene.cluster.get(ORGANIZATIONS, ALPHA))["spec"]["access"]
    without = {"spec": {"access": [one for one in before if one["user"] != "ann"]}}
    path = f"/v1/resources/components/web?organization={ALPHA}"
    try:
        await scene.cluster.patch(ORGANIZATIONS, ALPHA, "", without)

        assert (await scene.developer.api.get(path)).status_code == 404
        await until(scene, reaches=False)
    finally:
        await scene.cluster.patch(ORGANIZATIONS, ALPHA, "", {"spec": {"access": before}})
        await until(scene, reaches=True)


async def until(scene: Scene, *, reaches: bool) -> None:
    async with asyncio.timeout(60):
        while await _reaches(scene) is not reaches:  # noqa: ASYNC110 - Kubernetes tells nobody
            await asyncio.sleep(0.05)


async def _reaches(scene: Scene) -> bool:
    try:
        await scene.developer.kubectl.get(COMPONENTS, "web", ALPHA)
    except (Denied, Errored):
        return False
    return True
