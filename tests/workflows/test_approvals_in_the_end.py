"""What is said of an approval that is over, and what changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, CancelledError

from domain.deliveries import OperationStatus
from domain.deliveries.approvals import ApprovalChange, ApprovalOutcome, ApprovalRule
from domain.errors import DependencyUnavailable
from domain.phases import Phase
from tests.workflows.approving import ANN, BOB, FACTS, Approvals, Open
from workflows.approvals.approval import ApprovalWorkflow

pytestmark = pytest.mark.workflows
OTHER = FACTS.model_copy(update={"artifact": "sha256:b"})


@pytest.fixture
async def approvals(temporal: Client, tmp_path: Path) -> AsyncIterator[Approvals]:
    asking = Approvals(temporal, tmp_path)
    async with asking.worker():
        yield asking


async def status_of(approval: Open) -> OperationStatus:
    return await approval.handle.query(ApprovalWorkflow.status)


async def approved_but_not_written_down(approvals: Approvals) -> Open:
    """An approval whose verdict is there while the records database is away."""
    approval = await approvals.ask()
    approvals.fail_records = DependencyUnavailable("the records database does not answer")
    assert (await approval.decide(ANN)).outcome is ApprovalOutcome.APPROVED
    return approval


async def test_what_comes_after_the_verdict_changes_nothing(approvals: Approvals) -> None:
    approval = await approved_but_not_written_down(approvals)

    await approval.handle.signal(ApprovalWorkflow.rebind, ApprovalChange(facts=OTHER))
    await approval.handle.signal(ApprovalWorkflow.withdraw, "too late")
    await approval.handle.signal("decide", approval.signed(BOB))
    with pytest.raises(WorkflowUpdateFailedError) as late:
        await approval.decide(BOB)
    standing = await approval.standing()
    approvals.fail_records = None
    result = await approval.handle.result()

    assert isinstance(late.value.cause, ApplicationError)
    assert late.value.cause.type == "Conflict"
    assert "is over" in late.value.cause.message
    assert standing.request.facts == FACTS
    assert "is over" in standing.request.state.refused[-1].why
    assert (result.approved, [vote.person for vote in result.votes]) == (True, [ANN])


async def test_a_cancel_after_the_verdict_leaves_the_verdict(approvals: Approvals) -> None:
    approval = await approved_but_not_written_down(approvals)

    await approval.handle.cancel()
    approvals.fail_records = None
    with pytest.raises(WorkflowFailureError) as ended:
        await approval.handle.result()

    assert isinstance(ended.value.cause, CancelledError)
    assert (await approval.standing()).outcome is ApprovalOutcome.APPROVED
    assert [one.action for one in approvals.facts].count("approval.approved") == 1


async def test_a_change_that_changes_nothing_leaves_the_votes(approvals: Approvals) -> None:
    approval = await approvals.ask(rule=ApprovalRule(quorum=2))
    await approval.decide(ANN)

    await approval.handle.signal(ApprovalWorkflow.rebind, ApprovalChange(facts=FACTS))
    result = await approval.decide(BOB)

    assert result.request.state.round == 1
    assert (await approval.handle.result()).approved


@pytest.mark.parametrize(
    ("groups", "who"),
    [(("leads",), "members of leads"), ((), "whoever may approve there")],
    ids=["groups", "everyone"],
)
async def test_an_approval_says_who_it_waits_for_until_it_is_over(
    approvals: Approvals, groups: tuple[str, ...], who: str
) -> None:
    approval = await approvals.ask(
        rule=ApprovalRule(groups=groups), details="**what changes**: one line"
    )
    await approval.standing()

    waits = await status_of(approval)
    await approval.decide(ANN)
    await approval.handle.result()
    over = await status_of(approval)

    assert waits.waiting_for is not None
    assert (waits.phase, waits.waiting_for.who) == (Phase.RUNNING, who)
    assert (over.phase, over.waiting_for) == (Phase.SUCCEEDED, None)
