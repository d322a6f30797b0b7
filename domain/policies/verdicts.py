"""What a judgement over live objects says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class RolloutState(StrEnum):
    """How far a rollout is."""

    PROGRESSING = "Progressing"
    READY = "Ready"
    FAILED = "Failed"


class Verdict(BaseModel):
    """What the objects of a rollout say at one moment."""

    model_config = ConfigDict(frozen=True)

    state: RolloutState
    reason: str
    """CamelCase word for a condition, in Kubernetes' vocabulary where it has one."""
    message: str
    pod: str = ""
    """The pod whose log tells more; empty when none does."""
    container: str = ""
    previous: bool = False
    """True when the log is that of the container's last run, not of the present one."""
    replicas: int = 0
    """Replicas that are ready, of the new release only."""
    recheck: timedelta | None = None
    """Judge again after this time even if nothing changes; None = a change will tell."""


_GRAVITY = {RolloutState.FAILED: 0, RolloutState.PROGRESSING: 1, RolloutState.READY: 2}


def combined(verdicts: Iterable[Verdict]) -> Verdict:
    """Returns the verdict over all parts: failed if one failed, ready when all are.

    Of parts in the same state the first one speaks; replicas are added up and the earliest
    recheck counts. Without parts there is nothing to wait for.
    """
    parts = list(verdicts)
    if not parts:
        return Verdict(state=RolloutState.READY, reason="NothingToRun", message="nothing to run")
    worst = min(parts, key=lambda part: _GRAVITY[part.state])
    rechecks = [part.recheck for part in parts if part.recheck is not None]
    return worst.model_copy(
        update={
            "replicas": sum(part.replicas for part in parts),
            "recheck": min(rechecks, default=None),
        }
    )
