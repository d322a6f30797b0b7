from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError

from domain import ids
from domain.deliveries.approval_votes import Act
from domain.deliveries.approvals import (
    ApprovalChange,
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalRule,
    ApprovalStanding,
    EscalationStep,
)
from domain.deliveries.notices import Notice
from domain.errors import DependencyUnavailable
from runtime import search_attributes as attributes
from tests.servers import temporal_server
from tests.workflows.approving import (
    ANN,
    BOB,
    CAT,
    DAN,
    EVE,
    FACTS,
    Approvals,
    AskingWorkflow,
    Open,
)
from workflows.approvals.approval import ApprovalWorkflow

pytestmark = pytest.mark.workflows
TWO = ApprovalRule(quorum=2)
OTHER = FACTS.model_copy(update={"artifact": "sha256:b"})


@pytest.fixture
def asking(temporal: Client, tmp_path: Path) -> Approvals:
    return Approvals(temporal, tmp_path)


@pytest.fixture
async def approvals(asking: Approvals) -> AsyncIterator[Approvals]:
    async with asking.worker():
        yield asking


async def refusal(deciding: Coroutine[Any, Any, ApprovalStanding]) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        _ = await deciding
    assert isinstance(failure.value.cause, ApplicationError)
    return failure.value.cause


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - Temporal has no event for it
            await asyncio.sleep(0.05)


async def until(
    approval: Open, condition: Callable[[ApprovalStanding], object]
) -> ApprovalStanding:
    async def holds() -> bool:
        return bool(condition(await approval.standing()))

    await eventually(holds)
    return await approval.standing()


async def test_a_second_person_approves_and_whoever_asked_goes_on(approvals: Approvals) -> None:
    approval = await approvals.ask()
    standing = await approval.decide(ANN)
    result = await approval.handle.result()
    assert standing.outcome is ApprovalOutcome.APPROVED
    assert result.approved
    assert result.hash == approval.request.hash
    assert [vote.person for vote in result.votes] == [ANN]
    # A busy machine may try one again: its key tells that it is the same.
    told = {one.key: one.kind for one in approvals.notices}
    assert list(told.values()) == ["approval.asked", "approval.approved"]


async def test_quorum_waits_for_distinct_people(approvals: Approvals) -> None:
    approval = await approvals.ask(rule=TWO)
    assert (await approval.decide(ANN)).missing == ("1 more approval",)
    assert (await approval.decide(ANN)).approvals == 1
    assert (await approval.decide(BOB)).outcome is ApprovalOutcome.APPROVED


async def test_who_may_not_decide_learns_at_once_why(approvals: Approvals) -> None:
    approval = await approvals.ask(
        rule=ApprovalRule(groups=("leads",)), requester=BOB.email, authors=("A <ann@acme.example>",)
    )
    assert "asked for it" in str(await refusal(approval.decide(BOB)))
    assert "wrote commits" in str(await refusal(approval.decide(ANN)))
    assert "none of the groups" in str(await refusal(approval.decide(CAT)))
    refused = await refusal(approval.decide(EVE))
    assert refused.type == "Denied"
    assert "has no role" in refused.message


async def test_reject_takes_a_reason_and_ends_it(approvals: Approvals) -> None:
    approval = await approvals.ask(rule=TWO)
    assert (await refusal(approval.decide(ANN, Act.REJECT, text=""))).type == "InvalidRequest"
    await approval.decide(ANN, Act.REJECT, text="no migration")
    result = await approval.handle.result()
    assert result.outcome is ApprovalOutcome.REJECTED
    assert result.message == "rejected by ann@acme.example: no migration"


async def test_five_clicks_at_once_count_once(approvals: Approvals) -> None:
    approval = await approvals.ask(rule=TWO)
    clicks = await asyncio.gather(*(approval.decide(ANN) for _ in range(5)))
    assert {click.approvals for click in clicks} == {1}
    await approval.decide(BOB)
    assert (await approval.handle.result()).approved


async def test_changed_facts_void_votes_say_why_and_ask_again(approvals: Approvals) -> None:
    approval = await approvals.ask(rule=TWO)
    await approval.decide(ANN)
    await approval.handle.signal(ApprovalWorkflow.rebind, ApprovalChange(facts=OTHER))
    await until(approval, lambda now: now.request.state.round == 2)

    assert (await refusal(approval.decide(BOB))).type == "StaleRevision"
    standing = await approval.standing()
    assert [one.why for one in standing.request.state.voided] == ["artifact changed"]
    for who in (ANN, BOB):
        await approval.decide(who, hash=standing.hash, round=2)
    result = await approval.handle.result()
    assert result.hash == standing.hash != approval.request.hash
    asked = {one.key for one in approvals.notices if one.kind == "approval.asked"}
    assert len(asked) == 2


async def test_right_that_was_lost_before_the_quorum_takes_the_vote_along(
    approvals: Approvals,
) -> None:
    approval = await approvals.ask(rule=TWO)
    await approval.decide(ANN)
    rules = approvals.organizations.access
    approvals.organizations.access = [rule for rule in rules if rule["user"] != ANN.email]
    standing = await approval.decide(BOB)
    assert standing.outcome is None
    assert standing.approvals == 1
    assert "ann@acme.example may not approve here" in standing.request.state.voided[0].why
    assert (await approval.decide(CAT)).outcome is ApprovalOutcome.APPROVED


async def test_signal_with_an_assertion_counts_like_the_update(approvals: Approvals) -> None:
    approval = await approvals.ask()
    await approval.handle.signal("decide", approval.signed(ANN))
    assert (await approval.handle.result()).approved


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"assertion": ""}, "carries no assertion"),
        ({"assertion": "made.up.text"}, "not signed by the API"),
        ({"act": Act.REJECT}, "about another act"),
        ({"text": "something else"}, "about another words"),
    ],
)
async def test_signal_without_a_valid_assertion_does_not_count_and_is_shown(
    approvals: Approvals, changes: dict[str, Any], why: str
) -> None:
    approval = await approvals.ask()
    forged = approval.signed(ANN).model_copy(update=changes)
    await approval.handle.signal("decide", forged)
    standing = await until(approval, lambda now: now.request.state.refused)
    assert why in standing.request.state.refused[0].why
    assert standing.outcome is None
    assert standing.approvals == 0


async def test_assertion_of_another_approval_proves_nothing(approvals: Approvals) -> None:
    approval, other = await approvals.ask(), await approvals.ask()
    foreign = other.signed(ANN)
    refused = await refusal(approval.send(foreign))
    assert "about another approval" in refused.message


async def test_old_assertion_proves_nothing(approvals: Approvals) -> None:
    approval = await approvals.ask()
    description = await approval.handle.describe()
    old = approval.signed(ANN, at=description.start_time - timedelta(hours=1))
    refused = await refusal(approval.send(old))
    assert "too old" in refused.message


async def test_assertion_of_a_vote_that_was_voided_is_not_taken_again(
    approvals: Approvals,
) -> None:
    approval = await approvals.ask(rule=TWO)
    signed = approval.signed(ANN)
    await approval.send(signed)
    rules = approvals.organizations.access
    approvals.organizations.access = [rule for rule in rules if rule["user"] != ANN.email]
    await approval.decide(BOB)
    approvals.organizations.access = rules
    again = await refusal(approval.send(signed))
    assert again.type == "Conflict"


async def test_delegate_decides_instead(approvals: Approvals) -> None:
    approval = await approvals.ask(rule=ApprovalRule(groups=("leads",)))
    await approval.decide(ANN, Act.DELEGATE, delegate=DAN.email, text="I am away")
    standing = await approval.decide(DAN)
    assert standing.outcome is ApprovalOutcome.APPROVED
    assert standing.request.state.votes[0].on_behalf_of == ANN


async def test_comments_do_not_decide(approvals: Approvals) -> None:
    approval = await approvals.ask()
    standing = await approval.decide(DAN, Act.COMMENT, text="which index?")
    assert [one.text for one in standing.request.state.comments] == ["which index?"]
    assert standing.outcome is None


async def test_inbox_is_one_query(approvals: Approvals) -> None:
    mine = await approvals.ask(rule=ApprovalRule(groups=("leads",)))
    await mine.decide(ANN, Act.DELEGATE, delegate=DAN.email)
    done = await approvals.ask(rule=ApprovalRule(groups=("leads",)))
    await done.decide(BOB)
    await done.handle.result()

    async def found(*approvers: str) -> set[str]:
        names = ", ".join(f"'{one}'" for one in approvers)
        query = (
            f"{attributes.KIND.name} = 'approval' AND {attributes.AWAITING.name} = true "
            f"AND {attributes.APPROVERS.name} IN ({names})"
        )
        return {one.id async for one in approvals.client.list_workflows(query)}

    async def settled() -> bool:
        everyone = await found("leads", "*")
        return mine.handle.id in everyone and done.handle.id not in everyone

    await eventually(settled)
    assert mine.handle.id in await found(f"user:{DAN.email}")
    assert mine.handle.id not in await found("security")


async def test_withdrawn_approval_is_void(approvals: Approvals) -> None:
    approval = await approvals.ask()
    await approval.handle.signal(ApprovalWorkflow.withdraw, "a newer promotion took its place")
    result = await approval.handle.result()
    assert result.outcome is ApprovalOutcome.VOID
    assert result.message == "a newer promotion took its place"


async def test_cancelled_approval_tells_that_it_is_needed_no_longer(approvals: Approvals) -> None:
    approval = await approvals.ask()
    await until(approval, lambda now: now.request.state.told)
    await approval.handle.cancel()
    with pytest.raises(WorkflowFailureError) as ended:
        await approval.handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    assert approvals.notices[-1].kind == "approval.void"
    assert (await approval.standing()).outcome is ApprovalOutcome.VOID


async def test_cancel_that_comes_while_it_is_written_down_is_not_lost(
    approvals: Approvals,
) -> None:
    approvals.fail_records = DependencyUnavailable("the records database does not answer")
    approval = await approvals.ask()
    await until(approval, lambda now: now.request.state.told)
    await approval.handle.cancel()
    approvals.fail_records = None
    with pytest.raises(WorkflowFailureError):
        await approval.handle.result()
    assert approvals.facts[-1].action == "approval.ended"


async def test_procedure_that_asks_gets_the_answer_and_takes_its_approval_along(
    approvals: Approvals,
) -> None:
    request = ApprovalRequest(
        subject=f"rotation/acme/s{uuid.uuid4().hex[:10]}",
        organization="acme",
        asked="rotate the password of the shop",
    )
    asking = await approvals.client.start_workflow(
        AskingWorkflow.run, request, id=f"asking/{request.subject}", task_queue=ids.LANES_QUEUE
    )
    handle = approvals.client.get_workflow_handle_for(
        ApprovalWorkflow.run, ids.approval_id(request.subject)
    )
    child = Open(approvals, handle, request)

    async def is_open() -> bool:
        try:
            return (await child.standing()).outcome is None
        except RPCError:
            return False

    await eventually(is_open)
    await asking.cancel()
    with pytest.raises(WorkflowFailureError):
        await asking.result()
    await until(child, lambda now: now.outcome is ApprovalOutcome.VOID)


async def test_votes_outlive_the_worker(asking: Approvals) -> None:
    async with asking.worker():
        approval = await asking.ask(rule=TWO)
        await approval.decide(ANN)
    async with asking.worker(max_cached_workflows=0):
        await approval.decide(BOB)
        result = await approval.handle.result()
    assert [vote.person.subject for vote in result.votes] == ["id-ann", "id-bob"]


async def test_each_vote_change_and_end_is_one_fact(approvals: Approvals) -> None:
    approval = await approvals.ask(rule=TWO)
    await approval.decide(ANN)
    await approval.handle.signal("decide", approval.signed(EVE))
    await until(approval, lambda now: now.request.state.refused)
    await approval.handle.signal(ApprovalWorkflow.rebind, ApprovalChange(facts=OTHER))
    standing = await until(approval, lambda now: now.request.state.round == 2)
    for who in (ANN, BOB):
        await approval.decide(who, hash=standing.hash, round=2)
    await approval.handle.result()
    told = [(one.action, one.actor, one.result.value) for one in approvals.facts]
    assert sorted(told) == sorted(
        [
            ("approval.asked", "rob@acme.example", "asked"),
            ("approval.voted", "ann@acme.example", "done"),
            ("approval.voted", "eve@acme.example", "refused"),
            ("approval.rebound", "rob@acme.example", "done"),
            ("approval.asked", "rob@acme.example", "asked"),
            ("approval.voted", "ann@acme.example", "done"),
            ("approval.voted", "bob@acme.example", "done"),
            ("approval.approved", "rob@acme.example", "done"),
        ]
    )
    assert len({one.key for one in approvals.facts}) == len(told)


async def test_no_approval_counts_before_it_is_written_down(approvals: Approvals) -> None:
    approval = await approvals.ask()
    approvals.fail_records = DependencyUnavailable("the records database does not answer")
    await approval.decide(ANN)
    assert (await approval.handle.describe()).status is WorkflowExecutionStatus.RUNNING
    approvals.fail_records = None
    assert (await approval.handle.result()).approved
    assert approvals.facts[-1].action == "approval.approved"


async def test_mail_server_that_is_away_delays_no_decision(approvals: Approvals) -> None:
    approvals.fail_notices = DependencyUnavailable("mail server: ConnectionRefusedError")
    approval = await approvals.ask(rule=TWO)
    await approval.decide(ANN)
    approvals.fail_notices = None
    await approval.decide(BOB)
    assert (await approval.handle.result()).approved


async def test_months_pass_with_a_reminder_escalations_and_an_end(
    skipping: Client, tmp_path: Path
) -> None:
    asking = Approvals(skipping, tmp_path)
    steps = (
        EscalationStep(after=timedelta(days=30), group="heads"),
        EscalationStep(after=timedelta(days=120), group="board"),
    )
    rule = ApprovalRule(groups=("leads",), expires_after=timedelta(days=180), escalation=steps)
    async with asking.worker():
        approval = await asking.ask(rule=rule)
        result = await approval.handle.result()
        history = await approval.handle.fetch_history()
    assert result.outcome is ApprovalOutcome.EXPIRED
    assert result.message == ("nobody decided in time: 0 of 1 approvals; needs 1 more approval")
    assert result.opened
    assert result.closed
    assert result.closed - result.opened >= timedelta(days=180)
    assert [one.kind.removeprefix("approval.") for one in asking.notices] == [
        "asked",
        "escalated",
        "reminded",
        "escalated",
        "expired",
    ]
    assert asking.notices[1].groups == ("leads", "heads")
    timers = [one for one in history.events if one.HasField("timer_started_event_attributes")]
    assert len(timers) == 4


async def test_months_later_a_delegate_and_a_group_that_was_asked_instead_still_decide(
    skipping: Client, tmp_path: Path
) -> None:
    asking = Approvals(skipping, tmp_path)
    head = DAN.model_copy(update={"groups": ("heads",)})
    step = EscalationStep(after=timedelta(days=30), group="heads")
    rule = ApprovalRule(
        quorum=2, groups=("leads",), expires_after=timedelta(days=180), escalation=(step,)
    )

    opened: asyncio.Future[Open] = asyncio.get_running_loop().create_future()

    async def told(notice: Notice, at: datetime) -> None:
        approval = await opened
        match notice.kind:
            case "approval.asked":
                await approval.decide(ANN, Act.DELEGATE, at=at, delegate=CAT.email)
            case "approval.escalated":
                await approval.decide(head, at=at)
            case "approval.reminded":
                await approval.decide(CAT, at=at)

    asking.told = told
    async with asking.worker():
        opened.set_result(await asking.ask(rule=rule))
        result = await opened.result().handle.result()

    assert result.outcome is ApprovalOutcome.APPROVED
    assert [(vote.person.email, vote.on_behalf_of) for vote in result.votes] == [
        (DAN.email, None),
        (CAT.email, ANN),
    ]
    assert result.opened
    assert [vote.at >= result.opened + timedelta(days=days)
            for vote, days in zip(result.votes, (30, 90), strict=True)] == [True, True]  # fmt: skip
    said = {one.key: one.action.removeprefix("approval.") for one in asking.facts}
    assert list(said.values()) == ["asked", "delegated", "escalated", "voted", "voted", "approved"]


async def test_a_deadline_that_passes_while_the_records_are_away_counts_when_they_are_back(
    approvals: Approvals,
) -> None:
    approvals.fail_records = DependencyUnavailable("the records database does not answer")
    rule = ApprovalRule(expires_after=timedelta(seconds=1))
    approval = await approvals.ask(rule=rule)
    deadline = (await approval.standing()).request.state.opened
    assert deadline

    async def is_over() -> bool:
        return datetime.now(UTC) > deadline + rule.expires_after

    await eventually(is_over)
    approvals.fail_records = None
    result = await approval.handle.result()

    assert result.outcome is ApprovalOutcome.EXPIRED
    assert result.message.startswith("nobody decided in time")


async def test_continue_as_new_keeps_votes_and_time(temporal_program: Path, tmp_path: Path) -> None:
    async with temporal_server(temporal_program, longest_history=25) as client:
        asking = Approvals(client, tmp_path)
        async with asking.worker():
            approval = await asking.ask(rule=TWO)
            first = (await approval.handle.describe()).run_id
            await approval.decide(ANN)
            opened = (await approval.standing()).request.state.opened
            latest = approval.approvals.client.get_workflow_handle_for(
                ApprovalWorkflow.run, approval.handle.id
            )
            approval.handle = latest
            for number in range(8):
                await approval.decide(DAN, Act.COMMENT, text=f"comment {number}")
            # Old votes and comments are carried over when nothing is being decided any more.
            async with asyncio.timeout(30):
                while (await latest.describe()).run_id == first:  # noqa: ASYNC110 - a server
                    await asyncio.sleep(0.1)
            standing = await approval.standing()
            assert [vote.person for vote in standing.request.state.votes] == [ANN]
            assert standing.request.state.opened == opened
            assert len(standing.request.state.comments) == 8
            await approval.decide(BOB)
            assert (await latest.result()).approved
