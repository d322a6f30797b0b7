from __future__ import annotations

from typing import Any

import pytest

from domain.rendering.parameters import with_defaults
from domain.resources.configuration import ConfigurationGroup

pytestmark = pytest.mark.unit


def group(*configurations: dict[str, Any], **spec: Any) -> ConfigurationGroup:
    return ConfigurationGroup.model_validate(
        {
            "metadata": {"name": "db", "namespace": "acme"},
            "spec": {"configurations": list(configurations), **spec},
        }
    )


def value(**where: str) -> dict[str, str]:
    return {"value": "1", **where}


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ({"env": "POOL", "file": "/etc/pool"}, "is a variable or a file"),
        ({"values": [value(environmentGroupRef="nowhere")]}, "names the environment group nowhere"),
        (
            {"values": [value(environmentRef="dev"), value(environmentRef="dev")]},
            "has two values for environment dev",
        ),
        (
            {"values": [value(environmentGroupRef="a"), value(environmentGroupRef="b")]},
            "has values for a and b, which both hold dev: say it by environmentRef: dev",
        ),
    ],
    ids=["both", "dangling", "twice", "two groups"],
)
def test_a_group_says_what_contradicts_itself(key: dict[str, Any], why: str) -> None:
    groups = [{"name": name, "environments": ["dev"]} for name in ("a", "b")]
    said = group({"key": "pool", **key}, environmentGroups=groups).problems()
    assert len(said) == 1
    assert said[0].startswith("spec.configurations[0] (pool) ")
    assert why in said[0]


def test_defaults_reach_into_objects_and_leave_what_has_no_schema() -> None:
    schema = {
        "properties": {
            "anything": True,
            "db": {"properties": {"pool": {"default": 5}}},
            "off": {"properties": {"x": {}}},
        }
    }
    assert with_defaults(schema, {"anything": 1}) == {"anything": 1, "db": {"pool": 5}}
    assert with_defaults(schema, {"off": {}}) == {"db": {"pool": 5}, "off": {}}
