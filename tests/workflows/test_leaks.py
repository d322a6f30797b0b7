"""Responses to leaks: confirmed, stopped, refused by nobody; rotations of which some run already.

That strangers are cut off is shown against real targets in tests/integration/secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.leaks import (
    Confirmation,
    LeakOutcome,
    LeakReport,
    LeakRequest,
    LeakResources,
    LeakRotation,
    ListSecrets,
    SecretPaths,
)
from domain.deliveries.rotations import Rotation, RotationRequest
from domain.deliveries.secrets import FindConsumers, SecretConsumer, SecretConsumers
from domain.errors import Errored, InvalidRequest
from domain.records import FactBatch, Recorded
from tests.serving import own_client, served
from workflows.common import calls
from workflows.leaks import replacing
from workflows.leaks.response import LeakResponseWorkflow
from workflows.leaks.starting import confirm_leak, start_leak_response

pytestmark = pytest.mark.workflows
Leak = WorkflowHandle[LeakResponseWorkflow, LeakReport]
SILENT = f"plane.silent-{uuid4().hex[:8]}"


@workflow.defn(name="RotationWorkflow")
class ScriptedRotation:
    """Ends by its name: `bad` fails, `slow` when it is told to or stopped, all others at once."""

    def __init__(self) -> None:
        self._may_end = False

    @workflow.run
    async def run(self, request: RotationRequest) -> Rotation:
        if request.rotation.startswith("bad"):
            raise ApplicationError("the target is gone", type="Errored", non_retryable=True)
        if request.rotation.startswith("slow"):
            await self._told_to_end(request.rotation.endswith("stubborn"))
        return Rotation(
            organization=request.organization,
            rotation=request.rotation,
            path=f"shop/production/{request.rotation}",
            before=1,
            version=2,
            message="the leaked one is gone" if request.leaked else "as planned",
        )

    @workflow.signal
    def end(self) -> None:
        self._may_end = True

    async def _told_to_end(self, is_stubborn: bool) -> None:
        try:
            await workflow.wait_condition(lambda: self._may_end)
        except asyncio.CancelledError:
            if not is_stubborn:
                raise
            await workflow.wait_condition(lambda: self._may_end)


class Place:
    """A project with one secret that can be turned over and one that cannot."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.organization = f"o-{uuid4().hex[:8]}"
        self.facts: list[str] = []
        self.rotations = ["db"]
        self.paths = ["shop/production/db", "shop/staging/smtp"]
        self.planes = [SILENT]
        self.problem: Exception | None = None
        """Why the resources cannot be read."""
        self.looked = asyncio.Event()
        """Somebody reads the resources."""
        self.may_look = asyncio.Event()
        """Set = they can be read."""
        self.may_look.set()
        self.confirmed_now = asyncio.Event()
        """It is being written down that a person confirmed the plan."""
        self.may_confirm = asyncio.Event()
        """Set = that can be written down."""
        self.may_confirm.set()

    @activity.defn
    async def read_leak(self, _request: LeakRequest) -> LeakResources:
        self.looked.set()
        await self.may_look.wait()
        if self.problem is not None:
            raise self.problem
        known = [
            LeakRotation(
                name=name, path=f"shop/production/{name}", engine="KV", approvers=("security",)
            )
            for name in self.rotations
        ]
        return LeakResources(rotations=tuple(known), planes=tuple(self.planes))

    @activity.defn
    async def list_secrets(self, _request: ListSecrets) -> SecretPaths:
        return SecretPaths(paths=tuple(self.paths))

    @activity.defn
    async def find_consumers(self, _request: FindConsumers) -> SecretConsumers:
        web = SecretConsumer(
            organization=self.organization,
            project="shop",
            environment="production",
            component="web",
            namespace="x",
            kind="Deployment",
            name="web",
            secret="web-secrets",
            keys={"PASSWORD": "shop/production/db/password"},
        )
        return SecretConsumers(items=(web,))

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        if any(one.action == "leak.confirmed" for one in batch.facts):
            self.confirmed_now.set()
            await self.may_confirm.wait()
        self.facts += [f"{one.action} {one.result.value}" for one in batch.facts]
        return Recorded()

    def workers(self, client: Client) -> list[Worker]:
        lanes = [LeakResponseWorkflow, ScriptedRotation]
        own: list[Any] = [self.read_leak, self.record, self.find_consumers]
        return [
            Worker(client, task_queue=ids.LANES_QUEUE, workflows=lanes),
            Worker(client, task_queue=ids.CONTROL_QUEUE, activities=own),
            Worker(client, task_queue=ids.SECRETS_QUEUE, activities=[self.list_secrets]),
        ]

    def rotates(self, *names: str) -> None:
        """Makes a project of only these secrets, all of which can be turned over."""
        self.rotations, self.planes = list(names), [ids.CONTROL_QUEUE]
        self.paths = [f"shop/production/{name}" for name in names]

    async def report(self) -> Leak:
        """Somebody reports a leak."""
        request = LeakRequest(organization=self.organization, project="shop", reason="lost")
        return await start_leak_response(self.client, request)

    async def begin(self, name: str) -> None:
        """Begins a rotation at its own pace."""
        asked = RotationRequest(organization=self.organization, rotation=name)
        await self.client.start_workflow(
            "RotationWorkflow",
            asked,
            id=ids.rotation_id(self.organization, name),
            task_queue=ids.LANES_QUEUE,
        )

    async def begun(self, name: str) -> None:
        """Returns once a rotation is there that a response to a leak began."""
        async with asyncio.timeout(60):
            while True:
                with suppress(RPCError):  # not there yet
                    if (await self.rotation(name).describe()).parent_id:
                        return
                await asyncio.sleep(0.05)

    async def planned(self) -> tuple[Leak, LeakReport]:
        """Returns what was reported, once it waits for a person."""
        handle = await self.report()
        return handle, await told(handle, lambda report: report.awaits_confirmation)

    async def confirmed(self) -> Leak:
        """Returns a response that a person has confirmed."""
        handle, report = await self.planned()
        await confirm_leak(handle, Confirmation(plan=report.plan.hash, actor="ada"))
        return handle

    def rotation(self, name: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(ids.rotation_id(self.organization, name))


async def accepted(leak: Leak, number: int) -> None:
    """Returns once so many words of people were let in, which are being looked at."""
    kind = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    async with asyncio.timeout(60):
        while True:
            history = await leak.fetch_history()
            if sum(one.event_type == kind for one in history.events) == number:
                return
            await asyncio.sleep(0.05)


async def told(leak: Leak, holds: Callable[[LeakReport], bool]) -> LeakReport:
    """Returns the report once it is as expected."""
    async with asyncio.timeout(60):
        while not holds(report := await leak.query(LeakResponseWorkflow.report)):  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.05)
        return report


async def why(leak: Leak) -> str:
    """Returns why the response did not end well."""
    with pytest.raises(WorkflowFailureError) as failed:
        await leak.result()
    return str(failed.value.cause)


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
