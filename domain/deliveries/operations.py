"""What every procedure answers when it is asked where it stands."""

from __future__ import annotations

from domain.deliveries.deployments import Deployment
from domain.deliveries.parking import Parked
from domain.deliveries.wire import Step, Waiting, Wire
from domain.phases import Phase


class OperationStatus(Wire):
    """Answer of the query ``status`` of every procedure."""

    phase: Phase = Phase.PENDING
    summary: str = ""
    steps: tuple[Step, ...] = ()
    waiting_for: Waiting | None = None
    running: str = ""
    """Request that a queue carries out at the moment; empty for other procedures."""
    parked: Parked | None = None
    """Set while it waits for a person after a technical fault."""
    queue: tuple[str, ...] = ()
    """Requests that wait behind this one, in order."""
    deployments: tuple[Deployment, ...] = ()
    """What a queue of deployments has finished, oldest first; empty for other procedures."""
