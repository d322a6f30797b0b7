"""Base of what travels through Temporal, and what every procedure has: a trigger, steps, waits."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.phases import StepPhase


class Wire(BaseModel):
    """Base of everything that travels through Temporal."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TriggerKind(StrEnum):
    """Who or what asked."""

    WEBHOOK = "webhook"
    API = "api"
    RESOURCE = "resource"
    AUTOMATIC = "automatic"


class Trigger(Wire):
    """Why a procedure runs."""

    kind: TriggerKind = TriggerKind.API
    actor: str = ""
    """The person or system; empty when unknown."""
    reference: str = ""
    """The request, delivery or resource that asked."""

    @property
    def is_automatic(self) -> bool:
        """Tells whether no person waits for it, so that a newer one may take its place."""
        return self.kind is not TriggerKind.API


class Step(Wire):
    """One step as a person sees it."""

    name: str
    phase: StepPhase = StepPhase.WAITING
    message: str = ""
    started: datetime | None = None
    finished: datetime | None = None


class Waiting(Wire):
    """What a procedure waits for, for a person on call."""

    what: str
    since: datetime
    until: datetime | None = None
    """When the wait ends by itself; None when it does not."""
    who: str = ""
    """Who can end it; empty when only the awaited thing can."""
