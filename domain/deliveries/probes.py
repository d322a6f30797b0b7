"""What is tried of network policies after a release, from real pods, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from domain.deliveries.wire import Wire


class Prober(StrEnum):
    """As whom a pod tries."""

    COMPONENT = "component"
    """As a pod of the component: under its own policy."""
    CALLER = "caller"
    """As a pod that declared connections to all its endpoints."""
    STRANGER = "stranger"
    """As a pod that may send, and declared none."""


class ProbedWay(Wire):
    """One connection that is tried."""

    prober: Prober
    host: str
    port: int
    passes: bool
    """Whether it must pass; False = it must not."""
    said: str
    """What it is, for people."""
    needs: str = ""
    """Deployment that must have ready pods for it to be tried; empty = the component's own."""
    needs_namespace: str = ""


class ProbeRun(Wire):
    """Asks to try what the policies of a release let through."""

    organization: str
    project: str
    component: str
    environment: str
    namespace: str
    image: str
    """Has ``python3``, by which connections are tried."""
    policy: dict[str, Any]
    """The component's policy, by which callers are made up."""
    labels: dict[str, str]
    """What a pod of the component carries."""
    ways: tuple[ProbedWay, ...]
    enforced: bool = False
    """What is not as declared fails the release; False = it is only told."""
    pull_secrets: tuple[str, ...] = ()
    """Names of what nodes pull the images of the component with."""


class ProbeOutcome(Wire):
    """What came of it."""

    wrong: tuple[str, ...] = ()
    """What is not as declared, in words; empty = nothing."""
    skipped: tuple[str, ...] = ()
    """What was not tried, and why."""
    tried: int = 0

    @property
    def passed(self) -> bool:
        """Tells whether all that was tried is as declared."""
        return not self.wrong

    @property
    def said(self) -> str:
        """What came of it, in one line."""
        tried = f"{self.tried} way{'' if self.tried == 1 else 's'} tried from pods"
        told = f"wrong: {'; '.join(self.wrong)}" if self.wrong else "all as declared"
        more = f" ({'; '.join(self.skipped)})" if self.skipped else ""
        return f"{tried}, {told}{more}"
