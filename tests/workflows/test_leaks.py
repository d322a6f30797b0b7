"""Responses to leaks: confirmed, stopped, refused by nobody; rotations of which some run already.

That strangers are cut off is shown against real targets in tests/integration/secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import RetryPolicy
from temporalio.exceptions import CancelledError

from domain.deliveries.leaks import Confirmation, LeakOutcome
from domain.errors import Errored, InvalidRequest
from tests.serving import own_client, served
from tests.workflows.leaking import SILENT, Place, accepted, told, why
from workflows.common import calls
from workflows.leaks import replacing
from workflows.leaks.response import LeakResponseWorkflow
from workflows.leaks.starting import confirm_leak

pytestmark = pytest.mark.workflows


@pytest.fixture
async def place(temporal: Client) -> AsyncIterator[Place]:
    place = Place(temporal)
    async with served(place.workers(await own_client(temporal))):
        yield place


async def test_nothing_is_done_about_a_leak_that_nobody_confirms_and_no_plane_is_waited_for(
    skipping: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(calls.PRESENCE, "schedule_to_close_timeout", timedelta(seconds=1))
    place = Place(skipping)
    async with served(place.workers(await own_client(skipping))):
        handle = await place.report()
        said = await why(handle)
        report = await handle.query(LeakResponseWorkflow.report)
        described = await handle.describe()

    assert "nobody confirmed the plan in time: nothing was done" in said
    assert [one.path for one in report.plan.entries] == ["shop/production/db"]
    assert [one.path for one in report.plan.by_hand] == ["shop/staging/smtp"]
    assert report.plan.silent_planes == (SILENT,)
    assert (report.secrets, report.awaits_confirmation) == ((), False)
    assert place.facts == ["leak.reported asked", "leak.answered failed"]
    assert described.close_time is not None
    assert described.close_time - described.start_time >= timedelta(hours=24)


async def test_all_that_a_person_confirmed_is_turned_over_and_the_evidence_names_it(
    place: Place,
) -> None:
    place.rotates("db", "smtp")
    report = await (await place.confirmed()).result()

    assert [(one.rotation, one.outcome, one.version) for one in report.secrets] == [
        ("db", LeakOutcome.REPLACED, 2),
        ("smtp", LeakOutcome.REPLACED, 2),
    ]
    assert report.plan.entries[0].consumers == ("web in production",)
    assert {one.message for one in report.secrets} == {"the leaked one is gone"}
    assert (report.confirmed_by, report.message) == ("ada", "2 secrets were replaced")
    assert place.facts == ["leak.reported asked", "leak.confirmed done", "leak.answered done"]


async def test_a_secret_that_could_not_be_turned_over_is_named_and_stops_no_other(
    place: Place,
) -> None:
    place.rotates("bad", "db")
    leak = await place.confirmed()
    said = await why(leak)
    bad, good = (await leak.query(LeakResponseWorkflow.report)).secrets

    assert "1 secret was replaced; these may still be known to strangers: shop/production/bad" in (
        said
    )
    assert (bad.outcome, bad.message) == (LeakOutcome.FAILED, "the target is gone")
    assert good.outcome is LeakOutcome.REPLACED
    assert place.facts[-1] == "leak.answered failed"


async def test_where_no_secret_can_be_turned_over_all_are_left_to_people(place: Place) -> None:
    place.rotations, place.planes = [], []
    leak = await place.confirmed()

    assert "these may still be known to strangers: shop/production/db, shop/staging/smtp" in (
        await why(leak)
    )
    assert (await leak.query(LeakResponseWorkflow.report)).secrets == ()


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (InvalidRequest("there is no project shop"), "there is no project shop"),
        (Errored("the control plane does not let the platform in"), "does not let the platform in"),
    ],
)
async def test_a_leak_of_which_nothing_can_be_learnt_ends_with_the_reason(
    place: Place, problem: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(calls.QUICK, "retry_policy", RetryPolicy(maximum_attempts=1))
    place.problem = problem

    assert said in await why(await place.report())
    assert place.facts == ["leak.reported asked", "leak.answered failed"]


async def test_a_plan_that_is_not_what_would_be_done_now_is_shown_anew_before_it_is_confirmed(
    place: Place,
) -> None:
    place.rotates("db")
    leak, seen = await place.planned()
    ada = Confirmation(plan=seen.plan.hash, actor="ada")
    place.rotates("db", "smtp")
    with pytest.raises(WorkflowUpdateFailedError) as changed:
        await confirm_leak(leak, ada)
    shown = await leak.query(LeakResponseWorkflow.report)
    with pytest.raises(WorkflowUpdateFailedError) as stale:
        await confirm_leak(leak, ada.model_copy(update={"actor": "bob"}))
    await confirm_leak(leak, Confirmation(plan=shown.plan.hash, actor="ada"))
    done = await leak.result()

    assert "what is to be done is another now" in str(changed.value.cause)
    assert "that is not the plan that waits" in str(stale.value.cause)
    assert [one.rotation for one in done.secrets] == ["db", "smtp"]


async def test_who_confirms_while_nothing_can_be_learnt_is_told_and_may_try_again(
    place: Place,
) -> None:
    place.rotates("db")
    leak, seen = await place.planned()
    place.problem = InvalidRequest("there is no project shop")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await confirm_leak(leak, Confirmation(plan=seen.plan.hash, actor="ada"))
    place.problem = None
    await confirm_leak(leak, Confirmation(plan=seen.plan.hash, actor="bob"))

    assert "there is no project shop" in str(refused.value.cause)
    assert (await leak.result()).confirmed_by == "bob"


async def test_of_two_who_confirm_at_once_the_first_counts_and_both_get_the_answer(
    place: Place,
) -> None:
    place.rotates("slow")
    leak, seen = await place.planned()
    place.looked.clear()
    place.may_look.clear()
    words = [
        asyncio.create_task(confirm_leak(leak, Confirmation(plan=seen.plan.hash, actor=who)))
        for who in ("ada", "bob")
    ]
    await accepted(leak, 2)
    place.may_look.set()
    answers = await asyncio.gather(*words)
    report = await told(leak, lambda report: bool(report.secrets))
    with pytest.raises(WorkflowUpdateFailedError) as late:
        await confirm_leak(leak, Confirmation(plan=seen.plan.hash, actor="eve"))
    await place.begun("slow")
    await place.rotation("slow").signal("end")
    await leak.result()

    assert report.confirmed_by in {"ada", "bob"}
    assert "nothing waits to be confirmed" in str(late.value.cause)
    assert {one.plan.hash for one in answers} == {seen.plan.hash}


async def test_a_person_who_stops_the_response_stops_its_rotations_and_keeps_what_is_done(
    place: Place,
) -> None:
    place.rotates("db", "slow")
    leak = await place.confirmed()
    await told(leak, lambda report: "Replaced" in {one.outcome.value for one in report.secrets})
    await place.begun("slow")
    await leak.cancel()
    with pytest.raises(WorkflowFailureError) as stopped:
        await leak.result()
    report = await leak.query(LeakResponseWorkflow.report)

    assert isinstance(stopped.value.cause, CancelledError)
    assert [one.outcome.value for one in report.secrets] == ["Replaced", "Failed"]
    assert report.secrets[1].message == "stopped by a person"
    assert place.facts[-1] == "leak.answered undone"


async def test_a_response_stopped_while_it_makes_its_plan_does_nothing(place: Place) -> None:
    place.may_look.clear()
    leak = await place.report()
    async with asyncio.timeout(60):
        await place.looked.wait()
    await leak.cancel()
    place.may_look.set()
    with pytest.raises(WorkflowFailureError) as stopped:
        await leak.result()

    assert isinstance(stopped.value.cause, CancelledError)
    assert place.facts == ["leak.reported asked", "leak.answered undone"]


async def test_a_rotation_at_its_own_pace_is_told_to_give_way_and_begun_anew(
    skipping: Client,
) -> None:
    place = Place(skipping)
    place.rotates("slow")
    async with served(place.workers(await own_client(skipping))):
        await place.begin("slow")
        leak = await place.confirmed()
        await place.begun("slow")
        await place.rotation("slow").signal("end")
        report = await leak.result()

    assert report.secrets[0].outcome is LeakOutcome.REPLACED
    assert report.secrets[0].message == "the leaked one is gone"


async def test_a_rotation_that_does_not_give_way_in_time_is_named(
    skipping: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacing, "_GIVES_WAY", timedelta(minutes=1))
    place = Place(skipping)
    place.rotates("slow-stubborn")
    async with served(place.workers(await own_client(skipping))):
        await place.begin("slow-stubborn")
        leak = await place.confirmed()
        await why(leak)
        report = await leak.query(LeakResponseWorkflow.report)

    assert report.secrets[0].outcome is LeakOutcome.FAILED
    assert report.secrets[0].message.endswith("ran already and did not give way")


async def test_a_response_stopped_while_a_rotation_gives_way_begins_it_no_more(
    skipping: Client,
) -> None:
    place = Place(skipping)
    place.rotates("slow-stubborn")
    async with served(place.workers(await own_client(skipping))):
        await place.begin("slow-stubborn")
        leak = await place.confirmed()
        await told(
            leak, lambda report: any("undone itself" in one.message for one in report.secrets)
        )
        await leak.cancel()
        await why(leak)
        report = await leak.query(LeakResponseWorkflow.report)
        other = await place.rotation("slow-stubborn").describe()

    assert report.secrets[0].message == "stopped by a person"
    assert other.status is WorkflowExecutionStatus.RUNNING


async def test_a_response_stopped_while_its_confirmation_is_written_down_replaces_nothing(
    place: Place,
) -> None:
    place.rotates("db")
    place.may_confirm.clear()
    leak = await place.confirmed()
    async with asyncio.timeout(60):
        await place.confirmed_now.wait()
    await leak.cancel()
    place.may_confirm.set()
    with pytest.raises(WorkflowFailureError) as stopped:
        await leak.result()

    assert isinstance(stopped.value.cause, CancelledError)
    assert (await leak.query(LeakResponseWorkflow.report)).secrets == ()
    assert place.facts[-2:] == ["leak.confirmed done", "leak.answered undone"]
