"""What the API answers about history and audit."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from api.schemas.deliveries import Request, View
from clients.records import NumberedEntry
from domain.phases import Phase
from domain.records import ChainedFact, FactResult, Verification
from domain.records.stops import Stop


class LeadTimeView(View):
    """Where the time went, in seconds; null = that part did not happen."""

    build: float | None = None
    queue: float | None = None
    approval: float | None = None
    freeze: float | None = None
    soak: float | None = None
    apply: float | None = None
    rollout: float | None = None
    total: float = 0


class HistoryView(View):
    """One deployment that ended."""

    number: int
    organization: str
    project: str
    component: str
    environment: str
    deployment: str
    action: str
    actor: str
    trigger: str
    reference: str
    reason: str
    release: str
    artifact: str
    version: str
    image: str
    from_release: str = Field(description="What ran before; empty = nothing did.")
    from_artifact: str
    from_version: str
    from_image: str
    changed: bool
    phase: Phase
    failure: str
    message: str
    restored: bool
    asked: datetime | None
    started: datetime
    finished: datetime
    lead_time: LeadTimeView
    workflow_id: str
    run_id: str

    @classmethod
    def of(cls, found: NumberedEntry) -> Self:
        """Returns the view of an entry."""
        content = found.entry.model_dump(exclude={"key"})
        content["lead_time"]["total"] = found.entry.lead_time.total
        return cls(number=found.number, **content)


class HistoryList(View):
    """Deployments, newest first."""

    items: tuple[HistoryView, ...]
    next_before: int = Field(0, description="Ask for what is older with this; 0 = that is all.")


class DifferenceView(View):
    """One field that is not the same in both."""

    object: str
    field: str
    before: str
    after: str


class ReleaseDifference(View):
    """What differs between two deployments."""

    older: HistoryView
    newer: HistoryView
    differences: tuple[DifferenceView, ...]
    note: str = ""


class FactView(View):
    """One audit fact with its place in the chain."""

    sequence: int
    hash: str
    actor: str
    authority: str
    action: str
    subject: str
    project: str
    component: str
    environment: str
    before: str
    after: str
    before_hash: str
    after_hash: str
    reason: str
    at: datetime
    result: FactResult
    message: str
    evidence: tuple[str, ...]

    @classmethod
    def of(cls, row: ChainedFact) -> Self:
        """Returns the view of a row."""
        content = row.fact.model_dump(exclude={"key", "organization"})
        return cls(sequence=row.sequence, hash=row.hash, **content)


class AuditList(View):
    """Facts, newest first."""

    items: tuple[FactView, ...]
    next_before: int = Field(0, description="Ask for what is older with this; 0 = that is all.")


class FaultView(View):
    """One row that is not as it was written."""

    sequence: int
    kind: str
    detail: str


class AuditVerification(View):
    """Whether a chain holds."""

    organization: str
    holds: bool
    rows: int
    head: str = Field(description="Hash of the last row.")
    signed_up_to: int = Field(0, description="Up to this row a signature stands; 0 = none does.")
    signed_at: datetime | None = None
    signing_key: str = ""
    keys_known: bool = Field(
        False,
        description="Signatures were proven by keys that the API knows; false = only by the keys "
        "that lie beside them in the database.",
    )
    faults: tuple[FaultView, ...]

    @classmethod
    def of(cls, found: Verification) -> Self:
        """Returns the view of what was found."""
        faults = tuple(FaultView(**fault.model_dump()) for fault in found.faults)
        return cls(
            organization=found.head.organization,
            holds=found.holds,
            rows=found.rows,
            head=found.head.hash,
            signed_up_to=found.signed,
            signed_at=found.signed_at,
            signing_key=found.signing_key,
            keys_known=found.keys_known,
            faults=faults,
        )


class StopCommand(Request):
    """Which place is stopped, or goes on, and why."""

    organization: str = Field("", max_length=63, description="Empty = everything.")
    environment: str = Field("", max_length=63, description="Empty = the whole organization.")
    reason: str = Field(min_length=3, max_length=1000, description="It is written down.")


class StopView(View):
    """An emergency stop that holds."""

    place: str
    organization: str
    environment: str
    actor: str
    reason: str
    since: datetime

    @classmethod
    def of(cls, stop: Stop) -> Self:
        """Returns the view of a stop."""
        return cls(
            place=str(stop.place),
            organization=stop.place.organization,
            environment=stop.place.environment,
            actor=stop.actor,
            reason=stop.reason,
            since=stop.since,
        )


class StopList(View):
    """Emergency stops that hold."""

    items: tuple[StopView, ...]


class StopResult(View):
    """What became of an order."""

    place: str
    changed: bool = Field(description="False = it was so already.")
    told: int = Field(description="How many running flows were told.")
