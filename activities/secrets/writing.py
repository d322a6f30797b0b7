"""Writes what is delivered over what was read only: two who deliver at once see each other."""

from __future__ import annotations

from clients.kubernetes import Cluster, Object
from domain.secrets.delivery import MANAGER


async def write_over(cluster: Cluster, wanted: Object, live: Object | None) -> None:
    """Makes an object, or puts it in the place of the one that was read. Not idempotent: look anew.

    Raises:
        Conflict: Somebody made or changed it meanwhile.
        NotFound: Somebody removed it meanwhile.
    """
    if live is None:
        await cluster.create(wanted, manager=MANAGER)
        return
    wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
    await cluster.replace(wanted, manager=MANAGER)
