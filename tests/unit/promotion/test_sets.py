from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries.sets import MemberPhase, MemberState, SetMember, SetRequest
from domain.policies.promotion import sets


def request(*members: SetMember, **more: object) -> SetRequest:
    place = {"organization": "acme", "name": "shop", "environment": "prod", "request_id": "one"}
    return SetRequest.model_validate({**place, "members": members, **more})


def waiting(asked: SetRequest) -> dict[str, MemberState]:
    return {one.component: MemberState(component=one.component) for one in asked.members}


def member(name: str, *after: str) -> SetMember:
    return SetMember(component=name, after=after)


def test_what_has_no_order_is_told() -> None:
    assert sets.problem(()) == "a set needs at least one component"
    assert sets.problem((member("a"), member("a"))) == "a is named twice"
    assert sets.problem((member("a", "b"),)) == "a comes after b, which is not in the set"
    assert "in a circle" in sets.problem((member("a", "b"), member("b", "a")))
    assert sets.problem((member("a", "b"), member("b"))) == ""


@st.composite
def orders(draw: st.DrawFn) -> tuple[SetMember, ...]:
    """Members that need only earlier ones, in any order."""
    count = draw(st.integers(1, 8))
    made = [
        member(f"m{number}", *(f"m{one}" for one in range(number) if draw(st.booleans())))
        for number in range(count)
    ]
    return tuple(draw(st.permutations(made)))


@given(members=orders(), parallel=st.integers(1, 3), data=st.data())
def test_all_are_begun_each_after_what_it_needs_and_never_too_many_at_once(
    members: tuple[SetMember, ...], parallel: int, data: st.DataObject
) -> None:
    asked = request(*members, max_parallel=parallel)
    states = waiting(asked)
    running: list[str] = []
    done: list[str] = []
    assert sets.problem(members) == ""
    while len(done) < len(members):
        if name := sets.ready(asked, states):
            assert set(next(one for one in members if one.component == name).after) <= set(done)
            states[name] = MemberState(component=name, phase=MemberPhase.RUNNING)
            running.append(name)
            assert len(running) <= parallel
            continue
        ended = running.pop(data.draw(st.integers(0, len(running) - 1)))
        states[ended] = MemberState(component=ended, phase=MemberPhase.DONE)
        done.append(ended)
    assert sets.ready(asked, states) == ""


def test_what_needs_what_did_not_come_is_lost_and_what_needs_what_was_left_out_is_not() -> None:
    asked = request(member("a"), member("b", "a"), member("c", "b"))
    states = waiting(asked)
    states["a"] = MemberState(component="a", phase=MemberPhase.FAILED)
    assert sets.lost(asked, states) == {"b": "needs a, which did not come"}
    states["a"] = MemberState(component="a", phase=MemberPhase.EXCLUDED)
    assert sets.lost(asked, states) == {}
    assert sets.ready(asked, states) == "b"
