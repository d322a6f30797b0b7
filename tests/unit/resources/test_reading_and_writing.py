from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.errors import InvalidRequest
from domain.resources import (
    KINDS,
    BindingState,
    Build,
    Component,
    DataPlane,
    DeployableArtifact,
    Environment,
    Metadata,
    Organization,
    Release,
    Service,
    ServiceBinding,
    ServiceBindingSpec,
    ServiceClass,
    Workload,
    parse,
    parse_as,
)
from domain.resources.binding import BindingStatus
from domain.resources.deployment import objects_hash
from tests.unit.resources.samples import API_VERSION, COMMIT, IMAGE, SPECS, resource


def test_every_kind_has_an_example() -> None:
    assert set(SPECS) == set(KINDS)


def test_what_is_written_reads_back_the_same(example: dict[str, Any]) -> None:
    read = parse(example)
    assert parse(read.to_dict()) == read
    assert read.to_dict()["kind"] == example["kind"]


def test_what_was_set_is_applied_as_it_was_set(example: dict[str, Any]) -> None:
    applied = parse(example).manifest()
    assert applied["metadata"] == example["metadata"]
    assert parse(applied).model_dump() == parse(example).model_dump()


def test_fragments_of_kubernetes_keep_their_empty_values() -> None:
    read = parse_as(ServiceClass, resource("ServiceClass"))
    template = read.to_dict()["spec"]["deploymentTemplate"]
    assert template == SPECS["ServiceClass"]["deploymentTemplate"]


def test_empty_values_are_not_written() -> None:
    written = parse(resource("Workload")).to_dict()
    empty = written["spec"]["containers"][0]["env"][1]
    assert empty == {"name": "EMPTY"}
    assert "resources" not in parse(resource("Service")).to_dict()["spec"]


def test_no_and_nought_are_values() -> None:
    assert parse(resource("Component")).to_dict()["spec"]["autoDeploy"] is False
    assert parse(resource("ServiceBinding")).to_dict()["spec"]["workload"]["replicas"] == 0


def test_the_platform_owns_only_what_it_sets() -> None:
    spec = ServiceBindingSpec(environment_ref="dev", component_ref="web", artifact_ref="web-1")
    binding = ServiceBinding(metadata=Metadata(name="web-dev", namespace="acme"), spec=spec)
    assert binding.manifest()["spec"] == {
        "environmentRef": "dev",
        "componentRef": "web",
        "artifactRef": "web-1",
    }
    assert binding.spec.state is BindingState.ACTIVE


def test_a_status_is_applied_without_the_spec() -> None:
    binding = parse_as(ServiceBinding, resource("ServiceBinding"))
    status = BindingStatus(observed_generation=3, url="http://web.dev.localhost")
    applied = binding.model_copy(update={"status": status}).status_manifest()
    assert applied["status"] == {"observedGeneration": 3, "url": "http://web.dev.localhost"}
    assert "spec" not in applied


def test_a_resource_of_the_cluster_has_no_namespace() -> None:
    organization = parse(
        {"apiVersion": API_VERSION, "kind": "Organization", "metadata": {"name": "a"}}
    )
    assert organization.status_manifest()["metadata"] == {"name": "a"}
    assert organization.organization == "a"


def test_fields_the_server_adds_are_ignored_in_metadata_and_status() -> None:
    content = resource("Project")
    content["metadata"] |= {"managedFields": [{"manager": "kubectl"}], "selfLink": "/x"}
    content["status"] = {"observedGeneration": 2, "ofANewerPlatform": True}
    assert parse(content).to_dict()["status"] == {"observedGeneration": 2}


def test_a_field_without_a_value_is_absent() -> None:
    content = resource("ServiceBinding")
    content["spec"]["workload"] = None
    content["status"] = None
    read = parse_as(ServiceBinding, content)
    assert read.spec.workload.replicas is None


def test_resources_do_not_change() -> None:
    binding = parse_as(ServiceBinding, resource("ServiceBinding"))
    with pytest.raises(ValidationError, match="frozen"):
        binding.spec.state = BindingState.ACTIVE  # type: ignore[misc]


def test_amounts_may_be_written_as_numbers() -> None:
    content = resource("ServiceClass", guardRails={"maxCpu": 2})
    assert parse_as(ServiceClass, content).spec.guard_rails.max_cpu == "2"


@given(st.text(max_size=20))
def test_a_value_of_an_environment_variable_survives(value: str) -> None:
    containers = [{"name": "main", "env": [{"name": "A", "value": value}]}]
    read = parse_as(Workload, resource("Workload", containers=containers))
    assert parse_as(Workload, read.to_dict()).main.env[0].value == value


# --- errors ----------------------------------------------------------------------------------


def test_an_error_names_kind_name_and_field() -> None:
    content = resource("Component")
    content["spec"]["buildSpecInComponent"]["branch"] = "--upload-pack=x"
    with pytest.raises(InvalidRequest) as error:
        parse(content)
    assert str(error.value).startswith("Component web: spec.buildSpecInComponent.branch: ")


def test_an_error_names_the_place_in_a_list() -> None:
    content = resource("Workload")
    content["spec"]["endpoints"][1]["port"] = 70000
    with pytest.raises(InvalidRequest, match=r"Workload web: spec\.endpoints\[1\]\.port: "):
        parse(content)


def test_a_misspelt_field_is_told() -> None:
    with pytest.raises(InvalidRequest, match=r"Project web: spec\.pipelineRef: unknown field"):
        parse(resource("Project", pipelineRef="x"))


def test_the_inner_name_of_a_field_is_not_its_name() -> None:
    content = resource("Project", deploymentPipelineRef=None, deployment_pipeline_ref="x")
    with pytest.raises(InvalidRequest, match=r"spec\.deploymentPipelineRef: is required"):
        parse(content)


def test_an_error_never_shows_a_value() -> None:
    content = resource("Workload")
    content["spec"]["containers"][0]["env"][0] = {"name": "not a name", "value": "hunter2" * 2000}
    with pytest.raises(InvalidRequest) as error:
        parse(content)
    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"kind": "Component"},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}},
        {"apiVersion": API_VERSION, "kind": "Gizmo", "metadata": {"name": "web"}},
    ],
)
def test_what_is_no_resource_of_ours_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="is not a resource of Pavane"):
        parse(content)


def test_a_spec_that_is_no_object_is_refused() -> None:
    content = {**resource("Project"), "spec": "standard-pipeline"}
    with pytest.raises(InvalidRequest, match="Project web: spec: should be a valid dictionary"):
        parse(content)


def test_a_resource_is_not_read_as_another_kind() -> None:
    with pytest.raises(InvalidRequest, match="expected Component, got Project"):
        parse_as(Component, resource("Project"))


def test_a_resource_without_metadata_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"Project \(without name\): metadata: is required"):
        parse({"apiVersion": API_VERSION, "kind": "Project", "spec": SPECS["Project"]})


# --- helpers ---------------------------------------------------------------------------------


def test_a_plane_without_a_task_queue_has_that_of_its_name() -> None:
    assert parse_as(DataPlane, resource("DataPlane")).task_queue == "plane.far-away"
    bare = parse_as(DataPlane, resource("DataPlane", taskQueue=None, name="local"))
    assert bare.task_queue == "plane.local"
    assert parse_as(KINDS["BuildPlane"], resource("BuildPlane")).task_queue == "plane.web"  # type: ignore[attr-defined]


def test_an_environment_without_a_prefix_takes_its_name() -> None:
    assert parse_as(Environment, resource("Environment")).dns_prefix == "prod"
    bare = parse_as(Environment, resource("Environment", gateway=None, name="staging"))
    assert bare.dns_prefix == "staging"


def test_a_component_knows_its_project_and_build() -> None:
    component = parse_as(Component, resource("Component"))
    assert component.project == "shop"
    assert component.build is not None
    assert component.build.branch == "main"


def test_the_main_container_is_the_one_named_so_else_the_first() -> None:
    named = parse_as(Workload, resource("Workload", containers=[{"name": "a"}, {"name": "main"}]))
    unnamed = parse_as(Workload, resource("Workload", containers=[{"name": "a"}, {"name": "b"}]))
    bare = parse_as(Workload, resource("Workload", containers=None))
    assert [named.main.name, unnamed.main.name, bare.main.name] == ["main", "a", "main"]
    assert named.component == "web"


def test_a_service_runs_the_workload_of_its_component() -> None:
    assert parse_as(Service, resource("Service")).workload == "web"
    assert parse_as(Service, resource("Service", workloadRef="other")).workload == "other"
    assert parse_as(Service, resource("Service")).component == "web"


@pytest.mark.parametrize("which", ["branch", "tag"])
def test_a_build_names_its_revision(which: str) -> None:
    build = parse_as(Build, resource("Build", revision={which: "v1"}))
    assert (build.revision, build.component) == ("v1", "web")


def test_a_build_without_a_revision_means_the_branch() -> None:
    assert parse_as(Build, resource("Build", revision=None)).revision == ""


def test_the_version_of_an_artifact_is_its_commit_else_its_digest() -> None:
    built = parse_as(DeployableArtifact, resource("DeployableArtifact"))
    bought = parse_as(DeployableArtifact, resource("DeployableArtifact", commit=None))
    assert (built.version, bought.version) == (COMMIT[:12], "b" * 12)
    assert built.component == "web"


def test_a_binding_that_is_being_deleted_is_to_be_undeployed() -> None:
    content = resource("ServiceBinding", state="Active")
    binding = parse_as(ServiceBinding, content)
    content["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    leaving = parse_as(ServiceBinding, content)
    assert binding.wanted_state is BindingState.ACTIVE
    assert leaving.wanted_state is BindingState.UNDEPLOY
    assert (binding.component, binding.environment, binding.artifact) == (
        "web",
        "development",
        "web-0123456789",
    )


def test_a_resource_is_observed_when_the_status_reached_its_generation() -> None:
    content = resource("Project")
    content["metadata"]["generation"] = 2
    content["status"] = {"observedGeneration": 1}
    assert not parse(content).is_observed
    content["status"] = {"observedGeneration": 2}
    assert parse(content).is_observed


def test_a_release_tells_whether_its_objects_are_those_it_was_written_with() -> None:
    objects = ({"kind": "ConfigMap", "data": {"a": "b"}},)
    honest = resource("Release", objects=list(objects), hash=objects_hash(objects))
    assert parse_as(Release, honest).is_intact
    honest["spec"]["objects"][0]["data"]["a"] = "c"
    assert not parse_as(Release, honest).is_intact
    stored = resource("Release", objects=None, stored="releases/1")
    assert parse_as(Release, stored).is_intact


def test_times_are_read_with_their_zone() -> None:
    content = resource("Build")
    content["status"] = {"started": "2026-01-01T01:00:00+01:00"}
    assert parse_as(Build, content).status.started == datetime(2026, 1, 1, tzinfo=UTC)


def test_an_image_by_tag_is_no_artifact() -> None:
    with pytest.raises(InvalidRequest, match=r"spec\.image"):
        parse(resource("DeployableArtifact", image=IMAGE.partition("@")[0] + ":latest"))


def test_an_organization_needs_no_spec() -> None:
    bare = {"apiVersion": API_VERSION, "kind": "Organization", "metadata": {"name": "acme-corp"}}
    assert parse_as(Organization, bare).spec.builds.concurrency == 4
