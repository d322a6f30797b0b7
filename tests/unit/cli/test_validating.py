"""Checks of files without a platform, and renderings from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app
from cli.manifests import documents

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
GOOD = """\
apiVersion: choreo.dev/v1alpha1
kind: Project
metadata:
  name: shop
spec:
  deploymentPipelineRef: standard-pipeline
"""
BAD = """\
# a comment
apiVersion: choreo.dev/v1alpha1
kind: Component
metadata:
  name: web
spec:
  componentOwner:
    projectRef: shop
  componentType: Gizmo
  colour: red
---
apiVersion: choreo.dev/v1alpha1
kind: ServiceClass
metadata:
  name: fast
spec:
  labels:
    tier: ${1 +}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAVANE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("PAVANE_ORGANIZATION", raising=False)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def test_a_fault_is_told_with_file_and_line(home: Path) -> None:
    file = home / "bad.yaml"
    file.write_text(BAD)
    code, text = run("validate", "-f", str(file), "-o", "json")
    found = [(one["line"], one["level"], one["message"]) for one in json.loads(text)]
    assert code == 2
    assert [(line, level) for line, level, _ in found if level == "error"] == [
        (9, "error"),
        (10, "error"),
        (18, "error"),
    ]
    assert "spec.colour: unknown field" in [message for *_, message in found]


def test_a_reference_that_leads_out_of_the_files_is_a_warning_or_strictly_an_error(
    home: Path,
) -> None:
    file = home / "good.yaml"
    file.write_text(GOOD)
    code, text = run("validate", "-f", str(file))
    assert code == 0
    assert "good.yaml:6: warning Project/shop spec.deploymentPipelineRef names" in text
    code, _ = run("validate", "-f", str(file), "--strict")
    assert code == 2


def test_the_same_resource_twice_is_an_error(home: Path) -> None:
    file = home / "twice.yaml"
    file.write_text(f"{GOOD}---\n{GOOD}")
    code, text = run("validate", "-f", str(file))
    assert code == 2
    assert "is declared at" in text


def test_what_is_no_yaml_is_told_with_its_line(home: Path) -> None:
    file = home / "no.yaml"
    file.write_text("a: b\nc: [\n")
    done = CliRunner().invoke(app, ["validate", "-f", str(file)])
    assert f"{file}:" in str(done.exception)


def test_the_examples_are_valid_and_complete(home: Path) -> None:
    folders = ("platform", "promotion", "demo", "types", "configuration")
    text = "---\n".join(
        path.read_text().replace("${PAVANE_GIT__URL}", "http://git.example.org")
        for folder in folders
        for path in sorted((ROOT / "examples" / folder).glob("*.yaml"))
    )
    (home / "all.yaml").write_text(text)
    code, told = run("validate", "--strict", "-f", str(home / "all.yaml"))
    assert (code, told.splitlines()[-1].endswith("0 errors")) == (0, True), told


def test_the_line_of_an_entry_of_a_list_is_known(home: Path) -> None:
    file = home / "list.yaml"
    file.write_text("spec:\n  env:\n    - name: A\n    - name: B\n      value: c\n")
    (document,) = documents([file])
    assert document.line_of("spec.env[1].value") == 5
    assert document.line_of("spec.env[1].missing") == 4
    assert document.line_of("nothing") == 1


def test_a_component_is_rendered_from_files_alone(home: Path) -> None:
    demo = (ROOT / "examples/demo/20-web.yaml").read_text()
    (home / "web.yaml").write_text(demo.replace("${PAVANE_GIT__URL}", "http://git.example.org"))
    shown = ("platform", "promotion", "demo/10-project.yaml", "demo/30-database.yaml")
    files = [str(ROOT / "examples" / one) for one in shown]
    options = [part for file in [*files, str(home / "web.yaml")] for part in ("-f", file)]
    code, text = run("render", "web", "-e", "development", "-n", "acme", *options)
    assert code == 0
    kinds = [one["kind"] for one in yaml.safe_load_all(text)]
    assert kinds[0] == "Namespace"
    assert {"Deployment", "Service", "HTTPRoute"} <= set(kinds)


def test_a_kind_and_a_field_are_explained() -> None:
    code, text = run("explain", "scheduledtask.spec.schedule", "-o", "json")
    assert code == 0
    assert "cron" in [one["field"] for one in json.loads(text)["fields"]]
    code, text = run("explain", "webapp")
    assert code == 0
    assert "WebApplication" in text


def test_a_field_that_is_not_there_is_told_with_those_that_are() -> None:
    done = CliRunner().invoke(app, ["explain", "project.spec.colour"])
    assert "there are" in str(done.exception)
