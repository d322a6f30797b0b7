from __future__ import annotations

from typing import Any

import pytest

from domain.rendering import labels as names
from intake.places import Place, Places, trimmed

pytestmark = pytest.mark.unit

WEB = Place("acme", "shop", "web", "dev")


def live(
    kind: str,
    name: str,
    *,
    component: str = "web",
    foreign: str = "",
    by: str = "kubectl",
    owns: tuple[str, ...] = ("f:a", "f:b"),
    at: str = "12:00:00",
    **meta: Any,
) -> Any:
    labels = {names.ORGANIZATION: "acme", names.PROJECT: "shop", names.ENVIRONMENT: "dev"}
    if component:
        labels[names.COMPONENT] = component
    fields: dict[str, Any] = {"f:spec": {name: {} for name in owns}}
    managers = [{"manager": "pavane", "operation": "Apply", "time": at, "fieldsV1": fields}]
    if foreign:
        managers.append({"manager": by, "operation": "Update", "time": foreign})
    managers.append({"manager": "kube-controller-manager", "subresource": "status"})
    metadata = {"name": name, "namespace": "ns", "uid": f"{kind}-{name}", "labels": labels}
    return trimmed(
        {"kind": kind, "metadata": metadata | {"managedFields": managers} | meta, "spec": {"a": 1}}
    )


def test_objects_that_only_pavane_and_controllers_wrote_make_no_mark() -> None:
    places = Places()

    assert places.put(live("Deployment", "web")) == {WEB}
    assert places.fingerprint(WEB) == ""


def test_what_the_set_up_of_an_organization_writes_is_not_written_by_others() -> None:
    places = Places()
    places.put(live("Deployment", "web"))
    shared = live("NetworkPolicy", "deny", component="", foreign="12:00:01", by="pavane-tenant")

    assert places.put(shared) == {WEB}
    assert places.fingerprint(WEB) == ""
    assert places.seen(WEB) == ""


def test_a_write_of_another_manager_makes_a_mark_and_each_later_one_another() -> None:
    places = Places()
    seen = set()
    for at in ("12:00:01", "12:00:02"):
        places.put(live("Deployment", "web", foreign=at))
        seen.add(places.fingerprint(WEB))

    assert len(seen - {""}) == 2
    assert places.seen(WEB) == "Deployment/web was written by others"


def test_two_writes_within_a_second_are_told_apart_by_the_generation() -> None:
    places = Places()
    seen = set()
    for generation in (2, 3):
        places.put(live("Deployment", "web", foreign="12:00:01", generation=generation))
        seen.add(places.fingerprint(WEB))

    assert len(seen) == 2


def test_a_mark_vanishes_when_pavane_has_the_fields_again() -> None:
    places = Places()
    places.put(live("Deployment", "web", foreign="12:00:01"))
    places.put(live("Deployment", "web"))

    assert places.fingerprint(WEB) == ""


def test_a_field_that_somebody_removes_makes_a_mark_although_nobody_owns_it() -> None:
    places = Places()
    places.put(live("Deployment", "web"))
    places.put(live("Deployment", "web", owns=("f:a",)))

    assert places.fingerprint(WEB) != ""
    places.put(live("Deployment", "web", at="12:00:09"))
    assert places.fingerprint(WEB) == ""


def test_another_release_that_wants_fewer_fields_makes_no_mark() -> None:
    places = Places()
    places.put(live("Deployment", "web"))
    places.put(live("Deployment", "web", owns=("f:a",), at="12:00:09"))

    assert places.fingerprint(WEB) == ""


def test_a_deleted_object_is_a_mark_until_it_is_there_again() -> None:
    places = Places()
    for kind in ("Deployment", "Service"):
        places.put(live(kind, "web"))
    places.remove(live("Service", "web"))

    assert places.fingerprint(WEB) != ""
    assert places.seen(WEB) == "Service/web is gone"
    places.put(live("Service", "web"))
    assert places.fingerprint(WEB) == ""


def test_what_components_share_concerns_each_of_them() -> None:
    places = Places()
    places.put(live("NetworkPolicy", "deny", component=""))
    for name in ("web", "api"):
        places.put(live("Deployment", name, component=name))

    concerned = places.remove(live("NetworkPolicy", "deny", component=""))

    assert concerned == {WEB, WEB._replace(component="api")}
    assert all(places.fingerprint(place) for place in concerned)


def test_an_object_whose_labels_name_another_place_is_missed_where_it_was() -> None:
    places = Places()
    places.put(live("Deployment", "web"))

    concerned = places.put(live("Deployment", "web", component="other"))

    assert concerned == {WEB, WEB._replace(component="other")}
    assert places.fingerprint(WEB) != ""


def test_an_object_that_names_no_place_is_left_alone() -> None:
    places = Places()
    obj = trimmed({"kind": "Service", "metadata": {"name": "x", "uid": "x", "labels": {}}})

    assert places.put(obj) == set()
    assert places.remove(obj) == set()


def test_a_place_is_forgotten_when_nothing_of_it_is_left() -> None:
    places = Places()
    places.put(live("Deployment", "web"))
    assert not places.forget(WEB)

    places.remove(live("Deployment", "web"))

    assert places.forget(WEB)
    assert places.fingerprint(WEB) == ""
    assert places.all() == set()
