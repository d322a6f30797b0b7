"""The CRDs are what the models say, and what Kubernetes demands of a structural schema."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from domain.resources import KINDS, Resource, parse
from domain.resources.crd import definition
from tests.unit.resources.broken import BROKEN
from tests.unit.resources.samples import resource

ROOT = Path(__file__).parents[3]
BUILT_IN = """
all apiservice cj cm cr crd cs csr deploy ds ep ev hpa ing limits netpol no ns pc pdb po psp pv pvc
quota rc rs sa sc sts svc wf cwf cwft wftmpl gw gc services deployments pods
"""

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def _schema(kind: type[Resource]) -> dict[str, Any]:
    (version,) = definition(kind)["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]  # type: ignore[no-any-return]


def _parts(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from _parts(part, f"{path}.{name}")
    if "items" in schema:
        yield from _parts(schema["items"], f"{path}[]")


def _script() -> Any:
    path = ROOT / "scripts/generate_crds.py"
    specification = importlib.util.spec_from_file_location("generate_crds", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_files_are_what_the_models_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert _script().main(["--check"]) == 0, capsys.readouterr().out


def test_a_stale_file_is_told_and_repaired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main, here = _script().main, ["--folder", str(tmp_path)]
    assert main(here) == 0
    (tmp_path / "builds.yaml").write_text("old: true\n")
    (tmp_path / "gizmos.yaml").write_text("of: a kind that is gone\n")
    capsys.readouterr()
    assert main(["--check", *here]) == 1
    told = capsys.readouterr().out
    assert "crds/builds.yaml is not what the models say" in told
    assert "gizmos.yaml" in told
    assert main(here) == 0
    assert main(["--check", *here]) == 0
    assert not (tmp_path / "gizmos.yaml").exists()


@kinds
def test_a_schema_is_structural(kind: type[Resource]) -> None:
    for path, part in _parts(_schema(kind)):
        if part.get("x-kubernetes-int-or-string"):
            assert part["anyOf"] == [{"type": "integer"}, {"type": "string"}], path
            continue
        assert "type" in part, path
        assert not {"$ref", "anyOf", "oneOf", "allOf", "title", "$defs"} & set(part), path


@kinds
def test_every_field_is_explained(kind: type[Resource]) -> None:
    unexplained = [
        path
        for path, part in _parts(_schema(kind))
        if not part.get("description")
        and "[]" not in path[-2:]
        and not path.startswith(".metadata")
    ]
    assert unexplained == []


@kinds
def test_every_field_is_bounded_so_that_rules_are_cheap(kind: type[Resource]) -> None:
    bounds = {"maxLength", "enum", "format", "pattern"}
    for path, part in _parts(_schema(kind)):
        if part.get("type") == "string" and not path.startswith((".apiVersion", ".kind")):
            assert bounds & set(part), path
        if part.get("type") == "array":
            assert "maxItems" in part, path


@kinds
def test_a_status_has_no_defaults(kind: type[Resource]) -> None:
    status = _schema(kind)["properties"]["status"]
    assert [path for path, part in _parts(status) if "default" in part] == []


@kinds
def test_entries_of_a_keyed_list_have_their_key(kind: type[Resource]) -> None:
    for path, part in _parts(_schema(kind)):
        for key in part.get("x-kubernetes-list-map-keys", ()):
            entry = part["items"]
            assert key in entry.get("required", ()) or "default" in entry["properties"][key], path


@kinds
def test_a_kind_can_be_listed_with_its_neighbours_and_says_how_it_is(kind: type[Resource]) -> None:
    spec = definition(kind)["spec"]
    assert spec["names"]["categories"] == ["pavane"]
    assert spec["versions"][0]["subresources"] == {"status": {}}
    columns = [column["name"] for column in spec["versions"][0]["additionalPrinterColumns"]]
    assert {"Ready", "Phase", "Health", "Commit"} & set(columns)
    assert "Age" in columns
    assert len(columns) == len(set(columns))


@kinds
def test_a_column_shows_a_field_that_exists(kind: type[Resource]) -> None:
    paths = {path.replace("[]", "[*]") for path, _ in _parts(_schema(kind))}
    for column in kind.columns:
        if ".status.conditions[" not in column.path:
            assert column.path in paths, column.name


def test_names_are_told_apart_from_each_other_and_from_kubernetes() -> None:
    names = [name for kind in KINDS.values() for name in kind.short_names]
    assert len(names) == len(set(names))
    assert not set(names) & set(BUILT_IN.split())
    assert not set(names) & {
        name for kind in KINDS.values() for name in (kind.plural, kind.kind.lower())
    }


def test_the_example_of_each_kind_fits_its_schema(example: dict[str, Any]) -> None:
    jsonschema.validate(example, _schema(KINDS[example["kind"]]))
    jsonschema.validate(parse(example).to_dict(), _schema(KINDS[example["kind"]]))


def test_every_rule_about_a_value_is_broken_by_some_test() -> None:
    told = {
        rule["message"]
        for kind in KINDS.values()
        for _, part in _parts(_schema(kind))
        for rule in part.get("x-kubernetes-validations", ())
        if "oldSelf" not in rule["rule"]
    }
    untested = [one for one in told if not any(message in one for _, _, message in BROKEN)]
    assert untested == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*/*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_valid(path: Path) -> None:
    text = path.read_text().replace("${PAVANE_GIT__URL}", "http://127.0.0.1:3000")
    for content in yaml.safe_load_all(text):
        parse(content)
        jsonschema.validate(content, _schema(KINDS[content["kind"]]))


def test_a_default_is_valid_by_its_own_schema() -> None:
    for kind in KINDS.values():
        for _, part in _parts(_schema(kind)):
            if "default" in part and "required" not in part:
                jsonschema.validate(part["default"], part)


def test_a_resource_with_a_long_name_does_not_fit() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(resource("Project", name="a" * 64), _schema(KINDS["Project"]))
