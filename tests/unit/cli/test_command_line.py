from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.errors import ExitCode, Problem
from cli.explaining import explained
from cli.lazy import LazyCommand
from cli.main import COMMANDS, app
from cli.manifests import documents
from cli.output import age, at, lasted, words
from cli.profile import Profile
from cli.watching import PlainView, _of_request
from settings import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PAVANE_API__URL", "PAVANE_TOKEN", "PAVANE_ORGANIZATION", "PAVANE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PAVANE_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path


def test_start_up_loads_neither_http_nor_settings_nor_the_stack() -> None:
    heavy = "{'httpx', 'pydantic', 'yaml', 'settings', 'temporalio', 'devstack'}"
    code = f"import sys, cli.main; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_can_be_loaded_and_explains_itself(name: str) -> None:
    command = LazyCommand(name, COMMANDS[name]).load()

    assert command.help


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output

    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, ExitCode.DENIED),
        (403, ExitCode.DENIED),
        (404, ExitCode.NOT_FOUND),
        (409, ExitCode.CONFLICT),
        (422, ExitCode.USAGE),
        (503, ExitCode.UNAVAILABLE),
        (500, ExitCode.FAILED),
    ],
)
def test_each_status_has_its_exit_code(status: int, code: ExitCode) -> None:
    assert Problem.from_answer(status, None, "GET /").code is code


def test_a_problem_document_becomes_what_where_why_and_what_to_do() -> None:
    problem = Problem.from_answer(
        409,
        {
            "type": "urn:pavane:problem:FieldConflict",
            "title": "Field conflict",
            "detail": "Component web in acme: conflict",
            "requestId": "r1",
            "facts": {".spec.x": "kubectl"},
        },
        "POST http://api/v1/apply",
    )

    assert problem.what == "Component web in acme: conflict"
    assert problem.where == "POST http://api/v1/apply (request r1)"
    assert problem.facts == {".spec.x": "kubectl"}
    assert "--force" in problem.advice


def test_a_token_is_kept_for_its_owner_only_and_by_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Profile().keep_token("secret", time.time() + 60)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Profile().token().value == "secret"
    monkeypatch.setenv("PAVANE_API__URL", "http://elsewhere")
    with pytest.raises(Problem, match="no token for http://elsewhere"):
        Profile().token()


def test_an_expired_token_is_said_to_be_expired() -> None:
    Profile().keep_token("secret", time.time() - 1)

    with pytest.raises(Problem, match="expired") as caught:
        Profile().token()
    assert caught.value.code is ExitCode.DENIED


def test_the_environment_wins_over_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    Profile().set_context("work", url="http://work/", organization="acme")
    assert (Profile().url.value, Profile().organization.value) == ("http://work", "acme")

    monkeypatch.setenv("PAVANE_ORGANIZATION", "other")
    assert Profile().organization.source == "PAVANE_ORGANIZATION"
    assert Profile().needs_organization("") == "other"
    assert Profile().needs_organization("given") == "given"


def test_a_context_keeps_what_is_not_changed() -> None:
    Profile().set_context("work", url="http://work", organization="acme")
    Profile().set_context("work", organization="other")

    assert Profile().url.value == "http://work"


def test_without_any_organization_the_way_out_is_told() -> None:
    with pytest.raises(Problem) as caught:
        Profile().needs_organization("")
    assert "--organization" in caught.value.advice


def test_every_setting_is_explained_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAVANE_API__LISTEN", "0.0.0.0:1")
    found = {one.variable: one for one in explained()}
    areas: list[Any] = [field.annotation for field in Settings.model_fields.values()]
    expected = sum(len(area.model_fields) for area in areas)

    assert len(found) == expected
    assert all(one.description for one in found.values())
    assert found["PAVANE_API__LISTEN"].source == "environment"
    assert found["PAVANE_API__URL"].source == "default"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0s"), (9.94, "9.9s"), (59, "59s"), (60, "1m"), (125, "2m05s"), (90000, "1d01h")],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert lasted(seconds) == text


def test_ages_count_from_now() -> None:
    then = datetime.now(UTC) - timedelta(hours=3, seconds=1)

    assert age(then.isoformat().replace("+00:00", "Z")) == "3h"
    assert age(None) == ""


def test_columns_find_fields_and_conditions() -> None:
    item = {"spec": {"on": True}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}

    assert at(item, ".spec.on") == "yes"
    assert at(item, '.status.conditions[?(@.type=="Ready")].status') == "False"
    assert at(item, '.status.conditions[?(@.type=="Other")].status') == ""
    assert at(item, ".spec.none.deeper") == ""
    assert words(["a", {"b": 1}]) == "a, b=1"


def test_manifests_come_from_files_with_many_documents_and_from_folders(home: Path) -> None:
    (home / "b.yaml").write_text("kind: B\n---\n---\nkind: C\n")
    (home / "a.json").write_text(json.dumps({"kind": "List", "items": [{"kind": "A"}]}))
    (home / "notes.txt").write_text("no manifest")

    assert [one.content["kind"] for one in documents([home])] == ["A", "B", "C"]


@pytest.mark.parametrize("text", ["- a", "a: [", "just words"])
def test_what_is_no_manifest_is_a_usage_error(home: Path, text: str) -> None:
    (home / "x.yaml").write_text(text)

    with pytest.raises(Problem) as caught:
        list(documents([home / "x.yaml"]))
    assert caught.value.code is ExitCode.USAGE


def operation(**changes: Any) -> dict[str, Any]:
    step = {"name": "apply", "phase": "Running", "message": "", "started": None, "finished": None}
    return {
        "id": "deploy/a/b/c",
        "phase": "Running",
        "finished": None,
        "queue": [],
        "steps": [step],
        "deployments": [],
        "waitingFor": {"what": "ready pods"},
        **changes,
    }


def test_plain_lines_say_each_thing_once() -> None:
    text = StringIO()
    view = PlainView(Console(file=text, width=100))
    view.update(operation())
    view.update(operation())

    assert text.getvalue() == "apply  running  waiting for ready pods\n"


def test_plain_lines_tell_each_reason_of_a_retry_once() -> None:
    text = StringIO()
    view = PlainView(Console(file=text, width=100))
    for attempt in (2, 3):
        retry = {"what": "apply web-1", "attempt": attempt, "message": "no answer"}
        view.update(operation(retrying=[retry]))

    assert text.getvalue().count("tried again: apply web-1, attempt 2: no answer") == 1
    assert "attempt 3" not in text.getvalue()


def test_a_request_is_done_when_its_own_deployment_is() -> None:
    mine = {"requestId": "r1", "phase": "Succeeded", "reason": "", "message": ""}

    assert _of_request(operation(), "r1") is None
    done = _of_request(operation(deployments=[mine], phase="Running"), "r1")
    assert done is not None
    assert done["phase"] == "Succeeded"


def test_a_failed_request_with_others_behind_it_is_told_at_once() -> None:
    mine = {"requestId": "r1", "phase": "Failed", "reason": "Crash", "message": "it crashed"}

    assert _of_request(operation(deployments=[mine]), "r1") is None
    done = _of_request(operation(deployments=[mine], queue=["r2"]), "r1")
    assert done is not None
    assert done["failure"] == {"type": "Crash", "message": "it crashed"}


def test_an_area_that_does_not_exist_is_refused_with_those_there_are() -> None:
    refused = CliRunner().invoke(app, ["config", "explain", "nosuch"])

    assert isinstance(refused.exception, Problem)
    assert refused.exception.code is ExitCode.USAGE
    assert "kubernetes" in refused.exception.advice


@pytest.mark.parametrize("name", ["config", "stack", "operations"])
def test_groups_have_no_switches_for_completion_of_their_own(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"]).output

    assert "--help" in shown
    assert "completion" not in shown


def test_what_needs_a_stack_names_the_one_that_does_not_run() -> None:
    refused = CliRunner().invoke(app, ["stack", "env", "--name", "never-was"])

    assert refused.exit_code == ExitCode.FAILED
    assert "start it: pavane stack up --name never-was" in refused.stderr


@pytest.mark.parametrize("path", ["nosuch/events", "build/acme/web/x", "nosuch"])
def test_an_operation_that_is_not_there_is_named_with_where_the_others_are(path: str) -> None:
    where = f"GET http://api/v1/operations/{path}"
    problem = Problem.from_answer(404, {"detail": "GET ...: Not Found"}, where)

    assert problem.what == f"there is no operation {path.removesuffix('/events')}"
    assert problem.code is ExitCode.NOT_FOUND
    assert "pavane operations list" in problem.advice


@pytest.mark.parametrize(
    ("typed", "found"),
    [("pavane operat", "operations"), ("pavane operations wa", "watch"),
     ("pavane get --ou", "--output"), ("pavane stack up --prof", "--profile")],
)  # fmt: skip
def test_what_is_typed_in_a_shell_is_completed(typed: str, found: str) -> None:
    asked = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "cli"],
        env={**os.environ, **asked, "_PAVANE_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == [found]
