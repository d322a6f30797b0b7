"""In which order the members of a set go, and when no more of them do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from domain.deliveries.sets import (
    MemberPhase,
    MemberState,
    SetAct,
    SetCommand,
    SetMember,
    SetRequest,
)

_THERE = {MemberPhase.DONE, MemberPhase.EXCLUDED}
_LOST = {MemberPhase.FAILED, MemberPhase.SKIPPED}


def problem(members: Sequence[SetMember]) -> str:
    """Says why there is no order in which they could go; empty = there is one."""
    names = [one.component for one in members]
    if not names:
        return "a set needs at least one component"
    if twice := sorted({name for name in names if names.count(name) > 1}):
        return f"{', '.join(twice)} is named twice"
    for one in members:
        if unknown := sorted(set(one.after) - set(names)):
            return f"{one.component} comes after {', '.join(unknown)}, which is not in the set"
    try:
        TopologicalSorter({one.component: one.after for one in members}).prepare()
    except CycleError as error:
        return f"they need each other in a circle: {' -> '.join(error.args[1])}"
    return ""


def ready(request: SetRequest, states: Mapping[str, MemberState]) -> str:
    """Returns the member that is begun next; empty = none can be now."""
    running = sum(one.phase is MemberPhase.RUNNING for one in states.values())
    if running >= request.max_parallel:
        return ""
    for one in request.members:
        waits = states[one.component].phase is MemberPhase.WAITING
        if waits and all(states[name].phase in _THERE for name in one.after):
            return one.component
    return ""


def lost(request: SetRequest, states: Mapping[str, MemberState]) -> dict[str, str]:
    """Returns the members that wait for one that will not come, with what to say of it."""
    found = {}
    for one in request.members:
        missing = [name for name in one.after if states[name].phase in _LOST]
        if states[one.component].phase is MemberPhase.WAITING and missing:
            found[one.component] = f"needs {', '.join(missing)}, which did not come"
    return found


def is_over(request: SetRequest, states: Mapping[str, MemberState]) -> bool:
    """Tells whether more failed than may, so that no further one is begun."""
    failed = sum(one.phase is MemberPhase.FAILED for one in states.values())
    return failed > (0 if request.is_unit else request.failure_budget)


def refusal(command: SetCommand, states: Mapping[str, MemberState], *, is_paused: bool) -> str:
    """Says why a person's word cannot be taken; empty = it can."""
    if command.act is SetAct.EXCLUDE:
        state = states.get(command.component)
        if state is None:
            return f"{command.component or 'nothing'} is not in the set"
        if state.phase is not MemberPhase.WAITING:
            return f"{command.component} is {state.phase.value}: only what waits can be excluded"
        return ""
    if is_paused is (command.act is SetAct.PAUSE):
        return "it is paused already" if is_paused else "it is not paused"
    return ""
