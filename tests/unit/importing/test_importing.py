from __future__ import annotations

from typing import Any

import pytest
import yaml

from domain.importing import Imported, converted
from domain.resources import parse

pytestmark = pytest.mark.unit

OPENCHOREO = """
apiVersion: openchoreo.dev/v1alpha1
kind: Project
metadata: {name: shop, namespace: default}
spec: {deploymentPipelineRef: {kind: DeploymentPipeline, name: standard}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: production}
spec:
  dataPlaneRef: {kind: DataPlane, name: east}
  isProduction: true
  gateway: {publicVirtualHost: shop.example}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DeploymentPipeline
metadata: {name: standard}
spec:
  promotionPaths:
    - sourceEnvironmentRef: {name: development}
      targetEnvironmentRefs: [{name: production, requiresApproval: true}]
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web}
spec:
  owner: {projectName: shop}
  componentType: {kind: ComponentType, name: deployment/web-application}
  autoDeploy: true
  parameters: {port: 8080}
  workflow:
    name: docker
    parameters:
      systemParameters:
        repository:
          url: https://git.example/shop.git
          revision: {branch: next}
          appPath: /web
---
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata: {name: web-workload}
spec:
  owner: {projectName: shop, componentName: web}
  container:
    image: ghcr.io/shop/web:1
    env:
      - {key: MODE, value: fast}
      - {key: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
  endpoints:
    http: {type: HTTP, port: 8080, visibility: [external, project]}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ReleaseBinding
metadata: {name: web-production}
spec:
  owner: {projectName: shop, componentName: web}
  environment: production
  releaseName: web-20260101
---
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentType
metadata: {name: worker}
spec: {workloadType: deployment, resources: [{id: deployment, template: {kind: Deployment}}]}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Trait
metadata: {name: storage}
spec: {}
"""
PLAIN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      serviceAccountName: special
      containers:
        - name: server
          image: ghcr.io/shop/api@sha256:1
          ports: [{name: web, containerPort: 8080}]
          resources: {requests: {cpu: 100m}}
          readinessProbe: {httpGet: {path: /, port: web}}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  selector: {app: api}
  ports: [{name: http, port: 80, targetPort: web}]
---
apiVersion: v1
kind: Service
metadata: {name: lost}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
"""


def read(text: str) -> Imported:
    return converted(list(yaml.safe_load_all(text)), organization="acme", project="shop")


def spec(made: Imported, kind: str) -> dict[str, Any]:
    (found,) = [one for one in made.resources if one["kind"] == kind]
    assert found["metadata"]["namespace"] == "acme"
    parse(found)
    return dict(found["spec"])


def test_what_openchoreo_declares_becomes_valid_resources_of_ours() -> None:
    made = read(OPENCHOREO)

    assert spec(made, "Project") == {"deploymentPipelineRef": "standard"}
    assert spec(made, "Environment") == {"dataPlaneRef": "east", "isProduction": True}
    assert spec(made, "Component") == {
        "componentOwner": {"projectRef": "shop"},
        "componentType": "WebApplication",
        "autoDeploy": True,
        "buildSpecInComponent": {
            "repository": "https://git.example/shop.git",
            "branch": "next",
            "context": "web",
        },
    }
    workload = spec(made, "Workload")
    assert workload["componentRef"] == "web"
    assert workload["containers"][0]["env"] == [{"name": "MODE", "value": "fast"}]
    assert workload["endpoints"][0]["visibility"] == "public"
    assert spec(made, "WebApplicationBinding")["environmentRef"] == "production"
    assert spec(made, "ServiceClass") == {}


def test_everything_without_a_counterpart_is_listed_by_object_and_field() -> None:
    lost = {(one.source, one.field) for one in read(OPENCHOREO).lost}

    assert lost == {
        ("Environment production", "spec.gateway.publicVirtualHost"),
        ("DeploymentPipeline standard", "spec.promotionPaths[0].production.requiresApproval"),
        ("Component web", "spec.parameters.port"),
        ("Workload web-workload", "spec.container.env.PASSWORD"),
        ("ReleaseBinding web-production", "spec.releaseName"),
        ("ComponentType worker", ""),
        ("ComponentType worker", "spec.resources[0].id"),
        ("ComponentType worker", "spec.resources[0].template.kind"),
        ("Trait storage", ""),
    }


def test_deployments_get_the_ports_of_the_services_that_select_them() -> None:
    made = read(PLAIN)

    workload = spec(made, "Workload")
    assert workload["endpoints"] == [{"name": "http", "port": 8080}]
    (server,) = workload["containers"]
    assert (server["name"], server["resources"]) == ("main", {"requests": {"cpu": "100m"}})
    assert spec(made, "Component") == {"componentOwner": {"projectRef": "shop"}}
    assert {(one.source, one.field) for one in made.lost} == {
        ("Deployment api", "spec.replicas"),
        ("Deployment api", "spec.template.spec.serviceAccountName"),
        ("Deployment api", "spec.template.spec.containers[0].readinessProbe"),
        ("Service lost", ""),
    }


def test_no_value_of_a_secret_is_taken_over() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db"},
        "stringData": {"password": "hunter2"},
    }

    made = converted([secret], organization="acme", project="shop")

    assert made.resources == ()
    assert "hunter2" not in str(made)
