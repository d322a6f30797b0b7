"""Effects on the control plane and on the records: the task queue ``control``."""

from __future__ import annotations

from activities.builds.lanes import BuildLaneActivities
from activities.builds.records import BuildRecordActivities
from activities.builds.revisions import RevisionActivities
from activities.classes.upgrades import ClassActivities
from activities.common.notices import NoticeActivities
from activities.configurations.groups import ConfigurationGroups
from activities.configurations.releases import ConfigurationActivities
from activities.gateways.certificates import CertificatePlanActivities
from activities.guards.freezes import FreezeActivities
from activities.guards.stops import StopActivities
from activities.health.planning import SweepActivities
from activities.health.schedules import ScheduleActivities
from activities.looks.log_copies import LogCopyActivities
from activities.looks.places import LookPlanActivities
from activities.looks.places_of_logs import LogPlanActivities
from activities.planes.observability import ObserverActivities
from activities.planes.reports import PlaneReportActivities
from activities.planes.task_runs import TaskPlanActivities
from activities.promotions.approvals import ApprovalActivities
from activities.promotions.rollbacks import RollbackActivities
from activities.promotions.standing import PromotionActivities
from activities.records.facts import RecordActivities
from activities.releases.drift import DriftActivities
from activities.releases.facts import gateway_defaults
from activities.releases.rendering import ReleaseActivities
from activities.secrets.expiry import ExpiryPlanActivities
from activities.secrets.plans import RotationPlanActivities
from activities.serving.outside import Activities, Outside
from activities.teardown.surveys import TeardownActivities
from activities.tenants.grants import GrantActivities
from activities.tenants.setup import TenantActivities


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
        CertificatePlanActivities(cluster).list_certificate_planes,
        rotations.list_planes,
    ]


def _platform(outside: Outside) -> Activities:
    facts, stops = RecordActivities(outside.records), StopActivities(outside.records)
    tenants = TenantActivities(outside.cluster, outside.settings)
    grants = GrantActivities(outside.cluster)
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
        grants.plan_break_glass,
        grants.place_grant,
        grants.lift_grant,
        teardown.survey_teardown,
        teardown.delete_parts,
        teardown.note_teardown,
        teardown.let_go,
        PlaneReportActivities(outside.cluster).report_plane,
        ObserverActivities(outside.cluster).find_observers,
        LookPlanActivities(outside.cluster).prepare_look,
        LogPlanActivities(outside.cluster).prepare_log,
        LogCopyActivities(outside.objects).drop_log_copy,
    ]
