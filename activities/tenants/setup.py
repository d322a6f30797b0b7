"""Reads what an organization is to have, makes it so on the control plane, tells what holds."""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.common.kinds import NAMESPACES
from activities.common.reading import find, listed
from activities.common.statuses import now
from activities.tenants.applying import applied
from activities.tenants.images import registries_of
from activities.tenants.probing import enforced
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries.tenants import (
    TenantApplied,
    TenantLeaving,
    TenantPlace,
    TenantPlan,
    TenantPlane,
    TenantRecord,
    TenantRequest,
)
from domain.errors import Conflict
from domain.policies.tenants.leaving import leavings, remaining_on
from domain.policies.tenants.names import refused_namespace
from domain.policies.tenants.said import TENANT_CONDITIONS
from domain.rendering.tenants.access import Names, control_access, inexact_rules
from domain.rendering.tenants.admission import label_admission
from domain.rendering.tenants.namespaces import organization_namespace, owned
from domain.rendering.tenants.probes import label_probes
from domain.resources import DataPlane, Environment, Organization, Project, set_condition
from domain.resources.families import BINDINGS
from settings import Settings


class TenantActivities:
    """Effects of the set-up of organizations on the control plane."""

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._names = Names(
            user_prefix=settings.kubernetes.oidc_user_prefix,
            group_prefix=settings.kubernetes.oidc_group_prefix,
            administrators=(settings.api.admin_group,),
        )

    @activity.defn
    async def plan_tenant(self, request: TenantRequest) -> TenantPlan:
        """Returns everything an organization is to have. Idempotent: a reading.

        Raises:
            Conflict: The namespace of its name is somebody else's.
        """
        organization = await find(self._cluster, Organization, request.organization)
        if organization is None or organization.is_deleted:
            return TenantPlan(organization=request.organization, generation=0, gone=True)
        where = organization.name
        projects, environments, planes, found = await asyncio.gather(
            listed(self._cluster, Project, where),
            listed(self._cluster, Environment, where),
            listed(self._cluster, DataPlane, where),
            self._cluster.find(NAMESPACES, where),
        )
        leaving: tuple[TenantLeaving, ...] = ()
        if len({one.task_queue for one in planes}) > 1:
            bound = await asyncio.gather(*(listed(self._cluster, one, where) for one in BINDINGS))
            remaining = remaining_on(environments, (one for each in bound for one in each))
            leaving = leavings(planes, projects, environments, remaining)
        common = self._settings.registry.common
        if why := refused_namespace(where, found, common):
            raise Conflict(why, facts={"reason": "NamespaceTaken"})
        return TenantPlan(
            organization=where,
            generation=organization.metadata.generation,
            repository=f"{self._settings.registry.pull_host}/{where}",
            control=(
                organization_namespace(where),
                *owned(
                    organization,
                    [*control_access(organization, self._names), *label_admission(organization)],
                ),
            ),
            planes=tuple(
                self._plane(organization, plane, projects, environments)
                for plane in planes
                if not plane.is_deleted
            ),
            leaving=leaving,
            required_labels=organization.spec.security.required_labels,
            inexact=inexact_rules(organization),
        )

    def _plane(
        self,
        organization: Organization,
        plane: DataPlane,
        projects: list[Project],
        environments: list[Environment],
    ) -> TenantPlane:
        registries = registries_of(self._settings.registry, plane)
        return TenantPlane(
            organization=organization.name,
            plane=plane.name,
            task_queue=plane.task_queue,
            access=tuple(
                one.model_dump(mode="json", by_alias=True) for one in organization.spec.access
            ),
            allowed_registries=organization.spec.security.allowed_registries,
            shared_registries=registries.shared,
            common_folders=registries.common,
            policies=plane.spec.network.policies,
            **self._names.model_dump(),
            places=tuple(
                _place(organization, project, environment)
                for project in projects
                for environment in environments
                if environment.spec.data_plane_ref == plane.name
                and not (project.is_deleted or environment.is_deleted)
            ),
        )

    @activity.defn
    async def set_up_tenant(self, plan: TenantPlan) -> TenantApplied:
        """Makes namespace, rights and admission so on the control plane.

        Idempotent: server-side apply; who is in no rule any more loses the right by the same
        apply. Nothing needs an undo: what is wanted next takes the place of it. Cancel: between
        two objects.

        Raises:
            DependencyUnavailable: The admission policy does not count yet.
        """
        done = await applied(self._cluster, plan.organization, plan.control)
        if done.admission:
            await enforced(self._cluster, label_probes(plan))
        return done

    @activity.defn
    async def record_tenant(self, record: TenantRecord) -> None:
        """Tells on the Organization what holds. Idempotent: equal content writes nothing new."""
        organization = await find(self._cluster, Organization, record.organization)
        if organization is None:
            return
        conditions = tuple(
            one for one in organization.status.conditions if one.type in TENANT_CONDITIONS
        )
        for one in record.conditions:
            conditions = set_condition(
                conditions,
                one.type,
                one.holds,
                one.reason,
                one.message,
                observed_generation=record.generation or organization.metadata.generation,
                now=now(),
            )
        status = {
            "namespace": organization.name,
            "repository": record.repository or organization.status.repository,
            "setup": record.setup,
            "conditions": [one.model_dump(mode="json", by_alias=True) for one in conditions],
        }
        await self._cluster.apply_status(
            organization.status_manifest() | {"status": status}, manager=ids.TENANT_MANAGER
        )


def _place(organization: Organization, project: Project, environment: Environment) -> TenantPlace:
    quotas = (organization.spec.quota, project.spec.quota, environment.spec.quota)
    return TenantPlace(
        project=project.name,
        environment=environment.name,
        namespace=ids.namespace(organization.name, project.name, environment.name),
        cpu=tuple(one.cpu for one in quotas if one.cpu),
        memory=tuple(one.memory for one in quotas if one.memory),
    )
