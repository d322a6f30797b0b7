"""Signatures under chains in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.records.tables import HEADS, SIGNATURES
from clients.records.writing import insert_missing
from domain.records import ChainHead, HeadSignature

_FIELDS = ("organization", "sequence", "hash", "key", "public_key", "signature", "at")


async def unsigned(connection: AsyncConnection, limit: int) -> list[ChainHead]:
    """Returns heads beyond the last signature of their chain; those with most to sign first."""
    last = (
        select(SIGNATURES.c.organization, func.max(SIGNATURES.c.sequence).label("sequence"))
        .group_by(SIGNATURES.c.organization)
        .subquery()
    )
    covered = func.coalesce(last.c.sequence, 0)
    query = (
        select(HEADS)
        .outerjoin(last, last.c.organization == HEADS.c.organization)
        .where(HEADS.c.sequence > covered)
        .order_by((HEADS.c.sequence - covered).desc(), HEADS.c.organization)
        .limit(limit)
    )
    return [
        ChainHead(organization=row.organization, sequence=row.sequence, hash=row.hash)
        for row in await connection.execute(query)
    ]


async def add(connection: AsyncConnection, signatures: Sequence[HeadSignature]) -> int:
    """Writes what is not there yet; the first signature under a row stays."""
    new = 0
    for each in signatures:
        row = {name: getattr(each, name) for name in _FIELDS}
        new += await insert_missing(connection, SIGNATURES, [row])
    return new


async def signatures(connection: AsyncConnection, organization: str) -> list[HeadSignature]:
    """Returns the signatures of a chain, the oldest first."""
    query = (
        select(SIGNATURES)
        .where(SIGNATURES.c.organization == organization)
        .order_by(SIGNATURES.c.sequence)
    )
    return [
        HeadSignature(**{name: getattr(row, name) for name in _FIELDS})
        for row in await connection.execute(query)
    ]
