"""Wakes what waits or works when that by which it is judged was changed."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from runtime import search_attributes as attributes


async def tell_freezes(client: Client, organization: str) -> int:
    """Tells all of an organization that deploys or waits to that a freeze window changed.

    Idempotent: whoever is told looks again. Returns how many were told. One that begins to wait in
    this moment may be missed: it looks by itself after a while.
    """
    query = (
        f"ExecutionStatus = 'Running' "
        f"AND {attributes.KIND.name} IN ('deploy', 'promotion') "
        f"AND {attributes.ORGANIZATION.name} = '{ids.slug(organization, 'organization')}'"
    )
    told = 0
    async for found in client.list_workflows(query):
        try:
            await client.get_workflow_handle(found.id).signal("freezes_changed")
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            continue
        told += 1
    return told
