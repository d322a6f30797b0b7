"""What is asked of the records database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FactFilter:
    """Which facts of an organization; empty = all."""

    organization: str
    project: str = ""
    component: str = ""
    environment: str = ""
    actor: str = ""
    action: str = ""
    """Whole, or a beginning that ends in a dot: ``deployment.``."""
    since: datetime | None = None
    until: datetime | None = None
    before: int = 0
    """Only rows with a smaller number, to page backwards; 0 = from the last one."""


@dataclass(frozen=True)
class HistoryFilter:
    """Which deployments of an organization, newest first; empty = all."""

    organization: str
    project: str = ""
    component: str = ""
    environment: str = ""
    before: int = 0
    """Only entries with a smaller number, to page backwards; 0 = from the newest."""
