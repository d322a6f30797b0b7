"""What is written down in one transaction, and what became of it."""

from __future__ import annotations

from pydantic import Field

from domain.deliveries.wire import Wire
from domain.records.facts import AuditFact
from domain.records.history import DeploymentEntry
from domain.records.stops import Place, Stop

_BATCH = 500


class FactBatch(Wire):
    """What a flow asks to be written down in one transaction."""

    facts: tuple[AuditFact, ...] = Field(default=(), max_length=_BATCH)
    deployments: tuple[DeploymentEntry, ...] = Field(default=(), max_length=_BATCH)
    place: Place | None = None
    """Where what is written begins: the answer tells the stops that hold there. None = nothing
    begins, so none is looked for."""


class Recorded(Wire):
    """What became of a batch."""

    facts: int = 0
    """How many of the facts were new; the others were written by an earlier try."""
    deployments: int = 0
    stops: tuple[Stop, ...] = ()
    """Emergency stops that hold in the place of the batch, as of its transaction."""
