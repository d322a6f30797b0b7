"""Leaves a plane on which environments of an organization do not lie any more."""

from __future__ import annotations

from temporalio import workflow

from activities.tenants.leaving import TenantLeavingActivities
from domain.deliveries.tenants import TenantLeaving, TenantLeft
from workflows.common.calls import WRITE, call


async def leave(leaving: TenantLeaving) -> TenantLeft:
    """Removes the namespaces that are empty, and returns what became of them.

    What is to go is known before it goes: of a worker that dies after it removed a namespace
    nobody would learn that there was one.
    """
    plane = leaving.plane
    look = leaving.model_copy(update={"look": True})
    found = await _left(look, f"look what is empty on plane {plane}")
    if not (found.removed and workflow.patched("leave-what-was-looked-at")):
        return found
    empty = leaving.model_copy(update={"namespaces": found.removed})
    left = await _left(empty, f"leave plane {plane} where nothing runs any more")
    kept = {one.partition(" ")[0] for one in left.kept}
    removed = tuple(one for one in found.removed if one not in kept)
    return TenantLeft(removed=removed, kept=(*found.kept, *left.kept))


async def _left(leaving: TenantLeaving, summary: str) -> TenantLeft:
    return await call(
        TenantLeavingActivities.leave_namespaces,
        leaving,
        summary,
        queue=leaving.task_queue,
        options=WRITE,
    )
