from __future__ import annotations

from datetime import timedelta

import pytest

from domain.deliveries.approvals import (
    ApprovalChange,
    ApprovalOutcome,
    ApprovalRule,
    EscalationStep,
)
from domain.policies import approvals
from domain.policies.approvals import Due, Event
from domain.resources import ApprovalPolicy
from tests.unit.approvals.people import ANN, FACTS, START, approved_by, asked

pytestmark = pytest.mark.unit
DAY = timedelta(days=1)
STEPS = (EscalationStep(after=4 * DAY, group="heads"), EscalationStep(after=6 * DAY, group="ceo"))
RULE = ApprovalRule(expires_after=10 * DAY, escalation=STEPS)


def test_reminder_comes_at_half_time_unless_said() -> None:
    assert approvals.upcoming(asked(ApprovalRule(expires_after=10 * DAY))) == Due(
        event=Event.REMIND, at=START + 5 * DAY
    )
    said = ApprovalRule(expires_after=10 * DAY, remind_after=DAY)
    assert approvals.upcoming(asked(said)).at == START + DAY


def test_time_brings_escalations_the_reminder_and_the_end_in_order() -> None:
    request, seen = asked(RULE), []
    while True:
        due = approvals.upcoming(request)
        seen.append((due.event, due.at - START))
        if due.event is Event.EXPIRE:
            break
        request = approvals.passed(request, due.event)
    assert seen == [
        (Event.ESCALATE, 4 * DAY),
        (Event.REMIND, 5 * DAY),
        (Event.ESCALATE, 6 * DAY),
        (Event.EXPIRE, 10 * DAY),
    ]


def test_end_comes_before_a_reminder_of_the_same_moment() -> None:
    rule = ApprovalRule(expires_after=DAY, remind_after=DAY)
    assert approvals.upcoming(asked(rule)).event is Event.EXPIRE


def test_change_asks_anew_with_all_the_time_there_is() -> None:
    request = approvals.passed(approvals.passed(asked(RULE), Event.ESCALATE), Event.REMIND)
    changed = FACTS.model_copy(update={"plan": "other"})
    again = approvals.rebound(request, ApprovalChange(facts=changed), START + 8 * DAY)
    assert approvals.upcoming(again) == Due(event=Event.ESCALATE, at=START + 12 * DAY)
    assert again.state.round == 2
    assert not again.state.reminded
    assert again.state.opened == START


def test_changed_rule_is_a_change() -> None:
    request = approved_by(asked(ApprovalRule(quorum=2)), ANN)
    change = ApprovalChange(facts=FACTS, rule=ApprovalRule(quorum=1))
    again = approvals.rebound(request, change, START + DAY)
    assert again.state.votes == ()
    assert again.state.rebindings[-1].why == "approval rule changed"


def test_continued_approval_keeps_when_it_began() -> None:
    assert approvals.opened(asked(RULE), START + DAY).state.opened == START


def test_standing_tells_what_comes_when() -> None:
    shown = approvals.standing(asked(RULE))
    assert shown.expires == START + 10 * DAY
    assert shown.remind_at == START + 5 * DAY
    assert shown.escalate_at == START + 4 * DAY
    assert shown.missing == ("1 more approval",)


def test_result_carries_votes_and_the_hash() -> None:
    request = approved_by(asked(), ANN)
    result = approvals.concluded(request, ApprovalOutcome.APPROVED, "approved", START + DAY)
    assert result.approved
    assert result.hash == request.hash
    assert [vote.person for vote in result.votes] == [ANN]


def test_policy_of_a_resource_becomes_the_rule_of_a_procedure() -> None:
    policy = ApprovalPolicy.model_validate(
        {
            "quorum": 2,
            "requiredGroups": ["security"],
            "expiresAfter": "2d12h",
            "escalation": [{"after": "6h", "group": "b"}, {"after": "90m", "group": "a"}],
        }
    )
    rule = policy.rule
    assert rule.expires_after == timedelta(hours=60)
    assert [step.group for step in rule.escalation] == ["a", "b"]
    assert rule.remind_after is None
    assert ApprovalPolicy().rule == ApprovalRule()
