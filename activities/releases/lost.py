"""What is removed of a binding whose Release somebody deleted: whatever carries its labels."""

from __future__ import annotations

from activities.common.reading import find
from activities.releases.facts import plane_of
from activities.releases.preparing import prepared_of
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries import Bundle, DeployRequest, PreparedRelease
from domain.errors import InvalidRequest
from domain.resources import Component
from domain.resources.binding import Binding


async def without_release(
    cluster: Cluster, request: DeployRequest, binding: Binding
) -> PreparedRelease:
    """Returns the end of a binding of which no Release tells what it has on the plane.

    Where nothing was released there is nothing to remove: no plane is needed, and it may be gone.
    """
    nothing = prepared_of(request, binding, None, Bundle(), Bundle())
    nothing = nothing.model_copy(update={"changed": False})
    if not binding.status.release_ref:
        return nothing
    component = await find(cluster, Component, binding.component, binding.namespace)
    try:
        plane = await plane_of(cluster, binding)
    except InvalidRequest:
        return nothing  # neither its plane is known nor its environment: nobody could ask there
    if component is None:
        return nothing
    where = ids.namespace(binding.organization, component.project, binding.environment)
    return nothing.model_copy(
        update={"task_queue": plane.task_queue, "plane": plane.name, "swept": where}
    )
