from __future__ import annotations

from typing import Any

import pytest

from domain.rendering.object_diff import changes_between
from tests.unit.rendering.samples import rendered

pytestmark = pytest.mark.unit


def said(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    found = changes_between(before, after)
    return [(one.object, one.field, one.before, one.after) for one in found]


def thing(name: str = "a", **content: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": name}, **content}


def test_equal_objects_do_not_differ() -> None:
    assert changes_between(rendered().objects, rendered().objects) == ()


def test_new_and_removed_objects_are_told_as_a_whole() -> None:
    assert said([thing("old")], [thing("new")]) == [
        ("Thing/new", "", "", "new"),
        ("Thing/old", "", "removed", ""),
    ]


def test_a_field_is_told_by_its_path_with_both_values() -> None:
    before = [thing(spec={"rules": [{"a": 1}], "list": [{"name": "x", "v": 1}]})]
    after = [thing(spec={"rules": [{"a": 2}], "list": [{"name": "x", "v": 2}, {"name": "y"}]})]
    assert said(before, after) == [
        ("Thing/a", "spec.rules[0].a", "1", "2"),
        ("Thing/a", "spec.list[x].v", "1", "2"),
        ("Thing/a", "spec.list[y]", "", "an object with name"),
    ]


def test_values_of_environment_variables_are_not_shown() -> None:
    before = rendered(overrides={"env": [{"name": "TOKEN", "value": "secret"}]})
    after = rendered(overrides={"env": [{"name": "TOKEN", "value": "other"}]})
    (change,) = changes_between(before.objects, after.objects)
    assert (change.before, change.after) == ("(not shown)", "(not shown)")
    assert change.field.endswith("env[TOKEN].value")
