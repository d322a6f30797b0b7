from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.resources import Resource, parse
from intake.summaries import summary
from intake.world import World
from tests.unit.intake import resources as given
from tests.unit.intake.resources import ORG, world

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def ready(resource: Resource, made: World) -> dict[str, Any]:
    said = summary(resource, made, NOW)
    assert said is not None
    condition, *others = reversed(said["status"]["conditions"])
    assert condition["type"] == "Ready"
    assert {one["type"] for one in others} <= {"Healthy"}
    return dict(condition)


def with_status(resource: Resource, said: dict[str, Any]) -> Resource:
    return parse(resource.to_dict() | {"status": said["status"]})


def test_resource_that_names_what_exists_is_accepted() -> None:
    for one in given.everything():
        if one.kind not in {"DeployableArtifact", "Organization"}:
            condition = ready(one, world())
            assert (condition["status"], condition["reason"]) == ("True", "Accepted")


def test_missing_reference_is_told_with_what_is_waited_for() -> None:
    condition = ready(given.environment(), world(without="DataPlane"))

    assert (condition["status"], condition["reason"]) == ("False", "ReferenceMissing")
    assert "spec.dataPlaneRef names DataPlane local" in condition["message"]


def test_what_is_said_already_is_not_written_again() -> None:
    environment = given.environment()
    said = summary(environment, world(), NOW)
    assert said is not None

    assert summary(with_status(environment, said), world(), LATER) is None


def test_reference_that_appeared_heals_and_the_change_has_a_time() -> None:
    environment = given.environment()
    said = summary(environment, world(without="DataPlane"), NOW)
    assert said is not None
    healed = summary(with_status(environment, said), world(), LATER)
    assert healed is not None

    condition = healed["status"]["conditions"][-1]
    assert (condition["status"], condition["lastTransitionTime"]) == (
        "True",
        "2026-01-02T00:00:00Z",
    )


def test_new_generation_is_observed() -> None:
    environment = given.environment()
    said = summary(environment, world(), NOW)
    assert said is not None
    changed = with_status(environment, said)
    newer = changed.model_copy(
        update={"metadata": changed.metadata.model_copy(update={"generation": 2})}
    )

    written = summary(newer, world(), LATER)

    assert written is not None
    assert written["status"]["observedGeneration"] == 2


def test_pipeline_shows_its_environments_in_order() -> None:
    path = {"sourceEnvironmentRef": "dev", "targetEnvironmentRefs": [{"name": "prod"}]}
    pipeline = given.resource("DeploymentPipeline", "default", {"promotionPaths": [path]})
    said = summary(pipeline, world(), NOW)
    assert said is not None

    assert said["status"]["environments"] == ["dev", "prod"]


def test_organization_is_written_without_a_namespace() -> None:
    said = summary(given.organization(), world(), NOW)
    assert said is not None

    assert said["metadata"] == {"name": ORG}


def test_binding_is_told_only_what_it_waits_for() -> None:
    binding = given.binding()

    assert summary(binding, world(binding), NOW) is None
    condition = ready(binding, world(binding, without="ServiceClass"))
    assert (condition["status"], condition["reason"]) == ("False", "ReferenceMissing")


def test_binding_that_works_is_left_to_its_procedure() -> None:
    for status in (given.told("True", "Deployed"), given.told("False", "RolloutFailed", 1, "no")):
        binding = given.binding(status=status)
        assert summary(binding, world(binding, without="ServiceClass"), NOW) is None


def test_build_is_told_what_it_waits_for() -> None:
    build = given.build("try")

    assert summary(build, world(build), NOW) is None
    assert "BuildPlane" in ready(build, world(build, without="BuildPlane"))["message"]


def test_records_and_what_is_being_deleted_are_left_alone() -> None:
    artifact = next(one for one in given.everything() if one.kind == "DeployableArtifact")
    going = given.resource("ServiceClass", "x", deletionTimestamp="2026-01-01T00:00:00Z")

    assert summary(artifact, world(), NOW) is None
    assert summary(going, world(), NOW) is None


@pytest.mark.parametrize("kind", ["DataPlane", "BuildPlane", "ObservabilityPlane"])
def test_a_plane_that_does_not_answer_is_not_ready(kind: str) -> None:
    silent = {
        "type": "Connected", "status": "False", "reason": "PlaneSilent", "message": "it is away",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
    }  # fmt: skip
    plane = given.resource(kind, "one", {}, status={"conditions": [silent]})

    condition = ready(plane, world())

    assert (condition["status"], condition["reason"]) == ("False", "PlaneSilent")
    assert condition["message"] == "it is away"


def test_a_group_of_environments_that_nobody_declared_is_told() -> None:
    values = [{"environmentGroupRef": "production"}, {"environmentGroupRef": "qa"}]
    spec = {"configurations": [{"key": "database.url", "values": values}]}
    condition = ready(given.resource("ConfigurationGroup", "one", spec), world())
    assert condition["reason"] == "Invalid"
    assert condition["message"] == (
        "spec.configurations[0] (database.url) names the environment group qa, which "
        "spec.environmentGroups does not have"
    )


def test_a_class_tells_the_revision_of_its_content() -> None:
    first = summary(given.resource("APIClass", "fast", {}), world(), NOW)
    other = summary(given.resource("APIClass", "fast", {"labels": {"a": "b"}}), world(), NOW)
    said = summary(given.resource("APIClass", "fast", {"description": "quick"}), world(), NOW)
    assert first is not None
    assert other is not None
    assert said is not None
    assert first["status"]["revision"].startswith("apiclass-fast-")
    assert first["status"]["revision"] == said["status"]["revision"]
    assert first["status"]["revision"] != other["status"]["revision"]


def test_a_pipeline_that_cannot_be_used_says_why() -> None:
    steps = [
        {"sourceEnvironmentRef": "dev", "targetEnvironmentRefs": [{"name": "prod"}]},
        {"sourceEnvironmentRef": "prod", "targetEnvironmentRefs": [{"name": "dev"}]},
    ]
    circle = parse(
        {
            "apiVersion": "choreo.dev/v1alpha1",
            "kind": "DeploymentPipeline",
            "metadata": {"name": "round", "namespace": ORG},
            "spec": {"promotionPaths": steps},
        }
    )
    condition = ready(circle, world())
    assert (condition["status"], condition["reason"]) == ("False", "Invalid")
    assert "in a circle among dev, prod" in condition["message"]


def healthy(environment: Resource) -> dict[str, Any] | None:
    said = summary(environment, world(), NOW)
    found = said["status"]["conditions"] if said else ()
    return next((one for one in found if one["type"] == "Healthy"), None)


def test_an_environment_that_nobody_looks_at_does_not_pass_for_one_that_is_well() -> None:
    plain = given.environment()
    looked_at = parse(
        plain.to_dict() | {"spec": {**plain.to_dict()["spec"], "health": {"everySeconds": 60}}}
    )
    told = {
        "type": "Healthy",
        "status": "True",
        "reason": "Healthy",
        "message": "all is well",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    well = {"status": {"conditions": [told]}}

    unlooked, awaited = healthy(plain), healthy(looked_at)
    assert unlooked is not None
    assert awaited is not None
    assert (unlooked["status"], unlooked["message"]) == (
        "Unknown",
        "nobody looks: set spec.health",
    )
    assert (awaited["status"], awaited["message"]) == ("Unknown", "the first look comes")
    assert healthy(parse(looked_at.to_dict() | well)) is None
    stale = healthy(parse(plain.to_dict() | well))
    assert stale is not None
    assert stale["status"] == "Unknown"
