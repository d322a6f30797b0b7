"""What a rotation of a secret waits for, and what is left when that does not come.

The credentials themselves are turned over against real targets in tests/integration/secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from domain import ids
from domain.deliveries import ApprovalRule, Trigger
from domain.deliveries.approval_votes import Act
from domain.deliveries.rotations import HoldOrder
from domain.deliveries.secrets import SecretChange
from domain.errors import Errored, InvalidRequest
from domain.phases import Phase
from tests.workflows.approving import ANN, Open
from tests.workflows.rotating import PATH, Rotating
from workflows.approvals.approval import ApprovalWorkflow
from workflows.secrets import proving
from workflows.secrets.rotation import RotationWorkflow
from workflows.secrets.starting import start_change

pytestmark = pytest.mark.workflows

TURNED_OVER = [
    "plan",
    "create_version",
    "give_to_target",
    "test_version",
    "use_version",
    "deliver",
    "restart with 2",
    "observe_old_users",
]
BROUGHT_BACK = ["use_version_before", "deliver", "restart with 1", "withdraw_new"]


@pytest.fixture
async def rotating(temporal: Client, tmp_path: Path, organization: str) -> AsyncIterator[Rotating]:
    world = Rotating(temporal, tmp_path, organization)
    async with world.serving():
        yield world


async def asked(rotating: Rotating) -> Open:
    """The question whether the old credential may go, once it is open."""
    approval = ids.approval_id(rotating.handle.id)
    handle = rotating.client.get_workflow_handle_for(ApprovalWorkflow.run, approval)
    async with asyncio.timeout(60):
        while True:
            with suppress(RPCError):  # nobody was asked yet
                standing = await handle.query(ApprovalWorkflow.approval)
                return Open(rotating, handle, standing.request)
            await asyncio.sleep(0.05)


async def why(rotating: Rotating) -> str:
    with pytest.raises(WorkflowFailureError) as ended:
        await rotating.handle.result()
    assert isinstance(ended.value.cause, ApplicationError)
    return ended.value.cause.message


async def test_a_rotation_held_for_a_month_is_undone_and_says_who_held_it(
    skipping: Client, tmp_path: Path, organization: str
) -> None:
    rotating = Rotating(skipping, tmp_path, organization)

    async def held() -> None:
        order = HoldOrder(holds=True, actor="ada", reason="a sale")
        await rotating.handle.execute_update(RotationWorkflow.hold, order)

    rotating.on["restart with 2"] = held
    async with rotating.serving():
        handle = await rotating.rotate()
        told = await why(rotating)
        described = await handle.describe()

    assert told.startswith("held for 30 days by ada: a sale")
    assert rotating.did == [*TURNED_OVER[:-1], *BROUGHT_BACK]
    assert rotating.notes[-1].phase is Phase.ERRORED
    assert "brought version 1 back to all" in rotating.notes[-1].message
    assert described.close_time
    assert described.close_time - described.start_time >= timedelta(days=30)


async def test_who_holds_a_rotation_twice_and_lets_go_has_it_go_on(rotating: Rotating) -> None:
    async def held() -> None:
        for reason in ("a sale", "still a sale"):
            order = HoldOrder(holds=True, actor="ada", reason=reason)
            await rotating.handle.execute_update(RotationWorkflow.hold, order)

    async def waits() -> bool:
        status = await rotating.handle.query(RotationWorkflow.status)
        return status.waiting_for is not None and "still a sale" in status.waiting_for.what

    rotating.on["plan"] = held
    handle = await rotating.rotate()
    async with asyncio.timeout(60):
        while not await waits():  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.05)
    before = list(rotating.did)
    await handle.execute_update(RotationWorkflow.hold, HoldOrder(holds=False))
    done = await handle.result()

    assert before == ["plan"]
    assert (done.before, done.version) == (1, 2)


async def test_the_old_credential_is_destroyed_when_nobody_uses_it_any_more(
    rotating: Rotating,
) -> None:
    rotating.users = [("api", "web"), ("web",)]
    done = await (await rotating.rotate()).result()

    looks = ["observe_old_users"] * 2
    assert rotating.did == [*TURNED_OVER, *looks, "lock_old", "destroy_old"]
    assert done.consumers == ("web in production",)
    assert [one.phase for one in rotating.notes] == [Phase.RUNNING, Phase.SUCCEEDED]


async def test_an_old_credential_that_stays_in_use_is_brought_back_and_who_used_it_named(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "_LONGEST_USE", timedelta(seconds=1))
    monkeypatch.setattr("domain.policies.parking.PATIENCE", timedelta(seconds=1))
    rotating.users = [("a forgotten job",)] * 10_000
    await rotating.rotate()
    told = await why(rotating)

    assert "the old credential is still used by a forgotten job" in told
    assert rotating.did[-4:] == BROUGHT_BACK
    assert "lock_old" not in rotating.did


async def test_a_value_the_target_refuses_is_withdrawn_and_another_one_made(
    rotating: Rotating,
) -> None:
    async def refuses() -> None:
        if rotating.did.count("give_to_target") == 1:
            raise InvalidRequest("too weak")

    rotating.on["give_to_target"] = refuses
    await (await rotating.rotate()).result()

    assert rotating.did[:5] == [
        "plan",
        "create_version",
        "give_to_target",
        "withdraw_new",
        "create_version",
    ]


async def test_a_target_that_refuses_every_value_gets_no_fourth_one(rotating: Rotating) -> None:
    async def refuses() -> None:
        raise InvalidRequest("too weak")

    rotating.on["give_to_target"] = refuses
    await rotating.rotate()

    assert "too weak" in await why(rotating)
    assert rotating.did == ["plan", *["create_version", "give_to_target", "withdraw_new"] * 3]


async def test_people_who_agree_have_the_old_credential_locked_and_destroyed(
    rotating: Rotating,
) -> None:
    rotating.about |= {"approval": ApprovalRule(groups=("leads",))}
    handle = await rotating.rotate()
    question = await asked(rotating)
    assert rotating.did == TURNED_OVER
    await question.decide(ANN)
    await handle.result()

    assert "web in production" in question.request.details
    assert rotating.did == [*TURNED_OVER, "lock_old", "destroy_old"]


async def test_people_who_refuse_have_everybody_use_the_old_credential_again(
    rotating: Rotating,
) -> None:
    rotating.about |= {"approval": ApprovalRule()}
    await rotating.rotate()
    await (await asked(rotating)).decide(ANN, Act.REJECT, text="not today")

    assert "not today" in await why(rotating)
    assert rotating.did == [*TURNED_OVER, *BROUGHT_BACK]


async def test_a_cancel_while_people_are_asked_undoes_it_and_takes_the_question_back(
    rotating: Rotating,
) -> None:
    rotating.about |= {"approval": ApprovalRule()}
    handle = await rotating.rotate()
    question = await asked(rotating)
    await handle.cancel(reason="ann: not today")
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    with pytest.raises(WorkflowFailureError):
        await question.handle.result()

    assert rotating.did == [*TURNED_OVER, *BROUGHT_BACK]
    assert rotating.notes[-1].phase is Phase.CANCELLED


async def test_what_a_person_only_looked_at_is_written_down_and_brought_to_nobody(
    rotating: Rotating, organization: str
) -> None:
    ann = Trigger(actor="ann")
    seen = SecretChange(organization=organization, path=PATH, action="secret.shown", trigger=ann)
    asks = seen.model_copy(update={"action": "secret.asked", "version": 2, "reason": "leaked"})
    for key, change in (("seen", seen), ("asks", asks)):
        done = await (await start_change(rotating.client, change, key)).result()
        assert done.consumers == ()

    assert rotating.did == []
    told = [(one.action, one.actor, one.result.value, one.after) for one in rotating.facts]
    assert told == [
        ("secret.shown", "ann", "done", ""),
        ("secret.asked", "ann", "asked", "version 2"),
    ]


@pytest.mark.parametrize("restarts", [True, False])
async def test_a_value_that_a_person_set_is_delivered_and_pods_begin_anew_if_asked(
    rotating: Rotating, organization: str, *, restarts: bool
) -> None:
    change = SecretChange(
        organization=organization,
        path=PATH,
        action="secret.set",
        version=2,
        delivers=True,
        restarts=restarts,
    )
    done = await (await start_change(rotating.client, change, "set")).result()

    assert rotating.did == ["deliver", "restart with 2"][: 1 + restarts]
    assert done.consumers == ("web in production",)


async def test_a_task_sees_a_new_value_at_its_next_run_and_is_not_begun_anew(
    rotating: Rotating,
) -> None:
    rotating.kind = "CronJob"
    await (await rotating.rotate()).result()

    assert "restart with 2" not in rotating.did
    assert "deliver" in rotating.did


async def test_a_step_that_no_person_resolves_is_undone_after_a_week(
    skipping: Client, tmp_path: Path, organization: str
) -> None:
    rotating = Rotating(skipping, tmp_path, organization)

    async def away() -> None:
        raise Errored("the target is away")

    rotating.on["test_version"] = away
    async with rotating.serving():
        await rotating.rotate()
        told = await why(rotating)

    assert "the target is away" in told
    assert [one.phase for one in rotating.notes] == [Phase.RUNNING, Phase.PARKED, Phase.ERRORED]
    assert rotating.did[-1] == "withdraw_new"
    assert "use_version" not in rotating.did


async def test_who_reads_openbao_itself_and_runs_is_named_and_waited_for_and_left_alone(
    rotating: Rotating,
) -> None:
    rotating.readers = ("x/gone", "x/web")
    handle = await rotating.rotate()
    done = await handle.result()

    assert done.consumers == ("web in production", "own in production (reads OpenBao itself)")
    assert rotating.awaited == ("x/web",)
    assert rotating.did[: len(TURNED_OVER)] == TURNED_OVER
