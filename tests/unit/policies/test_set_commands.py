from __future__ import annotations

import pytest

from domain.deliveries.sets import MemberPhase, MemberState, SetAct, SetCommand
from domain.policies.promotion.sets import refusal

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("act", "component", "is_paused", "why"),
    [
        (SetAct.EXCLUDE, "other", False, "other is not in the set"),
        (SetAct.EXCLUDE, "", False, "nothing is not in the set"),
        (SetAct.EXCLUDE, "runs", False, "only what waits can be excluded"),
        (SetAct.EXCLUDE, "waits", False, ""),
        (SetAct.PAUSE, "", True, "it is paused already"),
        (SetAct.PAUSE, "", False, ""),
        (SetAct.RESUME, "", False, "it is not paused"),
        (SetAct.RESUME, "", True, ""),
    ],
)
def test_a_word_to_a_set_is_taken_or_refused_with_the_reason(
    act: SetAct, component: str, is_paused: bool, why: str
) -> None:
    states = {
        "runs": MemberState(component="runs", phase=MemberPhase.RUNNING),
        "waits": MemberState(component="waits", phase=MemberPhase.WAITING),
    }
    said = refusal(SetCommand(act=act, component=component), states, is_paused=is_paused)
    assert said.endswith(why)
    assert bool(said) is bool(why)
