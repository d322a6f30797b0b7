"""The Helm chart by its files: values fit their schema, which tells every one of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml


@pytest.fixture
def chart(root: Path) -> Path:
    return root / "charts/pavane"


@pytest.fixture
def schema(chart: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((chart / "values.schema.json").read_text())
    return content


@pytest.fixture
def values(chart: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((chart / "values.yaml").read_text())
    return content


def undescribed(schema: dict[str, Any], where: str = "") -> list[str]:
    found = [] if schema.get("description") or "enum" in schema else [where]
    for name, one in schema.get("properties", {}).items():
        found += undescribed(one, f"{where}.{name}")
    return found + (undescribed(schema["items"], f"{where}[]") if "items" in schema else [])


def test_values_fit_the_schema_once_temporal_is_named(
    schema: dict[str, Any], values: dict[str, Any]
) -> None:
    values["temporal"]["address"] = "temporal:7233"
    jsonschema.Draft7Validator(schema).validate(values)
    for path, wrong in (("workers", [{"name": "x", "roles": ["root"], "replicas": 1}]), ("api", 3)):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft7Validator(schema).validate({**values, path: wrong})
    with pytest.raises(jsonschema.ValidationError, match="immage"):
        jsonschema.Draft7Validator(schema).validate({**values, "immage": {}})


def test_every_value_has_a_description_and_every_description_a_value(
    schema: dict[str, Any], values: dict[str, Any]
) -> None:
    assert undescribed(schema) == []
    assert set(schema["properties"]) - {"global"} == set(values)
    for name, value in values.items():
        if properties := schema["properties"][name].get("properties"):
            assert set(properties) == set(value), name


def test_the_chart_brings_the_definitions_of_this_tree(root: Path, chart: Path) -> None:
    assert (chart / "files/crds").resolve() == root / "crds"
    kubernetes = yaml.safe_load((chart / "Chart.yaml").read_text())
    assert kubernetes["appVersion"] == kubernetes["version"]
