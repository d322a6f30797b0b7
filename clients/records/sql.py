"""Records in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Self

from sqlalchemy import URL, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from clients.records import queries, signing, writing
from clients.records import stops as emergencies
from clients.records.batching import Batching
from clients.records.database import Database
from clients.records.engine import connected, parsed, translated
from clients.records.filters import FactFilter, HistoryFilter
from clients.records.migrating import CURRENT, current, migrate
from clients.records.records import NumberedEntry
from clients.records.tables import FACTS, HEADS
from domain.errors import DependencyUnavailable
from domain.records import ChainedFact, ChainHead, FactBatch, HeadSignature, Recorded
from domain.records.stops import Place, Stop, StopOrder

_PAGE = 1000
_TOGETHER = 100
"""How many batches become one transaction at most."""


class SqlRecords:
    """The one implementation of ``Records``. Made by ``open``, shared by everybody."""

    def __init__(self, engine: AsyncEngine, url: URL) -> None:
        plain = url.set(drivername=url.get_backend_name())
        self.place = plain.render_as_string(hide_password=True)
        """Where the records are, without a password."""
        self._database = Database(engine, self.place)
        self._appends = Batching(self._append, _TOGETHER)

    @classmethod
    def open(cls, url: str) -> Self:
        """Returns the records at a URL; nothing is connected before it is used.

        Raises:
            InvalidRequest: The URL names no database that can be used.
        """
        address = parsed(url)
        return cls(connected(address), address)

    async def migrate(self) -> bool:
        """Brings the tables up to date; False = they were. Safe when several do it at once."""
        with translated(self.place):
            return await migrate(self._database.engine)

    async def append(self, batch: FactBatch) -> Recorded:
        """Writes what is not there yet; together with what others append at the same time."""
        if not batch.facts and not batch.deployments:
            return Recorded()
        return await self._appends.submit(batch)

    async def _append(self, batches: Sequence[FactBatch]) -> Sequence[Recorded]:
        return await self._database.write(lambda writer: writing.append(writer, batches))

    async def change_stop(self, order: StopOrder) -> bool:
        """Stops a place or lets it go on, with its fact, in one transaction."""
        return await self._database.write(lambda writer: emergencies.change(writer, order))

    async def stops(self, place: Place) -> tuple[Stop, ...]:
        """Returns the stops that hold in a place; of an organization also those of its parts."""
        found = await self._database.read(writing.all_stops)
        return tuple(one for one in found if one.place.covers(place) or place.covers(one.place))

    async def facts(self, wanted: FactFilter, limit: int) -> Sequence[ChainedFact]:
        """Returns facts, newest first."""
        return [_fact(row) for row in await self._rows(queries.facts(wanted, limit))]

    async def chain(self, organization: str) -> AsyncIterator[ChainedFact]:
        """Yields the whole chain from its beginning, a page at a time."""
        after = 0
        while True:
            query = (
                select(FACTS)
                .where(FACTS.c.organization == organization, FACTS.c.sequence > after)
                .order_by(FACTS.c.sequence)
                .limit(_PAGE)
            )
            rows = await self._rows(query)
            for row in rows:
                yield _fact(row)
            if len(rows) < _PAGE:
                return
            after = rows[-1].sequence

    async def head(self, organization: str) -> ChainHead:
        """Returns where the chain of an organization ends."""
        query = select(HEADS).where(HEADS.c.organization == organization)
        rows = await self._rows(query)
        if not rows:
            return ChainHead(organization=organization)
        (row,) = rows
        return ChainHead(organization=organization, sequence=row.sequence, hash=row.hash)

    async def organizations(self) -> Sequence[str]:
        """Returns the organizations that have a chain."""
        query = select(HEADS.c.organization).order_by(HEADS.c.organization)
        return [str(row.organization) for row in await self._rows(query)]

    async def unsigned(self, limit: int) -> Sequence[ChainHead]:
        """Returns heads of chains that have rows no signature covers yet."""
        return await self._database.read(lambda reader: signing.unsigned(reader, limit))

    async def add_signatures(self, signatures: Sequence[HeadSignature]) -> int:
        """Writes signatures down; returns how many are new. Idempotent by organization and row."""
        return await self._database.write(lambda writer: signing.add(writer, signatures))

    async def signatures(self, organization: str) -> Sequence[HeadSignature]:
        """Returns every signature under the chain of an organization, the oldest first."""
        return await self._database.read(lambda reader: signing.signatures(reader, organization))

    async def history(self, wanted: HistoryFilter, limit: int) -> Sequence[NumberedEntry]:
        """Returns deployments, newest first."""
        return [queries.entry(row) for row in await self._rows(queries.history(wanted, limit))]

    async def deployment(self, organization: str, name: str) -> NumberedEntry | None:
        """Returns the deployment with that number or resource name."""
        rows = await self._rows(queries.named(organization, name))
        return queries.entry(rows[0]) if rows else None

    async def ready(self) -> None:
        """Returns when the database answers and has the tables this program knows."""
        version = await self._database.read(lambda connection: connection.run_sync(current))
        if version != CURRENT:
            raise DependencyUnavailable(
                f"records database {self.place} is at {version or 'nothing'}, not at {CURRENT}: "
                "run `pavane records migrate`"
            )

    async def close(self) -> None:
        """Writes what was submitted and ends the connections."""
        await self._appends.close()
        await self._database.close()

    async def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        async def ask(connection: AsyncConnection) -> Sequence[Row[Any]]:
            found: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return found

        return await self._database.read(ask)


def _fact(row: Row[tuple[str, int, str, str, str, str, datetime]]) -> ChainedFact:
    return ChainedFact(
        organization=row.organization,
        sequence=row.sequence,
        key=row.key,
        previous=row.previous,
        hash=row.hash,
        body=row.body,
    )
