"""Emergency stops: what is stopped, by whom and why. Pure."""

from __future__ import annotations

from pydantic import AwareDatetime

from domain.deliveries.wire import Wire
from domain.records.facts import PLATFORM, AuditFact, FactResult


class Place(Wire):
    """Where something happens, or what is stopped."""

    organization: str = ""
    """Empty = everything."""
    environment: str = ""
    """Empty = the whole organization."""

    def covers(self, other: Place) -> bool:
        """Tells whether a stop of this place holds for what happens in the other."""
        if not self.organization:
            return True
        return self.organization == other.organization and self.environment in {
            "",
            other.environment,
        }

    @property
    def chain(self) -> str:
        """Whose chain tells of it."""
        return self.organization or PLATFORM

    def __str__(self) -> str:
        if not self.organization:
            return "everything"
        if not self.environment:
            return f"organization {self.organization}"
        return f"environment {self.environment} of {self.organization}"


class Stop(Wire):
    """A place in which every flow parks at its next safe point."""

    place: Place
    actor: str
    reason: str
    since: AwareDatetime

    def __str__(self) -> str:
        return f"{self.place} was stopped by {self.actor}: {self.reason}"


class StopOrder(Wire):
    """Asks to stop a place, or to let it go on."""

    place: Place
    stops: bool = True
    """False = it goes on."""
    actor: str
    authority: str = ""
    reason: str
    key: str
    """Equal orders have equal keys and are carried out once."""
    at: AwareDatetime

    def fact(self, *, changed: bool) -> AuditFact:
        """Returns what the audit is told."""
        done = "stopped" if self.stops else "resumed"
        return AuditFact(
            organization=self.place.chain,
            key=self.key,
            actor=self.actor,
            authority=self.authority,
            action=f"emergency.{done}",
            subject=str(self.place),
            environment=self.place.environment,
            reason=self.reason,
            at=self.at,
            result=FactResult.DONE if changed else FactResult.REFUSED,
            message="" if changed else f"it was {done} already",
        )


class StopOutcome(Wire):
    """What became of an order."""

    changed: bool
    """False = it was so already."""
    told: int = 0
    """How many running flows were told."""


class Standing(Wire):
    """Which stops hold in a place."""

    stops: tuple[Stop, ...] = ()
