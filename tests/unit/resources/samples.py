"""One filled example of every kind."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

API_VERSION = "choreo.dev/v1alpha1"
COMMIT = "a" * 40
IMAGE = f"registry:5000/acme/web@sha256:{'b' * 64}"

SPECS: dict[str, dict[str, Any]] = {
    "Organization": {
        "displayName": "Acme",
        "access": [
            {"group": "platform-engineers", "role": "admin"},
            {"user": "eve@acme.example", "role": "developer", "project": "shop"},
            {"group": "support", "role": "developer", "actions": ["read", "logs"]},
        ],
        "builds": {"concurrency": 2, "supersede": "Never", "buildPlaneRef": "local"},
    },
    "DataPlane": {
        "taskQueue": "plane.far-away",
        "gateway": {"name": "pavane", "domain": "apps.example.org", "scheme": "https", "port": 443},
        "registry": {
            "host": "registry:5000",
            "credentials": {"secretName": "pull", "secretNamespace": "system"},
        },
    },
    "BuildPlane": {"registry": {"host": "registry:5000", "credentials": {"vaultPath": "ci/push"}}},
    "ObservabilityPlane": {
        "prometheusUrl": "http://prometheus:9090",
        "logsUrl": "https://logs.example.org",
        "credentials": {"vaultPath": "_observability/reader"},
        "tenant": "acme|shared",
        "logLabels": {"component": "component"},
    },
    "Environment": {
        "dataPlaneRef": "local",
        "isProduction": True,
        "gateway": {"dnsPrefix": "prod", "enableJWTAuth": True},
        "drift": "Restore",
    },
    "DeploymentPipeline": {
        "promotionPaths": [
            {
                "sourceEnvironmentRef": "development",
                "targetEnvironmentRefs": [{"name": "staging", "mode": "Auto"}],
            },
            {
                "sourceEnvironmentRef": "staging",
                "targetEnvironmentRefs": [
                    {
                        "name": "production",
                        "soakSeconds": 3600,
                        "watchSeconds": 600,
                        "onFailure": "Keep",
                        "gates": [
                            {"name": "main", "check": "Expression", "expression": "true"},
                            {"name": "smoke", "check": "Tests", "command": ["smoke"]},
                            {"name": "load", "check": "Tests", "template": "load"},
                            {"name": "cab", "check": "Webhook", "url": "https://cab.example/"},
                            {"name": "scan", "check": "Scan", "whenUnknown": "Pass"},
                        ],
                        "approval": {
                            "quorum": 2,
                            "requiredGroups": ["sre"],
                            "escalation": [{"after": "24h", "group": "leads"}],
                        },
                        "hotfix": {"skips": ["source-soaked", "cab"]},
                    }
                ],
            },
        ]
    },
    "FreezeWindow": {
        "reason": "nobody is on call",
        "scope": {"environments": ["production"], "matchLabels": {"tier": "shop"}},
        "schedule": {
            "start": "2026-11-27T18:00",
            "duration": "62h",
            "timeZone": "Europe/Berlin",
            "recurrence": "FREQ=WEEKLY;BYDAY=FR",
            "exceptDates": ["2026-12-25T18:00"],
        },
        "inProgress": "Hold",
        "overrideBy": "nobody",
    },
    "ServiceClass": {
        "deploymentTemplate": {"template": {"spec": {"volumes": [{"name": "t", "emptyDir": {}}]}}},
        "guardRails": {"minReplicas": 1, "maxReplicas": 4, "maxCpu": "2"},
        "parameters": {"type": "object", "properties": {"tier": {"type": "string"}}},
        "labels": {"team": "shop"},
        "observability": {"scrape": {"port": 9100}, "logLabels": {"format": "json"}},
        "objects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}],
        "health": [{"apiVersion": "v1", "kind": "Gizmo", "ready": "object.status.up"}],
        "upgrade": {"mode": "Auto", "waves": ["development", "staging"]},
        "autoscaling": {"maxReplicas": 4},
        "documentation": {"guide": "Ask for it.", "url": "https://docs.example.org"},
    },
    "WebApplicationClass": {
        "staticServer": {"image": "registry:5000/base/www:1", "command": ["serve"], "port": 8080},
        "disruptionBudget": {"maxUnavailable": 2},
    },
    "ScheduledTaskClass": {
        "taskTemplate": {"backoffLimit": 1},
        "schedule": {"cron": "@daily", "timeZone": "Europe/Berlin"},
    },
    "APIClass": {"requestTimeoutSeconds": 30},
    "ClassRevision": {
        "classKind": "ServiceClass",
        "className": "standard-service",
        "content": {"deploymentTemplate": {"replicas": 2}},
    },
    "ConfigurationGroup": {
        "projectRef": "shop",
        "environmentGroups": [{"name": "tests", "environments": ["development", "staging"]}],
        "configurations": [
            {
                "key": "database.url",
                "values": [
                    {"environmentGroupRef": "tests", "value": "postgresql://dev-db:5432/shop"},
                    {"environmentRef": "production", "vaultKey": "prod/database/url"},
                ],
            }
        ],
    },
    "ConfigurationRevision": {
        "groupRef": "database",
        "content": {"configurations": [{"key": "database.url"}]},
    },
    "SecretRotation": {
        "engine": "Database",
        "vaultPath": "database/roles/shop",
        "cron": "0 3 * * 0",
        "timeZone": "Europe/Berlin",
        "consumerRefs": ["web"],
    },
    "Project": {"deploymentPipelineRef": "standard-pipeline"},
    "Component": {
        "componentOwner": {"projectRef": "shop"},
        "buildSpecInComponent": {
            "repository": "https://git.example.org/acme/web.git",
            "testCommand": ["make", "test"],
        },
        "autoDeploy": False,
    },
    "Workload": {
        "componentRef": "web",
        "containers": [
            {
                "name": "main",
                "env": [{"name": "MODE", "value": "fast"}, {"name": "EMPTY"}],
                "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}},
                "readiness": {"path": "/healthz"},
            }
        ],
        "endpoints": [
            {"name": "http", "port": 8080, "visibility": "public"},
            {"name": "grpc", "port": 9090, "type": "gRPC"},
        ],
    },
    "Service": {"componentRef": "web"},
    "WebApplication": {"componentRef": "web", "mode": "Static", "staticRoot": "/site"},
    "ScheduledTask": {
        "componentRef": "web",
        "schedule": {"cron": "*/5 * * * *", "concurrencyPolicy": "Replace", "suspended": False},
    },
    "API": {"componentRef": "web", "version": "v2"},
    "Endpoint": {
        "backendRef": {"componentRef": "web", "endpoint": "http"},
        "visibility": "organization",
        "protocols": ["HTTP", "gRPC"],
    },
    "Connection": {
        "componentRef": "web",
        "target": {"componentRef": "api", "endpoint": "http"},
        "policy": {"timeoutSeconds": 5, "retries": 2},
    },
    "Build": {"componentRef": "web", "revision": {"branch": "main"}},
    "DeployableArtifact": {
        "componentRef": "web",
        "image": IMAGE,
        "commit": COMMIT,
        "baseImages": ["base/python:3.11"],
    },
    "ServiceBinding": {
        "serviceClassRef": "standard-service",
        "environmentRef": "development",
        "componentRef": "web",
        "artifactRef": "web-0123456789",
        "workload": {"replicas": 0, "env": [{"name": "MODE", "value": "slow"}]},
        "state": "Suspend",
    },
    "WebApplicationBinding": {
        "environmentRef": "development",
        "componentRef": "web",
        "parameters": {"tier": "gold"},
        "workload": {"files": [{"path": "/etc/app/settings.json", "content": "{}"}]},
    },
    "ScheduledTaskBinding": {
        "environmentRef": "development",
        "componentRef": "web",
        "workload": {"schedule": {"cron": "@hourly", "suspended": True}},
    },
    "APIBinding": {
        "environmentRef": "development",
        "componentRef": "web",
        "classRevisionRef": "apiclass-standard-api-0123456789",
        "workload": {"autoscaling": {"minReplicas": 2, "maxReplicas": 4}},
    },
    "Deployment": {
        "bindingRef": "web-development",
        "componentRef": "web",
        "environmentRef": "development",
        "releaseRef": "web-development-0123456789",
        "artifactRef": "web-0123456789",
        "image": IMAGE,
        "action": "deploy",
        "trigger": {"kind": "api", "actor": "eve@acme.example"},
    },
    "Release": {
        "componentRef": "web",
        "environmentRef": "development",
        "namespace": "acme-shop-development",
        "image": IMAGE,
        "hash": "c" * 64,
        "objects": [{"apiVersion": "v1", "kind": "ConfigMap", "data": {}}],
    },
}


def resource(kind: str, *, name: str = "web", **changes: Any) -> dict[str, Any]:
    """Returns the example of a kind as Kubernetes writes it, with fields of the spec changed.

    A change to None takes the field away.
    """
    spec = {**deepcopy(SPECS[kind]), **changes}
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": "acme"},
        "spec": {key: value for key, value in spec.items() if value is not None},
    }
