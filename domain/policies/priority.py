"""What is worked on first when there is more to do than hands."""

from __future__ import annotations

from domain.deliveries import DeployRequest, TriggerKind

ASKED = 2
"""A person asked for it and waits for the answer."""
CHANGE = 3
"""Something that runs is to change. What nothing is said of has this priority too."""
FIRST = 4
"""Nothing runs there yet, so nobody depends on it: mass creation yields to changes."""


def priority_of(request: DeployRequest) -> int:
    """Returns the priority of a deployment; the least number is worked on first.

    It orders what waits for a worker. What was begun is never interrupted, and the order of
    requests for the same place is the queue's alone.
    """
    if request.trigger.kind is TriggerKind.API:
        return ASKED
    return FIRST if request.first else CHANGE
