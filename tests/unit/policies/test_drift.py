from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.common.kinds import RELEASE_KINDS
from domain.policies.drift import as_put_back, drift_of, drifted_fields, key_of
from tests.unit.rendering.samples import rendered

pytestmark = pytest.mark.unit

RELEASE = rendered(template={"replicas": 3}, container={"env": [{"name": "MODE", "value": "a"}]})


def deployment() -> dict[str, Any]:
    (found,) = (each for each in RELEASE.objects if each["kind"] == "Deployment")
    return copy.deepcopy(found)


def service() -> dict[str, Any]:
    (found,) = (each for each in RELEASE.objects if each["kind"] == "Service")
    return copy.deepcopy(found)


def fields(wanted: dict[str, Any], live: dict[str, Any]) -> list[str]:
    return [each.field for each in drifted_fields(wanted, live)]


def owned(live: dict[str, Any], manager: str, owns: dict[str, Any], **more: Any) -> dict[str, Any]:
    entry = {"manager": manager, "operation": "Update", "fieldsV1": owns, **more}
    live["metadata"].setdefault("managedFields", []).append(entry)
    return live


scalars = st.one_of(st.integers(1, 9), st.sampled_from(["a", "b", "1m"]), st.just(value=True))
content = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["image", "ports", "rules", "x", "y"]), inner, min_size=1),
        st.lists(inner, min_size=1, max_size=3),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda items: {"env": [{"name": str(n), "of": one} for n, one in enumerate(items)]}
        ),
    ),
    max_leaves=12,
)


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    spec = draw(st.dictionaries(st.sampled_from(["a", "b", "containers"]), content, min_size=1))
    return {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "web"}, "spec": spec}


def with_more(value: Any) -> Any:
    """What a server does: fills in fields nobody asked for, everywhere in mappings."""
    if isinstance(value, dict):
        return {"serverFilled": 1, **{key: with_more(each) for key, each in value.items()}}
    if isinstance(value, list):
        return [with_more(each) for each in value]
    return value


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [one for key, each in value.items() for one in leaves(each, (*path, key))]
    if isinstance(value, list):
        return [one for index, each in enumerate(value) for one in leaves(each, (*path, index))]
    return [path]


@given(objects())
def test_what_the_server_fills_in_is_no_drift(wanted: dict[str, Any]) -> None:
    live = {**wanted, "spec": with_more(wanted["spec"]), "status": {"ready": True}}

    assert drifted_fields(wanted, live) == ()


@given(objects(), st.data())
def test_every_changed_value_is_found_and_no_other(wanted: dict[str, Any], data: Any) -> None:
    paths = [path for path in leaves(wanted["spec"]) if path[-1] != "name"]
    path = data.draw(st.sampled_from(paths))
    live = copy.deepcopy(wanted)
    node = live["spec"]
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = "changed by somebody"

    assert len(drifted_fields(wanted, live)) == 1


@given(objects(), st.data())
def test_every_removed_field_is_found(wanted: dict[str, Any], data: Any) -> None:
    path = data.draw(st.sampled_from([one for one in leaves(wanted["spec"]) if one[-1] != "name"]))
    live = copy.deepcopy(wanted)
    node = live["spec"]
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]

    assert drifted_fields(wanted, live) != ()


@pytest.mark.parametrize("wanted", RELEASE.objects, ids=lambda each: each["kind"])
def test_a_rendered_object_does_not_differ_from_itself(wanted: dict[str, Any]) -> None:
    assert drifted_fields(wanted, wanted) == ()


def test_every_rendered_kind_is_watched() -> None:
    watched = {(kind.api_version, kind.kind) for kind in RELEASE_KINDS}

    assert {(each["apiVersion"], each["kind"]) for each in RELEASE.objects} <= watched


def test_a_changed_field_is_told_with_both_values_and_who_has_it() -> None:
    live = deployment()
    live["spec"]["replicas"] = 7
    owned(live, "pavane", {"f:spec": {"f:template": {}}})
    owned(live, "kubectl", {"f:spec": {"f:replicas": {}}}, subresource="scale")

    (found,) = drifted_fields(deployment(), live)

    assert (found.object, found.field) == ("Deployment/web", "spec.replicas")
    assert (found.wanted, found.live, found.manager) == ("3", "7", "kubectl")


def test_the_latest_of_several_managers_is_named() -> None:
    live = deployment()
    live["spec"]["replicas"] = 7
    owns: dict[str, Any] = {"f:spec": {"f:replicas": {}}}
    owned(live, "new", owns, time="2026-03-01T12:00:05Z")
    owned(live, "old", owns, time="2026-03-01T12:00:00Z")

    assert drifted_fields(deployment(), live)[0].manager == "new"


def test_an_entry_of_a_list_is_found_by_its_key_in_whatever_order() -> None:
    live = deployment()
    pod = live["spec"]["template"]["spec"]
    pod["containers"] = [{"name": "sidecar", "image": "proxy"}, *pod["containers"]]
    pod["containers"][1]["image"] = "other"
    key = 'k:{"name":"main"}'
    owns: dict[str, Any] = {"f:containers": {key: {".": {}, "f:image": {}}}}
    owned(live, "kubectl-set", {"f:spec": {"f:template": {"f:spec": owns}}})

    (found,) = drifted_fields(deployment(), live)

    assert found.field == "spec.template.spec.containers[main].image"
    assert found.manager == "kubectl-set"


def test_an_object_that_is_gone_is_one_drift() -> None:
    drifted = drift_of([deployment(), service()], {key_of(service()): service()})

    assert [(each.object, each.field) for each in drifted] == [("Deployment/web", "")]


@pytest.mark.parametrize(("wanted", "live"), [("1000m", "1"), ("1024Mi", "1Gi"), (1, "1")])
def test_equal_amounts_are_the_same(wanted: Any, live: Any) -> None:
    def limited(value: Any) -> dict[str, Any]:
        return {"kind": "X", "metadata": {"name": "x"}, "spec": {"limits": {"cpu": value}}}

    assert fields(limited(wanted), limited(live)) == []
    assert fields(limited(wanted), limited("999")) == ["spec.limits.cpu"]


def test_an_environment_variable_that_looks_like_an_amount_is_text() -> None:
    wanted, live = deployment(), deployment()
    for obj, value in ((wanted, "1000m"), (live, "1")):
        main = obj["spec"]["template"]["spec"]["containers"][0]
        next(each for each in main["env"] if each["name"] == "MODE")["value"] = value

    assert fields(wanted, live) == ["spec.template.spec.containers[main].env[MODE].value"]


def test_true_is_not_one() -> None:
    wanted = {"kind": "X", "metadata": {"name": "x"}, "spec": {"on": True}}

    assert fields(wanted, {**wanted, "spec": {"on": 1}}) == ["spec.on"]


def test_one_rule_more_in_a_list_without_keys_is_drift() -> None:
    (wanted,) = (
        each
        for each in RELEASE.objects
        if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == "web"
    )
    live = copy.deepcopy(wanted)
    live["spec"]["ingress"][0]["ports"].append({"protocol": "TCP", "port": 22})

    assert fields(wanted, live) == ["spec.ingress[0].ports"]


def test_a_port_of_a_service_is_found_by_number_and_protocol() -> None:
    live = service()
    live["spec"]["ports"].insert(0, {"name": "more", "port": 9, "protocol": "TCP"})
    live["spec"]["ports"][1]["targetPort"] = 1

    assert fields(service(), live) == ["spec.ports[8080/TCP].targetPort"]


def test_a_changed_label_is_drift_and_a_label_besides_is_none() -> None:
    live = deployment()
    live["metadata"]["labels"] |= {"choreo.dev/project": "other", "team": "x"}

    assert fields(deployment(), live) == ["metadata.labels[choreo.dev/project]"]


def test_an_empty_value_the_server_drops_is_no_drift_while_it_is_ours() -> None:
    wanted = {"kind": "X", "metadata": {"name": "x"}, "spec": {"hostNetwork": False}}
    live = {"kind": "X", "metadata": {"name": "x"}, "spec": {}}
    owned(live, "pavane", {"f:spec": {"f:hostNetwork": {}}})

    assert fields(wanted, live) == []


def test_an_empty_value_that_somebody_removed_is_drift() -> None:
    """False is not the default of this field, so its removal gives pods a token."""
    live = deployment()
    del live["spec"]["template"]["spec"]["automountServiceAccountToken"]
    owned(live, "pavane", {"f:spec": {"f:replicas": {}}})

    found = fields(deployment(), live)

    assert found == ["spec.template.spec.automountServiceAccountToken"]


def scaler(name: str = "web") -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": target},
    }


@pytest.mark.parametrize(("target", "drifted"), [("web", 0), ("other", 1)])
def test_replicas_belong_to_the_autoscaler_of_the_release(target: str, drifted: int) -> None:
    live = deployment()
    live["spec"]["replicas"] = 9
    wanted = [deployment(), scaler(target)]
    seen = {key_of(each): each for each in (live, scaler(target))}

    assert len(drift_of(wanted, seen)) == drifted


def test_putting_back_keeps_what_the_autoscaler_chose() -> None:
    live = deployment()
    live["spec"]["replicas"] = 9

    assert as_put_back(deployment(), live, is_scaled=True)["spec"]["replicas"] == 9
    assert as_put_back(deployment(), live, is_scaled=False)["spec"]["replicas"] == 3


def test_nothing_of_a_secret_is_shown() -> None:
    wanted = {"kind": "Secret", "metadata": {"name": "x"}, "data": {"password": "d2FudGVk"}}
    live = {**wanted, "data": {"password": "bGl2ZQ=="}}

    (found,) = drifted_fields(wanted, live)

    assert (found.field, found.wanted, found.live) == (
        "data.password",
        "(not shown)",
        "(not shown)",
    )


def test_no_value_of_an_environment_variable_and_no_argument_is_shown() -> None:
    wanted, live = deployment(), deployment()
    main = live["spec"]["template"]["spec"]["containers"][0]
    main["env"][0]["value"] = "hunter2"
    wanted["spec"]["template"]["spec"]["containers"][0]["args"] = ["--token=hunter2"]
    main["args"] = ["--token=hunter3"]

    assert "hunter" not in str(drifted_fields(wanted, live))
