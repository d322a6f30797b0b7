"""Finds the plane and the namespace in which the pods of a component are."""

from __future__ import annotations

from temporalio import activity

from activities.common.reading import find
from activities.releases.bindings import find_binding
from activities.releases.facts import place_of, plane_of
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries.logs import LogRequest, LogStore, PreparedLog
from domain.deliveries.observing import AskedAs
from domain.errors import NotFound
from domain.resources import DataPlane, ObservabilityPlane


class LogPlanActivities:
    """What is known of a place on the control plane."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def prepare_log(self, request: LogRequest) -> PreparedLog:
        """Returns where the pods of a component are, and what keeps the logs of those before.

        Idempotent: a reading. Cancel: not heeded, it is short.

        What is not deployed there any more was where the environment is now: its logs are told
        when a time is asked for.

        Raises:
            NotFound: It is not deployed there, and no time is asked for.
            InvalidRequest: The environment or its plane does not exist.
        """
        where = request.organization
        environment = ids.slug(request.environment, "environment")
        binding = await find_binding(self._cluster, where, request.component, environment)
        if binding is not None:
            plane = await plane_of(self._cluster, binding)
        elif request.since and not request.follow:
            wanted_by = f"the log of {request.component}"
            _, plane = await place_of(self._cluster, where, environment, wanted_by)
        else:
            raise NotFound(
                f"{request.component} is not deployed in {environment}: it has no pods; what it "
                "wrote before is told with a time (`--since 2h`)"
            )
        return PreparedLog(
            request=request,
            plane=plane.name,
            task_queue=plane.task_queue,
            namespace=ids.namespace(where, request.project, environment),
            store=await self._store(request, plane),
        )

    async def _store(self, request: LogRequest, plane: DataPlane) -> LogStore | None:
        """Returns the log store of a plane, where it is asked: not by who only follows."""
        if not request.since or request.follow or request.previous:
            return None
        name = plane.spec.observability_plane_ref
        found = await find(self._cluster, ObservabilityPlane, name, plane.organization)
        if found is None or not found.spec.logs_url:
            return None
        labels = found.spec.log_labels
        return LogStore(
            name=found.name,
            url=found.spec.logs_url,
            namespace_label=labels.namespace,
            pod_label=labels.pod,
            container_label=labels.container,
            component_label=labels.component,
            asked_as=AskedAs.of(found),
        )
