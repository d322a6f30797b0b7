"""Rotations of secrets that do not go as planned, and who uses a secret besides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from domain.deliveries.parking import Choice
from domain.deliveries.rotations import HoldOrder
from domain.errors import Errored, InvalidRequest
from domain.phases import Phase
from tests.workflows.rotating import PATH, Rotating
from tests.workflows.test_parking import resolve, until_parked
from tests.workflows.test_rotations import TURNED_OVER, why
from workflows.secrets.rotation import RotationWorkflow

pytestmark = pytest.mark.workflows


@pytest.fixture
async def rotating(temporal: Client, tmp_path: Path, organization: str) -> AsyncIterator[Rotating]:
    world = Rotating(temporal, tmp_path, organization)
    async with world.serving():
        yield world


async def test_who_must_use_a_secret_and_does_not_is_named_before_anything_is_made(
    rotating: Rotating,
) -> None:
    rotating.about |= {"must_have": ("web", "ghost")}
    await rotating.rotate()

    assert f"ghost is among spec.consumerRefs and uses {PATH} on no plane" in await why(rotating)
    assert rotating.did == ["plan"]


async def test_who_came_to_use_a_secret_meanwhile_has_the_new_one_before_the_old_one_goes(
    rotating: Rotating,
) -> None:
    async def comes() -> None:
        rotating.components = ["web", "late"]

    rotating.on["observe_old_users"] = comes
    done = await (await rotating.rotate()).result()

    caught_up = ["deliver", "deliver", "restart with 2", "restart with 2"]
    assert rotating.did == [*TURNED_OVER, *caught_up, "lock_old", "destroy_old"]
    assert set(done.consumers) == {"late in production", "web in production"}


async def test_pods_that_have_the_new_version_already_are_not_waited_for(
    rotating: Rotating,
) -> None:
    rotating.is_new = False
    await (await rotating.rotate()).result()

    assert rotating.followed == 0
    assert rotating.did == [*TURNED_OVER, "lock_old", "destroy_old"]


async def test_the_new_credential_stays_where_the_old_one_could_not_be_brought_back(
    rotating: Rotating,
) -> None:
    async def fails() -> None:
        raise InvalidRequest("web does not start")

    async def stuck() -> None:
        raise InvalidRequest("the vault takes nothing")

    rotating.on |= {"restart with 2": fails, "use_version_before": stuck}
    await rotating.rotate()
    told = await why(rotating)

    assert "web does not start; undoing it:" in told
    assert "left as it is, because" in told
    assert "withdraw_new" not in rotating.did
    assert rotating.notes[-1].phase is Phase.ERRORED


async def test_nobody_holds_a_rotation_whose_old_credential_is_being_destroyed(
    rotating: Rotating,
) -> None:
    refused: list[str] = []

    async def held() -> None:
        order = HoldOrder(holds=True, actor="ada", reason="a sale")
        with pytest.raises(WorkflowUpdateFailedError) as late:
            await rotating.handle.execute_update(RotationWorkflow.hold, order)
        refused.append(str(late.value.cause))
        status = await rotating.handle.query(RotationWorkflow.rotation)
        assert not status.can_roll_back

    rotating.on["destroy_old"] = held
    await (await rotating.rotate()).result()

    assert len(refused) == 1
    assert "the old credential is being destroyed: there is nothing to hold" in refused[0]


async def test_an_old_credential_that_cannot_be_destroyed_parks_and_is_only_destroyed_on_retry(
    rotating: Rotating,
) -> None:
    async def away() -> None:
        if rotating.did.count("destroy_old") == 1:
            raise Errored("the vault is away")

    rotating.on["destroy_old"] = away
    handle = await rotating.rotate()
    await until_parked(handle)
    await resolve(handle, Choice.RETRY)
    await handle.result()

    assert rotating.did == [*TURNED_OVER, "lock_old", "destroy_old", "destroy_old"]


async def test_a_secret_of_all_environments_is_turned_over_wherever_it_is_used(
    rotating: Rotating,
) -> None:
    rotating.about |= {"path": "shared/smtp"}
    done = await (await rotating.rotate()).result()

    assert (done.path, done.consumers) == ("shared/smtp", ("web in production",))
    assert rotating.did == [*TURNED_OVER, "lock_old", "destroy_old"]
