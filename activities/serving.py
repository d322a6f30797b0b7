"""Which activities each task queue serves, made of the outside systems of one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from activities.builds.lanes import BuildLaneActivities
from activities.builds.records import BuildRecordActivities
from activities.builds.revisions import RevisionActivities
from activities.builds.runs import BuildRunActivities
from activities.classes.upgrades import ClassActivities
from activities.common.notices import NoticeActivities
from activities.configurations.groups import ConfigurationGroups
from activities.configurations.releases import ConfigurationActivities
from activities.guards.freezes import FreezeActivities
from activities.guards.stops import StopActivities
from activities.health.looking import HealthActivities
from activities.health.planning import SweepActivities
from activities.health.schedules import ScheduleActivities
from activities.planes.checks import PlaneCheckActivities
from activities.planes.drift import DriftPlaneActivities
from activities.planes.gate_tests import GateTestActivities
from activities.planes.release_watch import ReleaseWatchActivities
from activities.planes.reports import PlaneReportActivities
from activities.planes.rollouts import RolloutActivities
from activities.planes.task_runs import TaskPlanActivities, TaskRunActivities
from activities.planes.tenants import TenantPlaneActivities
from activities.promotions.approvals import ApprovalActivities
from activities.promotions.enforcement import Standings
from activities.promotions.rollbacks import RollbackActivities
from activities.promotions.standing import DeployQueues as Orders
from activities.promotions.standing import PromotionActivities
from activities.promotions.webhooks import WebhookActivities
from activities.records.facts import RecordActivities
from activities.records.signing import SigningActivities
from activities.releases.drift import DeployQueues as Places
from activities.releases.drift import DriftActivities
from activities.releases.facts import gateway_defaults
from activities.releases.rendering import ReleaseActivities
from activities.secrets.delivery import SecretDelivery
from activities.secrets.expiry import ExpiryActivities, ExpiryPlanActivities
from activities.secrets.paths import SecretPathActivities
from activities.secrets.plans import RotationPlanActivities
from activities.secrets.rotations import RotationActivities
from activities.secrets.tenants import VaultTenantActivities
from activities.teardown.planes import TeardownPlaneActivities
from activities.teardown.surveys import TeardownActivities
from activities.tenants.setup import TenantActivities
from clients.assertions import AssertionVerifier
from clients.git import GitRemotes
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.notifications import Notifier
from clients.objects import ObjectStore
from clients.records import Records
from clients.registry import Registry
from clients.transit import Signer
from clients.vault import SecretStore, VaultSession, VaultTenants
from clients.vault.approles import AppRoles
from settings import Settings, VaultRole, VaultSettings

Activities = Sequence[Callable[..., Any]]


class Queues(Orders, Places, Protocol):
    """The queues of deployments, for all that ask them."""


@dataclass(frozen=True)
class Outside:
    """The outside systems of one process, each connected once."""

    settings: Settings
    cluster: Cluster
    watches: SharedWatches
    records: Records
    objects: ObjectStore
    registry: Registry
    git: GitRemotes
    notifier: Notifier
    decisions: AssertionVerifier
    queues: Queues
    standings: Standings


def control(outside: Outside) -> Activities:
    """Effects on the control plane and on the records: the task queue ``control``."""
    return [
        *_builds(outside),
        *_deployments(outside),
        *_promotions(outside),
        *_rules(outside),
        *_platform(outside),
    ]


def _builds(outside: Outside) -> Activities:
    cluster = outside.cluster
    builds = BuildRecordActivities(cluster, outside.settings, outside.records)
    lanes = BuildLaneActivities(cluster)
    return [
        RevisionActivities(cluster, outside.git).resolve_revision,
        builds.adopt_build,
        builds.register_build,
        builds.record_build,
        builds.refuse_build,
        lanes.enter_build_lane,
        lanes.inspect_build_lane,
        lanes.show_build_turn,
    ]


def _deployments(outside: Outside) -> Activities:
    cluster, objects, records = outside.cluster, outside.objects, outside.records
    releases = ReleaseActivities(
        cluster,
        objects,
        outside.settings,
        records,
        watches=outside.watches,
        standings=outside.standings,
    )
    hands = outside.settings.worker.short_tasks
    drift = DriftActivities(cluster, outside.queues, waiters=max(1, hands // 4))
    return [
        releases.prepare_release,
        releases.record_deployment,
        drift.read_drift_place,
        drift.await_deployments,
        drift.record_drift,
        drift.ask_put_back,
        drift.await_put_back,
        TaskPlanActivities(cluster, objects, records).prepare_task_run,
    ]


def _promotions(outside: Outside) -> Activities:
    cluster, settings = outside.cluster, outside.settings
    promotions = PromotionActivities(
        cluster,
        outside.objects,
        outside.standings,
        outside.queues,
        settings,
        watches=outside.watches,
    )
    return [
        *promotions.all(),
        RollbackActivities(cluster, outside.standings, outside.watches).read_rollback,
        ApprovalActivities(cluster, outside.decisions, settings).check_people,
        NoticeActivities(outside.notifier).send_notice,
    ]


def gates(settings: Settings) -> Activities:
    """Calls to systems that nobody here answers for: the task queue ``gates``."""
    return [WebhookActivities(settings.worker.gate_keys).call_gate]


def _rules(outside: Outside) -> Activities:
    """What a change of a class, a configuration group or a rotation brings about."""
    cluster, records = outside.cluster, outside.records
    classes = ClassActivities(cluster, outside.queues, records)
    configuration = ConfigurationActivities(
        cluster,
        outside.queues,
        outside.standings,
        records,
        groups=ConfigurationGroups(cluster, outside.watches),
        gateway=gateway_defaults(outside.settings),
    )
    rotations = RotationPlanActivities(cluster)
    return [
        classes.plan_class_upgrade,
        classes.upgrade_binding,
        *configuration.all(),
        rotations.plan_rotation,
        rotations.note_rotation,
        rotations.read_leak,
        ExpiryPlanActivities(cluster).list_organizations,
        rotations.list_planes,
    ]


def _platform(outside: Outside) -> Activities:
    facts, stops = RecordActivities(outside.records), StopActivities(outside.records)
    tenants = TenantActivities(outside.cluster, outside.settings)
    teardown = TeardownActivities(outside.cluster, outside.standings)
    sweeps, schedules = SweepActivities(outside.cluster), ScheduleActivities()
    return [
        facts.record,
        facts.read_unsigned_heads,
        facts.write_signatures,
        stops.change_stop,
        stops.read_stops,
        stops.tell_flows,
        FreezeActivities(outside.cluster, outside.watches).read_freeze,
        sweeps.plan_sweep,
        sweeps.record_health,
        schedules.change_schedule,
        schedules.drop_schedule,
        tenants.plan_tenant,
        tenants.set_up_tenant,
        tenants.record_tenant,
        teardown.survey_teardown,
        teardown.delete_parts,
        teardown.note_teardown,
        teardown.let_go,
        PlaneReportActivities(outside.cluster).report_plane,
    ]


def plane(outside: Outside) -> Activities:
    """Effects on a data or build plane: the task queue of that plane."""
    cluster, watches, objects = outside.cluster, outside.watches, outside.objects
    builds = BuildRunActivities(cluster, watches, objects, outside.registry, outside.settings)
    delivery = SecretDelivery(cluster, _store(outside.settings.vault, outside.settings.vault.plane))
    rollouts = RolloutActivities(cluster, watches, objects, delivery)
    drift, tasks = DriftPlaneActivities(cluster, objects), TaskRunActivities(cluster, watches)
    checks = PlaneCheckActivities(cluster, watches)
    teardown = TeardownPlaneActivities(cluster, watches)
    return [
        checks.inspect_plane,
        checks.watch_plane,
        HealthActivities(watches).look_at_plane,
        builds.submit_build,
        builds.follow_build,
        builds.stop_build,
        rollouts.apply_release,
        rollouts.follow_rollout,
        rollouts.close_ways,
        delivery.find_consumers,
        delivery.deliver_secret,
        delivery.restart_consumer,
        ReleaseWatchActivities(cluster, watches, objects).watch_release,
        GateTestActivities(cluster, watches).run_gate_tests,
        drift.inspect_release,
        drift.put_back_objects,
        tasks.start_task_run,
        tasks.follow_task_run,
        tasks.stop_task_run,
        TenantPlaneActivities(cluster).set_up_tenant_plane,
        teardown.sweep_plane,
        teardown.await_namespaces_gone,
    ]


def secrets(settings: Settings, signer: Signer | None) -> Activities:
    """Effects with secrets: the task queue ``secrets``. They block, and run in threads.

    ``signer`` None = this installation signs nothing.
    """
    setup = _session(settings.vault, settings.vault.tenants)
    tenants = VaultTenantActivities(VaultTenants(setup) if setup else None)
    signing = [SigningActivities(signer).sign_heads] if signer else []
    own = _session(
        settings.vault,
        VaultRole(role_id=settings.vault.role_id, secret_id_file=settings.vault.secret_id_file),
    )
    rotating = _rotating(RotationActivities(SecretStore(own), AppRoles(own))) if own else []
    store = SecretStore(own) if own else None
    reading: Activities = (
        [SecretPathActivities(store).list_secrets, ExpiryActivities(store).find_expiring]
        if store
        else []
    )
    return [*signing, tenants.ensure_vault_tenant, *rotating, *reading]


def _rotating(steps: RotationActivities) -> Activities:
    return [
        steps.inspect_secret,
        steps.create_version,
        steps.give_to_target,
        steps.test_version,
        steps.use_version,
        steps.use_version_before,
        steps.observe_old_users,
        steps.lock_old,
        steps.unlock_old,
        steps.destroy_old,
        steps.withdraw_new,
    ]


def _session(vault: VaultSettings, role: VaultRole) -> VaultSession | None:
    """Returns the access of one role to OpenBao; None = this installation has no such role."""
    if not vault.address or role.secret_id_file is None:
        return None
    return VaultSession(vault.address, role.role_id, role.secret_id_file)


def plane_store(settings: Settings) -> SecretStore | None:
    """Returns what reads the credentials of planes; None = this process has no role for that."""
    return _store(settings.vault, settings.vault.planes)


def _store(vault: VaultSettings, role: VaultRole) -> SecretStore | None:
    session = _session(vault, role)
    return SecretStore(session) if session else None
