"""What the status of a configuration group says of its releases."""

from __future__ import annotations

from datetime import datetime

from domain.deliveries import ConfigurationNote
from domain.phases import Phase
from domain.resources.build import OperationRef
from domain.resources.conditions import ConditionType, set_condition
from domain.resources.configuration import ConfigurationGroup, ConfigurationGroupStatus
from domain.resources.configured import ReleasedConfiguration

_KEPT = 20
_OPEN = frozenset({Phase.PENDING, Phase.RUNNING})


def noted(
    group: ConfigurationGroup, note: ConfigurationNote, at: datetime
) -> ConfigurationGroupStatus:
    """Returns the status with the entry of a release, which begins, goes on or has ended."""
    before = group.status
    history = list(before.history)
    mine = [one for one in history if (one.run, one.revision) == (note.run_id, note.revision)]
    number = mine[0].number if mine else max((one.number for one in history), default=0) + 1
    entry = ReleasedConfiguration(
        number=number,
        revision=note.revision,
        phase=note.phase,
        message=note.message,
        by=note.by,
        run=note.run_id,
        started=mine[0].started if mine else at,
        finished=None if note.phase in _OPEN else at,
        deployed=note.deployed,
        failed=note.failed,
        left=note.left,
    )
    history = [one for one in history if one not in mine]
    history = sorted([*history, entry], key=lambda one: one.number)[-_KEPT:]
    condition = next(
        one
        for one in set_condition(
            before.conditions,
            ConditionType.RELEASED,
            "True" if note.phase is Phase.SUCCEEDED else "False",
            note.reason or note.phase.value,
            note.message or note.phase.value,
            observed_generation=group.metadata.generation,
            now=at,
        )
        if one.type == ConditionType.RELEASED
    )
    return ConfigurationGroupStatus(
        revision=note.revision,
        operation=OperationRef(workflow_id=note.workflow_id, run_id=note.run_id),
        history=tuple(history),
        conditions=(condition,),
    )
