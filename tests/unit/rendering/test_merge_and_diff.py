from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries import ObjectRef
from domain.errors import InvalidRequest
from domain.rendering import diff_objects
from domain.rendering.labels import in_order
from domain.rendering.merge import merged
from tests.unit.rendering.samples import rendered

pytestmark = pytest.mark.unit

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
keys = st.sampled_from(["a", "b", "labels", "spec", "containers", "env"])
trees = st.recursive(
    scalars, lambda inner: st.dictionaries(keys, inner, max_size=3) | st.lists(inner, max_size=2)
)
fragments = st.dictionaries(st.sampled_from(["a", "b", "labels", "spec"]), trees, max_size=4)


@given(base=fragments, patch=fragments)
def test_merging_changes_neither_argument_and_is_idempotent(
    base: dict[str, Any], patch: dict[str, Any]
) -> None:
    before = deepcopy((base, patch))
    try:
        once = merged(base, patch)
        again = merged(once, patch)
    except InvalidRequest:
        return
    finally:
        assert (base, patch) == before
    assert again == once


def test_lists_of_named_things_are_merged_by_name() -> None:
    base = {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}]}
    patch = {
        "containers": [
            {"name": "b"},
            {"name": "a", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "3"}]},
        ]
    }
    assert merged(base, patch) == {
        "containers": [
            {
                "name": "a",
                "image": "1",
                "env": [{"name": "X", "value": "3"}, {"name": "Y", "value": "2"}],
            },
            {"name": "b"},
        ]
    }


def test_other_lists_are_replaced_and_null_changes_nothing() -> None:
    base = {"command": ["a", "b"], "lifecycle": {"x": 1}, "n": {"deep": 1}}
    assert merged(base, {"command": ["c"], "lifecycle": None, "n": {"deep": 2}}) == {
        "command": ["c"],
        "lifecycle": {"x": 1},
        "n": {"deep": 2},
    }


def test_a_mapping_takes_the_place_of_what_is_none() -> None:
    assert merged({"a": "text"}, {"a": {"b": 1}}) == {"a": {"b": 1}}


def test_labels_may_have_the_names_of_lists() -> None:
    assert merged({"labels": {"x": "1"}}, {"labels": {"env": "prod"}}) == {
        "labels": {"x": "1", "env": "prod"}
    }


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"containers": {"name": "a"}}, "spec.containers is not a list"),
        ({"containers": ["a"]}, "spec.containers[0] has no name"),
        ({"labels": "x"}, "spec.labels is not a mapping"),
        ({"volumes": [{"name": ["x"]}]}, "spec.volumes[0] has no name"),
    ],
)
def test_a_list_that_cannot_be_merged_is_told_by_its_path(
    patch: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        merged({}, patch, "spec")
    assert refused.value.message == message


def test_keys_are_sorted_at_every_depth() -> None:
    (ordered,) = in_order([{"b": {"d": 1, "c": ({"f": 1, "e": 2},)}, "a": 1}])
    assert list(ordered) == ["a", "b"]
    assert list(ordered["b"]) == ["c", "d"]
    assert list(ordered["b"]["c"][0]) == ["e", "f"]


def test_undeploying_prunes_the_own_objects_in_reverse_and_nothing_shared() -> None:
    before = rendered(template={"replicas": 2}).objects
    diff = diff_objects(before, ())
    assert [ref.kind for ref in diff.prune] == [
        "HTTPRoute",
        "PodDisruptionBudget",
        "Deployment",
        "Service",
        "ServiceAccount",
        "NetworkPolicy",
    ]
    assert all(ref.name == "web" for ref in diff.prune)


def test_first_release_only_adds() -> None:
    objects = rendered().objects
    diff = diff_objects((), objects)
    assert (diff.prune, diff.changed, diff.unchanged) == ((), (), ())
    assert diff.added[0] == "Namespace/acme-shop-development"
    assert len(diff.added) == len(objects)


def test_equal_releases_differ_in_nothing() -> None:
    diff = diff_objects(rendered().objects, rendered().objects)
    assert diff.is_empty
    assert len(diff.unchanged) == len(rendered().objects)


def test_a_public_endpoint_that_is_gone_takes_its_route_along() -> None:
    internal = {"endpoints": [{"name": "http", "port": 8080}]}
    diff = diff_objects(rendered().objects, rendered(workload=internal).objects)
    assert diff.prune == (
        ObjectRef(
            api_version="gateway.networking.k8s.io/v1",
            kind="HTTPRoute",
            namespace="acme-shop-development",
            name="web",
        ),
    )
    assert diff.changed == ("NetworkPolicy/web",)
    assert not diff.is_empty


def test_a_namespace_without_labels_is_not_pruned_either() -> None:
    old = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}
    assert diff_objects([old], ()).prune == ()


counts = st.integers(0, 5)


@given(before=counts, after=counts)
def test_applying_a_diff_to_the_older_release_gives_the_newer_one(before: int, after: int) -> None:
    old = rendered(overrides={"replicas": before}).objects
    new = rendered(overrides={"replicas": after}).objects
    diff = diff_objects(old, new)
    gone = {f"{ref.kind}/{ref.name}" for ref in diff.prune}
    told = {f"{each['kind']}/{each['metadata']['name']}" for each in old}
    assert (told - gone) | set(diff.added) == {*diff.added, *diff.changed, *diff.unchanged}
    assert diff.is_empty == (before == after)
