"""Emergency stops in the database: read in the transaction that writes that something begins."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.records import writing
from clients.records.tables import STOPS
from domain.records import FactBatch
from domain.records.stops import StopOrder


async def change(connection: AsyncConnection, order: StopOrder) -> bool:
    """Carries out an order and writes its fact, in one transaction; False = it was so already."""
    # First the head of the chain: who stops and who begins then come one after the other.
    await writing.locked_head(connection, order.place.chain)
    place = order.place
    is_it = (STOPS.c.organization == place.organization) & (
        STOPS.c.environment == place.environment
    )
    known = (await connection.execute(select(STOPS).where(is_it))).one_or_none()
    changed = order.stops is (known is None)
    if changed and order.stops:
        row = {"actor": order.actor, "reason": order.reason, "since": order.at}
        await connection.execute(STOPS.insert().values(**place.model_dump(), **row))
    elif changed:
        await connection.execute(delete(STOPS).where(is_it))
    (recorded,) = await writing.append(
        connection, [FactBatch(facts=(order.fact(changed=changed),))]
    )
    # An order that is carried out again finds its own fact: it changed what it changed.
    return changed or not recorded.facts
