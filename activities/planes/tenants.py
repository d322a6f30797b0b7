"""Makes the namespaces of an organization on a data plane what they are to be."""

from __future__ import annotations

from temporalio import activity

from activities.tenants.applying import applied
from activities.tenants.probing import enforced, valid
from clients.kubernetes.cluster import Cluster
from domain.deliveries.tenants import TenantApplied, TenantPlane
from domain.rendering.tenants.planes import plane_objects
from domain.rendering.tenants.probes import image_probes


class TenantPlaneActivities:
    """Effects of the set-up of organizations on a data plane."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def set_up_tenant_plane(self, plane: TenantPlane) -> TenantApplied:
        """Applies namespaces, rights, bounds and admission of an organization.

        It ends when the API server refuses images of others and Cilium, where it enforces, has
        taken the policy that keeps organizations apart: then it may be told so.

        Idempotent: server-side apply; a namespace of another organization is not touched. Cancel:
        between two objects.

        Raises:
            Denied: A namespace belongs to another organization.
            DependencyUnavailable: The admission policy does not count yet, or Cilium has not
                said whether the policy is valid.
            InvalidRequest: Cilium refuses the policy.
        """
        objects = list(plane_objects(plane))
        done = await applied(self._cluster, plane.organization, objects)
        await valid(self._cluster, objects)
        if done.admission:
            await enforced(self._cluster, image_probes(plane))
        return done
