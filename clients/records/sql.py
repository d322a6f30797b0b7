"""Records in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import URL, Row, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from clients.records import queries, signing, writing
from clients.records import stops as emergencies
from clients.records.batching import Batching
from clients.records.engine import WRITES, connected, parsed, translated
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
        self._engine = engine
        plain = url.set(drivername=url.get_backend_name())
        self.place = plain.render_as_string(hide_password=True)
        """Where the records are, without a password."""
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
            return await migrate(self._engine)

    async def append(self, batch: FactBatch) -> Recorded:
        """Writes what is not there yet; together with what others append at the same time."""
        if not batch.facts and not batch.deployments:
            return Recorded()
        return await self._appends.submit(batch)

    async def _append(self, batches: Sequence[FactBatch]) -> Sequence[Recorded]:
        with translated(self.place):
            async with self._engine.connect() as connection:
                writer = await connection.execution_options(**WRITES)
                async with writer.begin():
                    return await writing.append(writer, batches)

    async def change_stop(self, order: StopOrder) -> bool:
        """Stops a place or lets it go on, with its fact, in one transaction."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                writer = await connection.execution_options(**WRITES)
                async with writer.begin():
                    return await emergencies.change(writer, order)

    async def stops(self, place: Place) -> tuple[Stop, ...]:
        """Returns the stops that hold in a place; of an organization also those of its parts."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                found = await writing.all_stops(connection)
        return tuple(one for one in found if one.place.covers(place) or place.covers(one.place))

    async def facts(self, wanted: FactFilter, limit: int) -> Sequence[ChainedFact]:
        """Returns facts, newest first."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                rows = await connection.execute(queries.facts(wanted, limit))
                return [_fact(row) for row in rows]

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
            with translated(self.place):
                async with self._engine.connect() as connection:
                    rows = (await connection.execute(query)).all()
            for row in rows:
                yield _fact(row)
            if len(rows) < _PAGE:
                return
            after = rows[-1].sequence

    async def head(self, organization: str) -> ChainHead:
        """Returns where the chain of an organization ends."""
        query = select(HEADS).where(HEADS.c.organization == organization)
        with translated(self.place):
            async with self._engine.connect() as connection:
                row = (await connection.execute(query)).one_or_none()
        if row is None:
            return ChainHead(organization=organization)
        return ChainHead(organization=organization, sequence=row.sequence, hash=row.hash)

    async def organizations(self) -> Sequence[str]:
        """Returns the organizations that have a chain."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                query = select(HEADS.c.organization).order_by(HEADS.c.organization)
                return [str(name) for name in (await connection.execute(query)).scalars()]

    async def unsigned(self, limit: int) -> Sequence[ChainHead]:
        """Returns heads of chains that have rows no signature covers yet."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                return await signing.unsigned(connection, limit)

    async def add_signatures(self, signatures: Sequence[HeadSignature]) -> int:
        """Writes signatures down; returns how many are new. Idempotent by organization and row."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                writer = await connection.execution_options(**WRITES)
                async with writer.begin():
                    return await signing.add(writer, signatures)

    async def signatures(self, organization: str) -> Sequence[HeadSignature]:
        """Returns every signature under the chain of an organization, the oldest first."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                return await signing.signatures(connection, organization)

    async def history(self, wanted: HistoryFilter, limit: int) -> Sequence[NumberedEntry]:
        """Returns deployments, newest first."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                rows = await connection.execute(queries.history(wanted, limit))
                return [queries.entry(row) for row in rows]

    async def deployment(self, organization: str, name: str) -> NumberedEntry | None:
        """Returns the deployment with that number or resource name."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                row = (await connection.execute(queries.named(organization, name))).first()
        return queries.entry(row) if row is not None else None

    async def ready(self) -> None:
        """Returns when the database answers and has the tables this program knows."""
        with translated(self.place):
            async with self._engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
                version = await connection.run_sync(current)
        if version != CURRENT:
            raise DependencyUnavailable(
                f"records database {self.place} is at {version or 'nothing'}, not at {CURRENT}: "
                "run `pavane records migrate`"
            )

    async def close(self) -> None:
        """Writes what was submitted and ends the connections."""
        await self._appends.close()
        await self._engine.dispose()


def _fact(row: Row[tuple[str, int, str, str, str, str, datetime]]) -> ChainedFact:
    return ChainedFact(
        organization=row.organization,
        sequence=row.sequence,
        key=row.key,
        previous=row.previous,
        hash=row.hash,
        body=row.body,
    )
