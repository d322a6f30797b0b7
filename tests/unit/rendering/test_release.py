from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRequest
from domain.rendering import diff_objects, render_release
from domain.resources.binding import ServiceBinding
from tests.unit.rendering.samples import IMAGE, facts, main_container, one, rendered

pytestmark = pytest.mark.unit

names = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def kinds(**changes: Any) -> list[str]:
    return [each["kind"] for each in rendered(**changes).objects]


def test_objects_come_in_apply_order() -> None:
    assert kinds(template={"replicas": 2}) == [
        "Namespace",
        "NetworkPolicy",
        "NetworkPolicy",
        "ServiceAccount",
        "Service",
        "Deployment",
        "PodDisruptionBudget",
        "HTTPRoute",
    ]


def test_release_tells_what_people_ask_for() -> None:
    release = rendered(overrides={"replicas": 3}, template={"progressDeadlineSeconds": 90})
    assert release.image == IMAGE
    assert release.url == "http://web.shop.acme.dev.localhost/"
    assert (release.replicas, release.progress_deadline_seconds) == (3, 90)
    assert release.namespace == "acme-shop-development"
    assert release.name.startswith("web-development-")


@given(replicas=st.integers(0, 20), env=st.dictionaries(names.map(str.upper), texts, max_size=5))
def test_equal_facts_give_byte_equal_objects(replicas: int, env: dict[str, str]) -> None:
    variables = [
        {"name": name.replace("-", "_"), "value": value} for name, value in sorted(env.items())
    ]
    first = rendered(overrides={"replicas": replicas, "env": variables})
    second = rendered(overrides={"env": variables, "replicas": replicas})
    assert json.dumps(first.objects) == json.dumps(second.objects)
    assert (first.name, first.hash) == (second.name, second.hash)


@given(commit=st.from_regex(r"[0-9a-f]{40}", fullmatch=True))
def test_another_commit_is_another_release(commit: str) -> None:
    changed = rendered(artifact={"commit": commit})
    assert (changed.name == rendered().name) == (commit == "c" * 40)


def test_a_changed_variable_changes_the_pod_template_and_nothing_else() -> None:
    before = rendered()
    after = rendered(overrides={"env": [{"name": "MODE", "value": "fast"}]})
    assert after.name != before.name
    assert diff_objects(before.objects, after.objects).changed == ("Deployment/web",)


@given(first=st.tuples(names, names, names), second=st.tuples(names, names, names))
def test_two_places_never_share_a_host_name_or_an_object(
    first: tuple[str, str, str], second: tuple[str, str, str]
) -> None:
    def place(component: str, project: str, organization: str) -> tuple[str, set[tuple[str, str]]]:
        given_facts = facts(name=component)
        metadata = {"name": component, "namespace": organization}
        changed = given_facts.model_copy(
            update={
                "binding": ServiceBinding.model_validate(
                    {"metadata": metadata, "spec": given_facts.binding.spec.model_dump()}
                ),
                "component": given_facts.component.model_validate(
                    {
                        "metadata": metadata,
                        "spec": {"componentOwner": {"projectRef": project}},
                    }
                ),
            }
        )
        release = render_release(changed)
        host = one(release, "HTTPRoute", component)["spec"]["hostnames"][0]
        own = {(o["kind"], o["metadata"].get("namespace", "")) for o in release.objects}
        return host, {(kind, namespace) for kind, namespace in own if namespace}

    host, objects = place(*first)
    other_host, other_objects = place(*second)
    assert (host == other_host) == (first == second)
    if first[1:] != second[1:]:
        assert not objects & other_objects


def test_suspended_binding_keeps_its_objects_without_replicas() -> None:
    release = rendered(binding={"state": "Suspend"}, template={"replicas": 4})
    assert release.replicas == 0
    assert one(release, "Deployment")["spec"]["replicas"] == 0
    assert "HTTPRoute" in [each["kind"] for each in release.objects]
    assert "PodDisruptionBudget" not in [each["kind"] for each in release.objects]


def test_undeployed_binding_has_no_objects_and_its_place() -> None:
    release = rendered(binding={"state": "Undeploy"})
    assert release.objects == ()
    assert (release.image, release.url, release.replicas) == ("", "", 0)
    assert release.namespace == "acme-shop-development"
    assert release.name != rendered(binding={"state": "Suspend"}).name


def test_deleted_binding_is_undeployed() -> None:
    own = facts().binding
    gone = own.metadata.model_copy(update={"deletion_timestamp": datetime(2026, 1, 1, tzinfo=UTC)})
    assert (
        render_release(
            facts().model_copy(update={"binding": own.model_copy(update={"metadata": gone})})
        ).objects
        == ()
    )


def test_shared_objects_are_equal_for_all_components_of_a_project() -> None:
    web, api = rendered(), rendered(name="api")
    assert web.objects[:2] == api.objects[:2]
    assert all(
        each["metadata"]["labels"]["choreo.dev/shared"] == "true" for each in web.objects[:2]
    )


def test_namespace_admits_restricted_pods_only() -> None:
    labels = rendered().objects[0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert (labels["choreo.dev/organization"], labels["choreo.dev/project"]) == ("acme", "shop")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"artifact": {"componentRef": "other"}},
            "DeployableArtifact web-1 is of component other, not web",
        ),
        ({"workload": {"componentRef": "other"}}, "Workload web is of component other, not web"),
        (
            {"binding": {"componentRef": ""}},
            "ServiceBinding web-development is of component none, not web",
        ),
        (
            {"binding": {"environmentRef": "production"}},
            "ServiceBinding web-development is for environment production, not development",
        ),
    ],
)
def test_facts_of_different_components_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        rendered(**changes)
    assert refused.value.message == message


def test_workload_with_its_own_image_needs_no_artifact() -> None:
    release = render_release(
        facts(container={"image": "registry:5000/tools/echo:1"}).model_copy(
            update={"artifact": None}
        )
    )
    assert release.image == "registry:5000/tools/echo:1"
    names_told = [each["name"] for each in main_container(release)["env"]]
    assert "PAVANE_COMMIT" not in names_told
    assert "app.kubernetes.io/version" not in one(release, "Deployment")["metadata"]["labels"]


def test_missing_image_is_told_by_container() -> None:
    with pytest.raises(InvalidRequest) as refused:
        render_release(facts().model_copy(update={"artifact": None}))
    assert refused.value.message == (
        "Workload web: container main names no image and "
        "ServiceBinding web-development has no artifact"
    )
