"""What everybody else knows of the records database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from clients.records.filters import FactFilter, HistoryFilter
from domain.records import (
    ChainedFact,
    ChainHead,
    DeploymentEntry,
    FactBatch,
    HeadSignature,
    Recorded,
)
from domain.records.stops import Place, Stop, StopOrder


@dataclass(frozen=True)
class NumberedEntry:
    """An entry of the history with the number it is paged and named by."""

    number: int
    entry: DeploymentEntry


class Records(Protocol):
    """Keeps facts and history for good. One implementation; a Protocol so that others see no SQL.

    Every method raises ``DependencyUnavailable`` when the database does not answer.
    """

    async def append(self, batch: FactBatch) -> Recorded:
        """Writes what is not there yet, in one transaction; whole or not at all.

        Idempotent by the key of each fact and entry. Several writers may append at once.
        """
        ...

    async def change_stop(self, order: StopOrder) -> bool:
        """Stops a place or lets it go on, with its fact; False = it was so already. Idempotent."""
        ...

    async def stops(self, place: Place) -> tuple[Stop, ...]:
        """Returns the stops that hold in a place; of an organization also those of its parts."""
        ...

    async def facts(self, wanted: FactFilter, limit: int) -> Sequence[ChainedFact]:
        """Returns facts, newest first."""
        ...

    def chain(self, organization: str) -> AsyncIterator[ChainedFact]:
        """Yields the whole chain of an organization from its beginning."""
        ...

    async def head(self, organization: str) -> ChainHead:
        """Returns where the chain of an organization ends."""
        ...

    async def organizations(self) -> Sequence[str]:
        """Returns the organizations that have a chain."""
        ...

    async def unsigned(self, limit: int) -> Sequence[ChainHead]:
        """Returns heads of chains that have rows no signature covers yet."""
        ...

    async def add_signatures(self, signatures: Sequence[HeadSignature]) -> int:
        """Writes signatures down; returns how many are new. Idempotent by organization and row."""
        ...

    async def signatures(self, organization: str) -> Sequence[HeadSignature]:
        """Returns every signature under the chain of an organization, the oldest first."""
        ...

    async def history(self, wanted: HistoryFilter, limit: int) -> Sequence[NumberedEntry]:
        """Returns deployments, newest first."""
        ...

    async def deployment(self, organization: str, name: str) -> NumberedEntry | None:
        """Returns the deployment with that number or resource name."""
        ...

    async def ready(self) -> None:
        """Returns when the database answers and has today's tables."""
        ...

    async def close(self) -> None:
        """Ends the connections."""
        ...
