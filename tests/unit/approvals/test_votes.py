from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries.approval_votes import (
    MOST_COMMENTS,
    Act,
    ApprovalPerson,
    Comment,
    PeopleFacts,
)
from domain.deliveries.approvals import (
    ApprovalChange,
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalRule,
    BoundFacts,
    EscalationStep,
    bound_hash,
)
from domain.errors import Conflict, Denied, InvalidRequest, PlatformError, StaleRevision
from domain.policies import approvals
from tests.unit.approvals.people import (
    ANN,
    BOB,
    CAT,
    DAN,
    EVERYONE,
    FACTS,
    START,
    approved_by,
    asked,
    decision,
    person,
    proven,
)

pytestmark = pytest.mark.unit
LATER = START + timedelta(hours=1)
OTHER = FACTS.model_copy(update={"artifact": "sha256:b"})


def test_one_approval_is_enough_when_nothing_else_is_asked() -> None:
    judged = approvals.judge(approved_by(asked(), ANN))
    assert judged.outcome is ApprovalOutcome.APPROVED
    assert judged.message == "approved by ann@acme.example"


def test_quorum_says_how_many_are_missing() -> None:
    judged = approvals.judge(approved_by(asked(ApprovalRule(quorum=3)), ANN))
    assert judged.outcome is None
    assert judged.message == "1 of 3 approvals; needs 2 more approvals"


def test_double_click_counts_once() -> None:
    request = approved_by(asked(ApprovalRule(quorum=2)), ANN, ANN)
    assert len(request.state.votes) == 1
    assert approvals.judge(request).outcome is None


def test_same_person_under_another_subject_counts_once() -> None:
    again = ANN.model_copy(update={"subject": "another", "email": ANN.email.upper()})
    request = approved_by(asked(ApprovalRule(quorum=2)), ANN, permitted=(*EVERYONE, again))
    request = approved_by(request, again, permitted=(*EVERYONE, again))
    assert approvals.judge(request).approvals == 1


def test_required_group_must_be_among_the_approvers() -> None:
    rule = ApprovalRule(quorum=2, required_groups=("security",))
    request = approved_by(asked(rule), ANN, BOB)
    assert approvals.judge(request).missing == ("one of group security",)
    assert approvals.judge(approved_by(request, CAT)).outcome is ApprovalOutcome.APPROVED


def test_someone_outside_the_groups_may_not_decide() -> None:
    with pytest.raises(Denied, match="none of the groups that decide here: leads"):
        approved_by(asked(ApprovalRule(groups=("leads",))), DAN)


def test_someone_without_the_right_may_not_decide() -> None:
    with pytest.raises(Denied, match="may not approve here"):
        approved_by(asked(), DAN, permitted=(ANN,))


@pytest.mark.parametrize("requester", [ANN.email, ANN.subject, "ANN@acme.example"])
def test_requester_does_not_approve_for_themselves(requester: str) -> None:
    with pytest.raises(Denied, match="asked for it"):
        approved_by(asked(requester=requester), ANN)


@pytest.mark.parametrize("author", ["Ann A. <ann@acme.example>", "ann@acme.example"])
def test_commit_author_does_not_approve(author: str) -> None:
    with pytest.raises(Denied, match="wrote commits"):
        approved_by(asked(authors=("Zoe <z@x.example>", author)), ANN)


def test_rule_may_allow_requester_and_authors() -> None:
    rule = ApprovalRule(allow_requester=True, allow_authors=True)
    request = approved_by(asked(rule, requester=ANN.email, authors=(ANN.email,)), ANN)
    assert approvals.judge(request).outcome is ApprovalOutcome.APPROVED


def test_rejection_needs_a_reason_and_ends_it() -> None:
    request = approved_by(asked(ApprovalRule(quorum=2)), ANN)
    with pytest.raises(InvalidRequest, match="takes a reason"):
        approvals.check(request, decision(request, Act.REJECT, text="  "))
    no = decision(request, Act.REJECT, text="the migration is missing")
    request = approvals.decide(request, no, proven(BOB), LATER)
    judged = approvals.judge(request)
    assert judged.outcome is ApprovalOutcome.REJECTED
    assert judged.message == "rejected by bob@acme.example: the migration is missing"


def test_whoever_approved_may_still_reject() -> None:
    request = approved_by(asked(ApprovalRule(quorum=2)), ANN)
    request = approvals.decide(request, decision(request, Act.REJECT), proven(ANN), LATER)
    assert [vote.approves for vote in request.state.votes] == [False]


def test_decision_without_proof_does_not_count() -> None:
    with pytest.raises(Denied, match="carries no assertion"):
        approvals.check(asked(), decision(asked(), assertion=""))
    unproven = PeopleFacts(unproven="signed by somebody else")
    with pytest.raises(Denied, match="signed by somebody else"):
        approvals.decide(asked(), decision(asked()), unproven, LATER)


def test_assertion_is_used_once() -> None:
    request = asked(ApprovalRule(quorum=2))
    request = approvals.decide(request, decision(request), proven(ANN, number="one"), LATER)
    gone = PeopleFacts(denials={ANN.subject: "ann has no role"})
    request = approvals.struck(request, gone, LATER)
    with pytest.raises(Conflict, match="used already"):
        approvals.decide(request, decision(request), proven(ANN, number="one"), LATER)


def test_vote_of_someone_who_lost_the_right_is_struck_with_the_reason() -> None:
    request = approved_by(asked(ApprovalRule(quorum=2)), ANN)
    facts = PeopleFacts(permitted=(BOB.subject,), denials={ANN.subject: "ann has no role"})
    request = approvals.struck(request, facts, LATER)
    assert request.state.votes == ()
    assert "ann has no role" in request.state.voided[0].why
    assert approvals.judge(approved_by(request, BOB)).outcome is None


def test_delegate_decides_by_the_right_of_who_delegated() -> None:
    request = asked(ApprovalRule(groups=("leads",)))
    to_dan = decision(request, Act.DELEGATE, delegate="dan@acme.example")
    request = approvals.decide(request, to_dan, proven(ANN), LATER)
    request = approved_by(request, DAN)
    assert request.state.votes[0].on_behalf_of == ANN
    assert approvals.judge(request).outcome is ApprovalOutcome.APPROVED


def test_delegate_and_delegator_count_once() -> None:
    request = asked(ApprovalRule(quorum=2, groups=("leads",)))
    to_dan = decision(request, Act.DELEGATE, delegate="dan@acme.example")
    request = approvals.decide(request, to_dan, proven(ANN), LATER)
    assert approvals.judge(approved_by(request, DAN, ANN)).approvals == 1


def test_delegated_right_ends_with_the_right_itself() -> None:
    request = asked(ApprovalRule(groups=("leads",)))
    to_dan = decision(request, Act.DELEGATE, delegate="dan@acme.example")
    request = approvals.decide(request, to_dan, proven(ANN), LATER)
    with pytest.raises(Denied):
        approved_by(request, DAN, permitted=(BOB, CAT, DAN))


def test_right_that_was_delegated_is_not_passed_on() -> None:
    request = asked(ApprovalRule(groups=("leads",)))
    to_dan = decision(request, Act.DELEGATE, delegate=DAN.email)
    request = approvals.decide(request, to_dan, proven(ANN), LATER)
    on = decision(request, Act.DELEGATE, delegate=CAT.email)
    with pytest.raises(Denied):
        approvals.decide(request, on, proven(DAN), LATER)


def test_delegating_to_the_requester_is_refused() -> None:
    request = asked()
    to_rob = decision(request, Act.DELEGATE, delegate="rob@acme.example")
    with pytest.raises(Denied, match="asked for it"):
        approvals.decide(request, to_rob, proven(ANN), LATER)


def test_rule_may_forbid_to_delegate() -> None:
    request = asked(ApprovalRule(allow_delegation=False))
    to_dan = decision(request, Act.DELEGATE, delegate=DAN.email)
    with pytest.raises(Denied, match="does not allow to delegate"):
        approvals.decide(request, to_dan, proven(ANN), LATER)


def test_escalated_group_may_decide_and_stands_for_a_missing_one() -> None:
    step = EscalationStep(after=timedelta(hours=1), group="security")
    rule = ApprovalRule(groups=("leads",), required_groups=("leads",), escalation=(step,))
    request = asked(rule)
    with pytest.raises(Denied):
        approved_by(request, CAT)
    request = approvals.passed(request, approvals.Event.ESCALATE)
    assert approvals.judge(approved_by(request, CAT)).outcome is ApprovalOutcome.APPROVED


def test_comments_are_kept_and_a_repeated_one_is_one() -> None:
    request = asked()
    said = decision(request, Act.COMMENT, text="what about the index?")
    for _ in range(2):
        request = approvals.decide(request, said, proven(DAN), LATER)
    assert [comment.text for comment in request.state.comments] == ["what about the index?"]


def test_decision_about_the_former_facts_does_not_count() -> None:
    request = asked(ApprovalRule(quorum=2))
    old = decision(request)
    request = approvals.rebound(request, ApprovalChange(facts=OTHER), LATER)
    with pytest.raises(StaleRevision, match="artifact changed"):
        approvals.check(request, old)


def test_facts_that_change_back_do_not_bring_votes_back() -> None:
    request = asked(ApprovalRule(quorum=2))
    old = decision(request)
    request = approved_by(request, ANN)
    for facts in (OTHER, FACTS):
        request = approvals.rebound(request, ApprovalChange(facts=facts), LATER)
    assert request.hash == old.hash
    assert request.state.votes == ()
    with pytest.raises(StaleRevision):
        approvals.check(request, old)


def test_change_names_what_changed_and_voids_all_votes() -> None:
    request = approved_by(asked(ApprovalRule(quorum=3)), ANN, BOB)
    facts = FACTS.model_copy(update={"configuration": "c2", "plan": "n2"})
    request = approvals.rebound(request, ApprovalChange(facts=facts), LATER)
    assert {one.why for one in request.state.voided} == {"configuration and plan changed"}
    assert len(request.state.voided) == 2


def test_change_without_difference_voids_nothing() -> None:
    request = approved_by(asked(ApprovalRule(quorum=2)), ANN)
    again = approvals.rebound(request, ApprovalChange(facts=FACTS, asked="once more"), LATER)
    assert again.state == request.state


def test_new_commit_author_voids_votes() -> None:
    request = approved_by(asked(ApprovalRule(quorum=2)), ANN)
    change = ApprovalChange(facts=FACTS, authors=(ANN.email,))
    assert approvals.rebound(request, change, LATER).state.votes == ()


texts = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=3)
bound = st.builds(BoundFacts, artifact=texts, configuration=texts, policies=texts, plan=texts)
rules = st.builds(
    ApprovalRule,
    quorum=st.integers(1, 3),
    groups=st.sampled_from([(), ("leads",), ("leads", "security")]),
    required_groups=st.sampled_from([(), ("security",), ("leads", "security")]),
)
people = st.sampled_from([*EVERYONE, person("eve", "leads", "security")])
ALL = (*EVERYONE, person("eve", "leads", "security"))


@given(one=bound, other=bound, rule=rules, rule2=rules)
def test_hash_is_equal_only_when_everything_is(
    one: BoundFacts, other: BoundFacts, rule: ApprovalRule, rule2: ApprovalRule
) -> None:
    same = (one, rule) == (other, rule2)
    assert (bound_hash(one, rule) == bound_hash(other, rule2)) is same


def voted(request: ApprovalRequest, who: list[ApprovalPerson]) -> ApprovalRequest:
    for one in who:
        try:
            request = approved_by(request, one, permitted=ALL)
        except Denied:
            continue
    return request


@given(rule=rules, who=st.lists(people, max_size=6), changed=bound)
def test_votes_for_one_hash_never_count_for_another(
    rule: ApprovalRule, who: list[ApprovalPerson], changed: BoundFacts
) -> None:
    request = voted(asked(rule), who)
    after = approvals.rebound(request, ApprovalChange(facts=changed), LATER)
    if changed != FACTS:
        assert approvals.judge(after).approvals == 0
        assert approvals.judge(after).outcome is None


@given(rule=rules, who=st.lists(people, max_size=6), data=st.data())
def test_order_of_votes_does_not_matter(
    rule: ApprovalRule, who: list[ApprovalPerson], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(who))
    assert approvals.judge(voted(asked(rule), who)) == approvals.judge(voted(asked(rule), other))


@given(rule=rules, who=st.lists(people, max_size=6))
def test_approved_means_a_quorum_of_distinct_eligible_people_of_all_required_groups(
    rule: ApprovalRule, who: list[ApprovalPerson]
) -> None:
    admitted = {*rule.groups, *rule.required_groups}
    eligible = {one.subject: one for one in who if not rule.groups or admitted & set(one.groups)}
    covered = {group for one in eligible.values() for group in one.groups}
    expected = len(eligible) >= rule.quorum and set(rule.required_groups) <= covered
    judged = approvals.judge(voted(asked(rule), who))
    assert (judged.outcome is ApprovalOutcome.APPROVED) is expected


@given(
    rule=rules,
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("approve"), people),
            st.tuples(st.just("stale"), people),
            st.tuples(st.just("unproven"), people),
            st.tuples(st.just("change"), bound),
            st.tuples(st.just("lose"), people),
            st.tuples(st.just("delegate"), people),
        ),
        max_size=12,
    ),
)
def test_no_course_of_events_approves_without_a_quorum_for_what_is_asked_now(
    rule: ApprovalRule, steps: list[tuple[str, ApprovalPerson | BoundFacts]]
) -> None:
    request = asked(rule)
    first = decision(request)
    lost: set[str] = set()
    for name, what in steps:
        permitted = tuple(one for one in ALL if one.subject not in lost)
        try:
            if isinstance(what, BoundFacts):
                request = approvals.rebound(request, ApprovalChange(facts=what), LATER)
            elif name == "lose":
                lost.add(what.subject)
                left = tuple(one for one in permitted if one != what)
                facts = proven(what, left).model_copy(update={"denials": dict.fromkeys(lost, "")})
                request = approvals.struck(request, facts, LATER)
            elif name == "stale":
                request = approvals.decide(request, first, proven(what, permitted), LATER)
            elif name == "unproven":
                nobody = PeopleFacts(permitted=tuple(one.subject for one in permitted))
                request = approvals.decide(request, decision(request), nobody, LATER)
            elif name == "delegate":
                to = decision(request, Act.DELEGATE, delegate=DAN.email)
                request = approvals.decide(request, to, proven(what, permitted), LATER)
            else:
                request = approved_by(request, what, permitted=permitted)
        except PlatformError:
            continue
    if approvals.judge(request).outcome is ApprovalOutcome.APPROVED:
        votes = request.state.votes
        assert {vote.hash for vote in votes} == {request.hash}
        assert {vote.round for vote in votes} == {request.state.round}
        assert len({vote.authority.subject for vote in votes}) >= rule.quorum
        assert not {vote.authority.subject for vote in votes} & lost


@pytest.mark.parametrize(
    ("act", "why"),
    [(Act.COMMENT, "the comment is empty"), (Act.DELEGATE, "delegate to whom?")],
)
def test_what_says_nothing_is_refused(act: Act, why: str) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(why)):
        approvals.check(asked(), decision(asked(), act, text=" "))


def test_an_approval_holds_only_so_many_comments() -> None:
    request = asked()
    full = tuple(Comment(person=ANN, text="still looking", at=START) for _ in range(MOST_COMMENTS))
    request = request.model_copy(
        update={"state": request.state.model_copy(update={"comments": full})}
    )
    with pytest.raises(InvalidRequest, match="no more"):
        approvals.check(request, decision(request, Act.COMMENT))
