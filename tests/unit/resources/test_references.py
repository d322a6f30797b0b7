from __future__ import annotations

from typing import Any

import pytest

from domain.resources import KINDS, parse
from domain.resources.references import missing_references, references
from tests.unit.resources.samples import resource

EXISTING = {
    "Environment": ["development", "staging", "production"],
    "ServiceClass": ["standard-service"],
    "Component": ["web"],
    "DeployableArtifact": ["web-0123456789"],
}


def _messages(content: dict[str, Any], existing: dict[str, list[str]] = EXISTING) -> list[str]:
    return [one.message for one in missing_references(parse(content), existing)]


def test_nothing_is_missing_when_all_is_there() -> None:
    assert _messages(resource("ServiceBinding")) == []


def test_every_field_that_names_a_resource_is_looked_at() -> None:
    named = {kind: [one.field for one in references(parse(resource(kind)))] for kind in KINDS}
    assert named == {
        "Organization": ["spec.builds.buildPlaneRef", "spec.access[1].project"],
        "DataPlane": [],
        "BuildPlane": [],
        "ObservabilityPlane": [],
        "Environment": ["spec.dataPlaneRef"],
        "DeploymentPipeline": [
            "spec.promotionPaths[0].sourceEnvironmentRef",
            "spec.promotionPaths[0].targetEnvironmentRefs[0].name",
            "spec.promotionPaths[1].sourceEnvironmentRef",
            "spec.promotionPaths[1].targetEnvironmentRefs[0].name",
        ],
        "FreezeWindow": [],
        "ServiceClass": [],
        "WebApplicationClass": [],
        "ScheduledTaskClass": [],
        "APIClass": [],
        "ClassRevision": [],
        "ConfigurationRevision": [],
        "ConfigurationGroup": [
            "spec.projectRef",
            "spec.environmentGroups[0].environments[0]",
            "spec.environmentGroups[0].environments[1]",
            "spec.configurations[0].values[1].environmentRef",
        ],
        "SecretRotation": ["spec.consumerRefs[0]"],
        "Endpoint": ["spec.backendRef.componentRef"],
        "Connection": ["spec.componentRef", "spec.target.componentRef"],
        "Project": ["spec.deploymentPipelineRef"],
        "Component": ["spec.componentOwner.projectRef", "spec.serviceClassRef"],
        "Workload": ["spec.componentRef"],
        "Service": ["spec.componentRef", "spec.serviceClassRef", "spec.workloadRef"],
        "WebApplication": [
            "spec.componentRef",
            "spec.webApplicationClassRef",
            "spec.workloadRef",
        ],
        "ScheduledTask": [
            "spec.componentRef",
            "spec.scheduledTaskClassRef",
            "spec.workloadRef",
        ],
        "API": ["spec.componentRef", "spec.apiClassRef", "spec.workloadRef"],
        "Build": ["spec.componentRef"],
        "DeployableArtifact": ["spec.componentRef"],
        "ServiceBinding": [
            "spec.serviceClassRef",
            "spec.environmentRef",
            "spec.componentRef",
            "spec.artifactRef",
        ],
        "WebApplicationBinding": [
            "spec.webApplicationClassRef",
            "spec.environmentRef",
            "spec.componentRef",
        ],
        "ScheduledTaskBinding": [
            "spec.scheduledTaskClassRef",
            "spec.environmentRef",
            "spec.componentRef",
        ],
        "APIBinding": [
            "spec.apiClassRef",
            "spec.environmentRef",
            "spec.componentRef",
            "spec.classRevisionRef",
        ],
        "Deployment": [],
        "Release": [],
    }


@pytest.mark.parametrize(
    ("changes", "kind", "name", "field"),
    [
        ({"serviceClassRef": "gold"}, "ServiceClass", "gold", "spec.serviceClassRef"),
        ({"classRef": "gold"}, "ServiceClass", "gold", "spec.classRef"),
        (
            {"componentType": "ScheduledTask"},
            "ScheduledTaskClass",
            "standard-scheduled-task",
            "spec.classRef",
        ),
        (
            {"componentType": "API", "classRef": "fast"},
            "APIClass",
            "fast",
            "spec.classRef",
        ),
    ],
)
def test_a_component_names_a_class_of_its_own_type(
    changes: dict[str, Any], kind: str, name: str, field: str
) -> None:
    *_, found = references(parse(resource("Component", **changes)))
    assert (found.kind, found.name, found.field) == (kind, name, field)


def test_an_access_rule_may_name_an_environment() -> None:
    access = [{"group": "ops", "role": "viewer", "environment": "production"}]
    content = resource("Organization", access=access, builds=None)
    assert [one.name for one in references(parse(content))] == ["production"]


def test_the_message_says_what_is_missing_where_and_what_is_waited_for() -> None:
    (message,) = _messages(resource("ServiceBinding", environmentRef="qa"))
    assert message == (
        "spec.environmentRef names Environment qa, which does not exist in acme: waiting until it "
        "is created or the name is corrected; there is development, production, staging"
    )


def test_a_slip_of_the_pen_is_guessed() -> None:
    (message,) = _messages(resource("ServiceBinding", environmentRef="developmnet"))
    assert message.endswith("did you mean development?")


def test_a_kind_of_which_there_is_none_is_told() -> None:
    (message,) = _messages(resource("Project"), {})
    assert message.endswith("there is no DeploymentPipeline yet")


def test_a_long_list_is_cut() -> None:
    existing = {"DeploymentPipeline": [f"x{number}" for number in range(8)]}
    (message,) = _messages(resource("Project"), existing)
    assert message.endswith("there is x0, x1, x2, x3, x4 and 3 more")


def test_a_binding_without_a_component_waits_for_its_name() -> None:
    messages = _messages(resource("ServiceBinding", componentRef=None))
    assert messages == ["spec.componentRef is empty: waiting for the name of a Component"]


@pytest.mark.parametrize("kind", ["ServiceBinding"])
def test_a_binding_without_an_artifact_misses_nothing(kind: str) -> None:
    assert _messages(resource(kind, artifactRef=None)) == []
