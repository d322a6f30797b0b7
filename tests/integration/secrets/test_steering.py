"""What people and faults do to a rotation that runs; its consumer logs in all the time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from clients.vault import SecretEntry
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.approvals import ApprovalRule
from domain.deliveries.parking import Choice, Resolution
from domain.deliveries.rotations import HoldOrder, RotationRequest
from domain.errors import Errored, InvalidRequest
from domain.records.stops import Place, Stop
from tests.integration.secrets.shop import (
    PATH,
    Fault,
    SecretIds,
    SessionOf,
    Shop,
    in_step,
    nothing_leaked,
    serving,
    until,
)
from workflows.secrets.rotation import RotationWorkflow
from workflows.secrets.starting import start_rotation

pytestmark = [pytest.mark.integration, pytest.mark.sampled]


async def entry(shop: Shop) -> SecretEntry:
    return await asyncio.to_thread(shop.store.describe, shop.organization, PATH)


def waits_for(word: str) -> Any:
    def so(status: OperationStatus) -> bool:
        return status.waiting_for is not None and word in status.waiting_for.what

    return so


async def resolve(handle: WorkflowHandle[Any, Any], choice: Choice) -> OperationStatus:
    """A person decides about what is parked."""
    status = await until(handle, lambda found: found.parked is not None)
    decided = Resolution(choice=choice, reason="it is repaired", actor="ada")
    await handle.execute_update(RotationWorkflow.resolve, decided)
    return status


async def answered(client: Client, handle: WorkflowHandle[Any, Any], answer: str) -> None:
    """Decides, as soon as it is asked."""
    approval = client.get_workflow_handle(ids.approval_id(handle.id))
    async with asyncio.timeout(30):
        while True:
            try:
                return await approval.signal("answer", answer)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            await asyncio.sleep(0.05)


async def failed(handle: WorkflowHandle[Any, Any]) -> str:
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    return str(error.value.cause)


async def test_a_held_rotation_changes_nothing_more_until_it_is_let_go(
    own_temporal: Client, secret_ids: SecretIds, session_of: SessionOf
) -> None:
    first = dict(secret_ids.held)
    async with serving(own_temporal, secret_ids, session_of) as handle:
        held = HoldOrder(holds=True, actor="ada", reason="a sale")
        assert await handle.execute_update(RotationWorkflow.hold, held) == "ada: a sale"
        await until(handle, waits_for("held by ada: a sale"))
        problem = await secret_ids.accepts(first)
        await handle.execute_update(RotationWorkflow.hold, HoldOrder(holds=False))
        done = await handle.result()

    assert (problem, done.version) == ("", 2)
    secret_ids.kept_its_promises()


@pytest.mark.parametrize("answer", ["approved", "rejected"])
async def test_the_old_credential_is_locked_only_when_people_agree(
    own_temporal: Client, secret_ids: SecretIds, session_of: SessionOf, answer: str
) -> None:
    rule = ApprovalRule(groups=("owners",))
    async with serving(own_temporal, secret_ids, session_of, approval=rule) as handle:
        await until(handle, in_step("approval"))
        valid = await secret_ids.count_valid()
        await answered(own_temporal, handle, answer)
        ended = str(await handle.result()) if answer == "approved" else await failed(handle)
    await secret_ids.log_in()

    assert valid == 2
    assert ("rejected" in ended) == (answer == "rejected")
    assert (await entry(secret_ids)).active == (2 if answer == "approved" else 1)
    assert await secret_ids.count_valid() == 1
    secret_ids.kept_its_promises()


@pytest.mark.parametrize("choice", [Choice.RETRY, Choice.COMPENSATE])
@pytest.mark.parametrize("step", ["create_version", "use_version", "lock_old"])
async def test_a_technical_fault_parks_and_a_person_has_it_tried_again_or_undone(
    own_temporal: Client, secret_ids: SecretIds, session_of: SessionOf, step: str, choice: Choice
) -> None:
    fault = Fault(step, error=Errored("the server is away"))
    async with serving(own_temporal, secret_ids, session_of, fault) as handle:
        status = await resolve(handle, choice)
        ended = str(await handle.result()) if choice is Choice.RETRY else await failed(handle)
        await nothing_leaked(handle, secret_ids)
    await secret_ids.log_in()

    assert status.parked is not None
    assert status.parked.choices == (Choice.RETRY, Choice.COMPENSATE)
    assert [note.phase.value for note in secret_ids.notes][:2] == ["Running", "Parked"]
    assert ("the server is away" in ended) == (choice is Choice.COMPENSATE)
    assert (await entry(secret_ids)).active == (2 if choice is Choice.RETRY else 1)
    assert await secret_ids.count_valid() == 1
    secret_ids.kept_its_promises()


@pytest.mark.parametrize("refused", [1, 3])
async def test_a_value_that_the_target_refuses_is_made_anew_and_not_for_ever(
    own_temporal: Client, secret_ids: SecretIds, session_of: SessionOf, refused: int
) -> None:
    fault = Fault("give_to_target", after=False, error=InvalidRequest("too weak"), tries=refused)
    async with serving(own_temporal, secret_ids, session_of, fault) as handle:
        ended = str(await handle.result()) if refused == 1 else await failed(handle)
    await secret_ids.log_in()
    found = await entry(secret_ids)

    assert ("too weak" in ended) == (refused == 3)
    assert (found.active, found.rotation) == ((3, "") if refused == 1 else (1, ""))
    assert [one.number for one in found.versions if one.is_readable] == [found.active]
    secret_ids.kept_its_promises()


async def test_a_rotation_that_is_asked_for_again_while_it_runs_is_the_one_that_runs(
    own_temporal: Client, secret_ids: SecretIds, session_of: SessionOf
) -> None:
    request = RotationRequest(organization=secret_ids.organization, rotation="db")
    async with serving(own_temporal, secret_ids, session_of) as handle:
        again = await asyncio.gather(*(start_rotation(own_temporal, request) for _ in range(5)))
        done = await handle.result()
        newest = (await entry(secret_ids)).newest

    assert {one.result_run_id for one in again} == {handle.result_run_id}
    assert (done.version, newest) == (2, 2)
    secret_ids.kept_its_promises()


async def test_a_stopped_place_is_not_rotated_in_until_it_goes_on(
    own_temporal: Client, secret_ids: SecretIds, session_of: SessionOf
) -> None:
    place = Place(organization=secret_ids.organization, environment="production")
    secret_ids.stops = [Stop(place=place, actor="ada", reason="fire", since=datetime.now(UTC))]
    async with serving(own_temporal, secret_ids, session_of) as handle:
        await until(handle, waits_for("emergency stop"))
        newest = (await entry(secret_ids)).newest
        secret_ids.stops = []
        await handle.signal(RotationWorkflow.stop_changed)
        done = await handle.result()

    assert (newest, done.version) == (1, 2)


async def test_who_comes_to_use_the_secret_meanwhile_has_the_new_one_before_the_old_is_locked(
    own_temporal: Client, secret_ids: SecretIds, session_of: SessionOf
) -> None:
    rule = ApprovalRule()
    async with serving(own_temporal, secret_ids, session_of, approval=rule) as handle:
        await until(handle, in_step("approval"))
        before, secret_ids.consumers = set(secret_ids.delivered), 2
        await answered(own_temporal, handle, "approved")
        done = await handle.result()

    assert before == {"web"}
    assert secret_ids.delivered == {"web", "web-2"}
    assert done.consumers == ("web in production", "web-2 in production")


async def test_a_new_credential_is_not_destroyed_while_not_everybody_has_the_old_one_back(
    own_temporal: Client, secret_ids: SecretIds, session_of: SessionOf
) -> None:
    secret_ids.is_unready = True
    async with serving(own_temporal, secret_ids, session_of) as handle:
        ended = await failed(handle)
    await secret_ids.log_in()

    assert "left as it is, because not everybody may have the old credential back" in ended
    assert await secret_ids.count_valid() == 2
    assert [one.is_readable for one in (await entry(secret_ids)).versions] == [True, True]
    secret_ids.kept_its_promises()


async def test_an_old_credential_that_is_half_destroyed_is_brought_back_to_nobody(
    own_temporal: Client, secret_ids: SecretIds, session_of: SessionOf
) -> None:
    fault = Fault("destroy_old", error=Errored("the server is away"))
    async with serving(own_temporal, secret_ids, session_of, fault) as handle:
        await resolve(handle, Choice.COMPENSATE)
        ended = await failed(handle)
        told = await handle.query(RotationWorkflow.rotation)
    await secret_ids.log_in()

    assert "the server is away" in ended
    assert not told.can_roll_back
    assert (await entry(secret_ids)).active == 2
    secret_ids.kept_its_promises()
