"""One audit fact: who did what to what, on whose authority, why, when and with which result."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from domain.deliveries.wire import Wire

PLATFORM = "-"
"""Whose chain holds what belongs to no organization; no organization can have that name."""
_SHORT, _LONG = 300, 4000


def _cut(limit: int) -> BeforeValidator:
    """A text that is too long must not keep what happened from being written down."""
    return BeforeValidator(lambda text: text[:limit] if isinstance(text, str) else text)


Short = Annotated[str, _cut(_SHORT)]
Text = Annotated[str, _cut(_LONG)]


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""One text for one moment, whatever zone it was told in."""


class FactResult(StrEnum):
    """How what a fact tells of went."""

    ASKED = "asked"
    """Somebody wants it; what became of it is a later fact."""
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    UNDONE = "undone"


class AuditFact(Wire):
    """A decision or an effect. Never holds a secret value: names, digests and reasons only."""

    organization: str = Field(min_length=1, max_length=63)
    """Whose chain it stands in."""
    key: str = Field(min_length=1, max_length=1000)
    """Written once by this key: ``fact_key`` of workflow, run and step, or a request's own id."""
    actor: Short
    """The person or automation, as the trigger names it."""
    authority: Short = ""
    """On whose authority: a role, a policy, an approval; empty = the actor's own."""
    action: Short
    """What was done, ``noun.past-participle``, such as ``deployment.applied``."""
    subject: Short
    """What it was done to, such as ``web in production``."""
    project: Short = ""
    component: Short = ""
    environment: Short = ""
    before: Short = ""
    """Name or digest of what was there before; empty = nothing."""
    after: Short = ""
    """Name or digest of what is there now; empty = nothing."""
    before_hash: Short = ""
    """Content hash of ``before``, where its name is not made of one."""
    after_hash: Short = ""
    reason: Text = ""
    at: Moment
    """When it happened, by the clock of the workflow: equal for every try of the same step."""
    result: FactResult = FactResult.DONE
    message: Text = ""
    """What a person should know about the result."""
    evidence: tuple[Short, ...] = Field(default=(), max_length=50)
    """Where more is found: workflow id, resource, log key, test report, commit, approval."""


def fact_key(workflow_id: str, run_id: str, step: str) -> str:
    """Returns the key of what one step of one run tells; a step tells equal things once."""
    return f"{workflow_id}/{run_id}/{step}"
