"""Effects on a data or build plane: the task queue of that plane."""

from __future__ import annotations

from activities.builds.runs import BuildRunActivities
from activities.common.askers import Askers
from activities.gateways.certificates import GatewayCertificates
from activities.health.looking import HealthActivities
from activities.looks.logs import LogActivities
from activities.looks.past_logs import PastLogs
from activities.looks.trees import TreeActivities
from activities.planes.checks import PlaneCheckActivities
from activities.planes.drift import DriftPlaneActivities
from activities.planes.gate_tests import GateTestActivities
from activities.planes.observability import ObservabilityActivities
from activities.planes.probing import ProbeActivities
from activities.planes.release_watch import ReleaseWatchActivities
from activities.planes.rollouts import RolloutActivities
from activities.planes.task_runs import TaskRunActivities
from activities.planes.tenants import TenantPlaneActivities
from activities.secrets.delivery import SecretDelivery
from activities.serving.outside import Activities, Outside
from activities.serving.vault import session_of, store_of
from activities.teardown.planes import TeardownPlaneActivities
from activities.tenants.leaving import TenantLeavingActivities
from clients.vault.issuers import Issuers
from clients.web import Loki, Probes, Prometheus


def plane(outside: Outside) -> Activities:
    """Effects on a data or build plane: the task queue of that plane."""
    cluster, watches, objects = outside.cluster, outside.watches, outside.objects
    store = store_of(outside.settings.vault, outside.settings.vault.plane)
    delivery, askers = SecretDelivery(cluster, store), Askers(store)
    builds = BuildRunActivities(
        cluster, watches, objects, outside.registry, outside.settings, secrets=delivery
    )
    session = session_of(outside.settings.vault, outside.settings.vault.plane)
    certificates = GatewayCertificates(cluster, Issuers(session) if session else None)
    rollouts = RolloutActivities(cluster, watches, objects, delivery, certificates)
    drift, tasks = DriftPlaneActivities(cluster, objects), TaskRunActivities(cluster, watches)
    checks = PlaneCheckActivities(cluster, watches)
    teardown = TeardownPlaneActivities(cluster, watches)
    prometheus, loki = Prometheus(outside.web), Loki(outside.web)
    return [
        checks.inspect_plane,
        checks.watch_plane,
        HealthActivities(watches, Probes(outside.web), prometheus, askers).look_at_plane,
        ObservabilityActivities(prometheus, loki, askers).ask_observability,
        TreeActivities(cluster, watches, objects).see_tree,
        LogActivities(cluster, watches, objects, PastLogs(loki, askers)).copy_log,
        builds.submit_build,
        builds.follow_build,
        builds.stop_build,
        rollouts.apply_release,
        rollouts.follow_rollout,
        rollouts.close_ways,
        ProbeActivities(cluster, watches).probe_ways,
        certificates.renew_certificates,
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
        TenantLeavingActivities(cluster).leave_namespaces,
        teardown.sweep_plane,
        teardown.await_namespaces_gone,
    ]
