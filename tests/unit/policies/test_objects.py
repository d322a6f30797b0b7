from __future__ import annotations

from typing import Any

from domain.policies.objects import without_fields

DEPLOYMENT: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"team": "shop"}},
    "spec": {"replicas": 2, "template": {"containers": [{"name": "main", "image": "web:1"}]}},
}


def test_a_field_somebody_else_owns_is_left_out() -> None:
    copy, left = without_fields(DEPLOYMENT, [".spec.replicas", ".metadata.labels.team"])

    assert copy["spec"] == {"template": DEPLOYMENT["spec"]["template"]}
    assert copy["metadata"] == {"name": "web", "labels": {}}
    assert left == (".metadata.labels.team", ".spec.replicas")


def test_the_object_itself_stays_as_it_was() -> None:
    without_fields(DEPLOYMENT, [".spec.replicas"])

    assert DEPLOYMENT["spec"]["replicas"] == 2


def test_a_field_of_an_entry_of_a_list_stays_since_its_entry_needs_it() -> None:
    path = '.spec.template.containers[name="main"].image'

    assert without_fields(DEPLOYMENT, [path]) == (DEPLOYMENT, ())


def test_fields_the_object_has_not_are_no_matter() -> None:
    assert without_fields(DEPLOYMENT, [".spec.paused", ".status.x.y", ""]) == (DEPLOYMENT, ())
