"""Appends to the chains and to the history, inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.records.tables import FACTS, HEADS, HISTORY, STOPS
from domain.records import (
    GENESIS,
    AuditFact,
    ChainedFact,
    ChainHead,
    DeploymentEntry,
    FactBatch,
    Recorded,
    chained,
)
from domain.records.stops import Place, Stop

_COPIED = ("actor", "action", "project", "component", "environment")


async def append(connection: AsyncConnection, batches: Sequence[FactBatch]) -> list[Recorded]:
    """Writes what is new of all batches and tells each of them how much of it was."""
    facts: dict[str, dict[str, AuditFact]] = {}
    for batch in batches:
        for fact in batch.facts:
            facts.setdefault(fact.organization, {}).setdefault(fact.key, fact)
    new: set[tuple[str, str]] = set()
    # In one order always, so that two transactions never wait for each other.
    for organization in sorted(facts):
        new |= await _extend(connection, organization, facts[organization])
    entries = {entry.key: entry for batch in batches for entry in batch.deployments}
    written = await _remember(connection, entries)
    # After the heads are locked: a stop of the same chain was committed before, or comes after.
    asks = any(batch.place for batch in batches)
    stops = await all_stops(connection) if asks else ()
    return [_told(batch, new, written, stops) for batch in batches]


async def all_stops(connection: AsyncConnection) -> tuple[Stop, ...]:
    """Returns every stop there is, the widest first."""
    query = select(STOPS).order_by(STOPS.c.organization, STOPS.c.environment)
    return tuple(
        Stop(
            place=Place(organization=row.organization, environment=row.environment),
            actor=row.actor,
            reason=row.reason,
            since=row.since,
        )
        for row in await connection.execute(query)
    )


def _told(
    batch: FactBatch,
    new: set[tuple[str, str]],
    written: set[str],
    stops: tuple[Stop, ...],
) -> Recorded:
    """Each new row is claimed by the first batch that has it."""
    facts = {(fact.organization, fact.key) for fact in batch.facts} & new
    entries = {entry.key for entry in batch.deployments} & written
    new -= facts
    written -= entries
    place = batch.place
    hold = tuple(stop for stop in stops if place is not None and stop.place.covers(place))
    return Recorded(facts=len(facts), deployments=len(entries), stops=hold)


async def _extend(
    connection: AsyncConnection, organization: str, facts: Mapping[str, AuditFact]
) -> set[tuple[str, str]]:
    head = await locked_head(connection, organization)
    query = select(FACTS.c.key).where(
        FACTS.c.organization == organization, FACTS.c.key.in_(list(facts))
    )
    known = set((await connection.execute(query)).scalars())
    rows, end = chained(head, (fact for key, fact in facts.items() if key not in known))
    if not rows:
        return set()
    await connection.execute(FACTS.insert(), [_columns(row, facts[row.key]) for row in rows])
    moved = update(HEADS).where(HEADS.c.organization == organization)
    await connection.execute(moved.values(sequence=end.sequence, hash=end.hash))
    return {(organization, row.key) for row in rows}


async def locked_head(connection: AsyncConnection, organization: str) -> ChainHead:
    """Reads where the chain ends; nobody else extends it until this transaction is over."""
    query = select(HEADS).where(HEADS.c.organization == organization).with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        first = {"organization": organization, "sequence": 0, "hash": GENESIS}
        await insert_missing(connection, HEADS, [first])
        row = (await connection.execute(query)).one()
    return ChainHead(organization=organization, sequence=row.sequence, hash=row.hash)


async def _remember(
    connection: AsyncConnection, entries: Mapping[str, DeploymentEntry]
) -> set[str]:
    if not entries:
        return set()
    query = select(HISTORY.c.key).where(HISTORY.c.key.in_(list(entries)))
    known = set((await connection.execute(query)).scalars())
    new = [entry for key, entry in entries.items() if key not in known]
    if new:
        await insert_missing(connection, HISTORY, [_history(entry) for entry in new])
    return {entry.key for entry in new}


async def insert_missing(
    connection: AsyncConnection, table: Table, rows: Iterable[dict[str, Any]]
) -> int:
    """Inserts rows whose key is not there; of one row it returns whether it was new."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table).on_conflict_do_nothing()
    return (await connection.execute(insert, list(rows))).rowcount


def _columns(row: ChainedFact, fact: AuditFact) -> dict[str, Any]:
    return {
        "organization": row.organization,
        "sequence": row.sequence,
        "key": row.key,
        "previous": row.previous,
        "hash": row.hash,
        "body": row.body,
        "at": fact.at,
        **{name: _text(getattr(fact, name)) for name in _COPIED},
    }


def _history(entry: DeploymentEntry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "organization": entry.organization,
        "project": entry.project,
        "component": entry.component,
        "environment": entry.environment,
        "deployment": entry.deployment,
        "release": entry.release,
        "phase": entry.phase.value,
        "started": entry.started,
        "finished": entry.finished,
        "body": entry.model_dump_json(exclude_defaults=True),
    }


def _text(value: str) -> str:
    """PostgreSQL keeps no zero bytes in text; in the body they are escaped."""
    return value.replace("\0", "")
