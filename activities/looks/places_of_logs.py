"""Finds the plane and the namespace in which the pods of a component are."""

from __future__ import annotations

from temporalio import activity

from activities.releases.bindings import find_binding
from activities.releases.facts import plane_of
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries.logs import LogRequest, PreparedLog
from domain.errors import NotFound


class LogPlanActivities:
    """What is known of a place on the control plane."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def prepare_log(self, request: LogRequest) -> PreparedLog:
        """Returns where the pods of a component are. Idempotent: a reading.

        Raises:
            NotFound: It is not deployed there.
            InvalidRequest: The environment or its plane does not exist.
        """
        where = request.organization
        binding = await find_binding(self._cluster, where, request.component, request.environment)
        if binding is None:
            raise NotFound(
                f"{request.component} is not deployed in {request.environment}: it has no pods"
            )
        plane = await plane_of(self._cluster, binding)
        environment = ids.slug(request.environment, "environment")
        return PreparedLog(
            request=request,
            plane=plane.name,
            task_queue=plane.task_queue,
            namespace=ids.namespace(where, request.project, environment),
        )
