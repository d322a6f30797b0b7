"""The kinds the activities read and write, so that no discovery is needed for them."""

from __future__ import annotations

from clients.kubernetes.kinds import Kind
from domain.resources import KINDS

PODS = Kind("v1", "Pod", "pods", namespaced=True)
NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)
DEPLOYMENTS = Kind("apps/v1", "Deployment", "deployments", namespaced=True)
REPLICA_SETS = Kind("apps/v1", "ReplicaSet", "replicasets", namespaced=True)
HTTP_ROUTES = Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", namespaced=True)
GRPC_ROUTES = Kind("gateway.networking.k8s.io/v1", "GRPCRoute", "grpcroutes", namespaced=True)
GATEWAYS = Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways", namespaced=True)
ARGO_WORKFLOWS = Kind("argoproj.io/v1alpha1", "Workflow", "workflows", namespaced=True)
NETWORK_POLICIES = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", namespaced=True)
CILIUM_POLICIES = Kind(
    "cilium.io/v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies", namespaced=True
)
ENDPOINT_SLICES = Kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", namespaced=True)
SERVICE_ACCOUNTS = Kind("v1", "ServiceAccount", "serviceaccounts", namespaced=True)
SERVICES = Kind("v1", "Service", "services", namespaced=True)
JOBS = Kind("batch/v1", "Job", "jobs", namespaced=True)
DISRUPTION_BUDGETS = Kind(
    "policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", namespaced=True
)
CONFIG_MAPS = Kind("v1", "ConfigMap", "configmaps", namespaced=True)
SECRETS = Kind("v1", "Secret", "secrets", namespaced=True)
CRON_JOBS = Kind("batch/v1", "CronJob", "cronjobs", namespaced=True)
AUTOSCALERS = Kind(
    "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", namespaced=True
)

RELEASE_KINDS = (
    NAMESPACES,
    NETWORK_POLICIES,
    SERVICE_ACCOUNTS,
    CONFIG_MAPS,
    SERVICES,
    DEPLOYMENTS,
    CRON_JOBS,
    DISRUPTION_BUDGETS,
    AUTOSCALERS,
    HTTP_ROUTES,
)
"""Every kind of object the platform itself makes, in the order in which they are applied. Of other
kinds, which a class may make, drift is seen by the sweep and not by event."""


def platform(kind: str) -> Kind:
    """Returns one of Pavane's own kinds by name."""
    model = KINDS[kind]
    return Kind(model.api_version, kind, model.plural, namespaced=model.scope == "Namespaced")
