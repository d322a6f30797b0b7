"""``pavane secret``: what it asks the API for, what it prints, and what it never takes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.commands import expiry, leaks, secrets
from cli.errors import ExitCode, Problem
from cli.main import app

pytestmark = pytest.mark.unit

VALUE = "canary-31aa"
PLAN = {
    "hash": "h1",
    "expectedSeconds": 60,
    "entries": [
        {"path": "shop/production/db", "rotation": "db", "engine": "Database", "skips": ["owners"],
         "consumers": ["web in production"], "expectedSeconds": 60},
    ],
    "byHand": [],
    "silentPlanes": [],
}  # fmt: skip
WAITS = {
    "id": "leak/acme/shop/all", "project": "shop", "plan": PLAN, "awaitsConfirmation": True,
    "secrets": [], "message": "", "endedAt": None,
}  # fmt: skip
REPLACED = {
    "path": "shop/production/db", "outcome": "Replaced", "before": 1, "version": 2,
    "consumers": ["web in production"], "message": "", "begun": None, "ended": None,
}  # fmt: skip
ENDED = {
    **WAITS, "awaitsConfirmation": False, "secrets": [REPLACED],
    "endedAt": "2026-11-27T03:00:00Z", "message": "1 secrets were replaced",
}  # fmt: skip


class _Api:
    """Remembers what it is asked, and answers what the test says."""

    answers: ClassVar[dict[str, list[Any]]] = {}
    asked: ClassVar[list[tuple[str, Any]]] = []

    def __init__(self, _profile: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, path: str, **params: Any) -> Any:
        self.asked.append((f"GET {path}", params))
        return self._answer(path)

    def post(self, path: str, body: Any) -> Any:
        self.asked.append((f"POST {path}", body))
        return self._answer(path)

    def _answer(self, path: str) -> Any:
        answers = self.answers.get(path, [{}])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> type[_Api]:
    for module in (secrets, leaks, expiry):
        monkeypatch.setattr(module, "Api", _Api)
    monkeypatch.setattr(leaks, "watch", lambda _api, operation: {"id": operation})
    _Api.answers, _Api.asked = {}, []
    return _Api


def ran(*arguments: str, typed: str = "") -> Result:
    done = CliRunner().invoke(app, ["secret", *arguments, "-n", "acme"], input=typed)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_a_value_comes_from_standard_input_and_is_printed_nowhere(api: type[_Api]) -> None:
    api.answers["/v1/secrets/acme/set"] = [{"version": 3, "consumers": ["web"], "delivered": True}]

    done = ran("set", "shop/production/db", "password", "--restart", typed=f"{VALUE}\n")

    ((path, body),) = api.asked
    assert (path, body["values"]) == ("POST /v1/secrets/acme/set", {"password": VALUE})
    assert body["restart"]
    assert "version 3" in done.output
    assert VALUE not in done.output


@pytest.mark.parametrize(
    "arguments", [("shop/db", f"password={VALUE}"), ("shop/db", "user", "password")]
)
def test_a_value_as_an_argument_and_one_value_for_two_fields_are_refused(
    api: type[_Api], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(Problem) as refused:
        ran("set", *arguments, typed=VALUE)

    assert refused.value.code is ExitCode.USAGE
    assert VALUE not in str(refused.value)
    assert api.asked == []


def test_what_is_described_and_listed_can_be_read_by_programs(api: type[_Api]) -> None:
    entry = {"path": "shop/db", "version": 2, "fields": ["a"], "rotating": False, "versions": []}
    api.answers["/v1/secrets/acme/entry"] = [entry]
    api.answers["/v1/secrets/acme"] = [{"items": ["shop/db"]}]

    assert yaml.safe_load(ran("describe", "shop/db", "-o", "json").stdout) == entry
    assert yaml.safe_load(ran("list", "-o", "yaml").stdout) == {"items": ["shop/db"]}
    assert "shop/db" in ran("list").stdout


def test_the_history_of_a_secret_tells_which_version_is_in_use_and_which_is_gone(
    api: type[_Api],
) -> None:
    versions = [
        {"version": 1, "created": "2026-11-26T03:00:00Z", "state": "destroyed", "inUse": False},
        {"version": 2, "created": "2026-11-27T03:00:00Z", "state": "kept", "inUse": True},
    ]
    api.answers["/v1/secrets/acme/entry"] = [{"path": "shop/db", "versions": versions}]

    rows = [line.split() for line in ran("history", "shop/db").stdout.splitlines()]

    assert (rows[1][0], rows[1][-1]) == ("2", "✓")
    assert (rows[2][0], rows[2][-1]) == ("1", "destroyed")
    assert yaml.safe_load(ran("history", "shop/db", "-o", "json").stdout) == {"items": versions}


def test_a_value_is_shown_to_who_says_why_and_to_nobody_else(api: type[_Api]) -> None:
    api.answers["/v1/secrets/acme/show"] = [{"value": VALUE}]

    assert ran("show", "shop/db").exit_code == ExitCode.USAGE
    assert api.asked == []
    assert ran("show", "shop/db", "--reason", "it fails", "--version", "3").stdout == VALUE
    ((path, body),) = api.asked
    assert path == "POST /v1/secrets/acme/show"
    assert body == {"path": "shop/db", "field": "value", "version": 3, "reason": "it fails"}


@pytest.mark.parametrize(("phase", "code"), [("Succeeded", 0), ("Failed", 1)])
def test_a_rotation_is_followed_and_ends_as_it_ended(
    api: type[_Api], monkeypatch: pytest.MonkeyPatch, phase: str, code: int
) -> None:
    api.answers["/v1/rotations/acme/db"] = [{"id": "rotation/acme/db"}]
    followed: list[str] = []

    def watch(_api: object, operation: str) -> dict[str, Any]:
        followed.append(operation)
        times = {"started": "2026-11-27T03:00:00Z", "finished": "2026-11-27T03:01:00Z"}
        about = {"kind": "rotation", "component": "db", "environment": "", "commit": ""}
        return {"id": operation, "phase": phase, **about, **times}

    monkeypatch.setattr(secrets, "watch", watch)

    assert (ran("rotate", "db").exit_code != 0) == bool(code)
    assert ran("rotate", "db", "--no-wait").stdout.strip() == "rotation/acme/db"
    assert followed == ["rotation/acme/db"]


def test_a_rotation_tells_who_uses_the_old_credential_and_is_held_with_a_reason(
    api: type[_Api],
) -> None:
    told = {
        "id": "rotation/acme/db", "path": "shop/db", "before": 1, "version": 2,
        "consumers": ["web"],
        "usersOfOld": ["psql at 10.0.0.9"], "heldBy": "", "canRollBack": True,
    }  # fmt: skip
    api.answers["/v1/rotations/acme/db"] = [told]
    steps = [{"name": "observe", "phase": "Running", "message": ""}]
    operation = {"phase": "Running", "steps": steps}
    api.answers["/v1/operations/rotation/acme/db"] = [operation]
    api.answers["/v1/rotations/acme/db/hold"] = [{**told, "heldBy": "ada: a sale"}]

    shown = ran("rotation", "status", "db").stdout
    assert "psql at 10.0.0.9" in shown
    assert "1 to 2" in shown
    read = yaml.safe_load(ran("rotation", "status", "db", "-o", "yaml").stdout)
    assert read == {**told, **operation}
    assert "held by ada: a sale" in ran("rotation", "hold", "db", "--reason", "a sale").output
    assert api.asked[-1][1] == {"holds": True, "reason": "a sale"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2027-01-31T00:00+00:00", {"neverExpires": False}),
        ("never", {"neverExpires": True, "expires": None}),
    ],
)
def test_when_a_value_expires_and_who_is_told_goes_with_it(
    api: type[_Api], given: str, sent: dict[str, Any]
) -> None:
    api.answers["/v1/secrets/acme/set"] = [{"version": 1, "consumers": [], "delivered": True}]

    ran("set", "shop/db", "--expires", given, "--owner", "mail", typed=VALUE)

    ((_, body),) = api.asked
    assert sent.items() <= body.items()
    assert body["owner"] == "mail"
    assert (body["expires"] is None) == (given == "never")


def test_secrets_that_expire_and_their_readers_are_shown(api: type[_Api]) -> None:
    soon = {"path": "shop/db", "expires": "2026-12-01T00:00:00Z", "owner": ""}
    read = {
        "role": "pavane-plane", "address": "10.0.0.7", "times": 3, "refused": 0,
        "first": "2026-11-20T00:00:00Z", "last": "2026-11-27T00:00:00Z",
    }  # fmt: skip
    api.answers["/v1/secrets/acme/expiring"] = [{"items": [soon]}]
    api.answers["/v1/secrets/acme/readers"] = [{"items": [read]}]

    assert "nobody named" in ran("expiring", "--within", "9d").stdout
    assert yaml.safe_load(ran("readers", "shop/db", "-o", "json").stdout) == {"items": [read]}
    assert "pavane-plane" in ran("readers", "shop/db").stdout
    assert ("GET /v1/secrets/acme/expiring", {"within_days": 9}) in api.asked
    with pytest.raises(Problem, match="write days"):
        ran("expiring", "--within", "soon")


def test_a_leak_without_a_terminal_does_nothing_until_its_plan_is_confirmed(
    api: type[_Api],
) -> None:
    where = "/v1/leaks/acme/shop"
    api.answers[where] = [WAITS]
    with pytest.raises(Problem, match="--confirm h1"):
        ran("leak", "--project", "shop", "--reason", "a stolen laptop")
    assert [path for path, _ in api.asked] == [f"POST {where}", f"GET {where}"]

    api.asked.clear()
    api.answers[where] = [{}, WAITS, ENDED]
    done = ran("leak", "--project", "shop", "-r", "stolen", "--confirm", "h1", "-o", "json")

    confirmed = {"plan": "h1", "environment": ""}
    assert (f"POST {where}/confirm", confirmed) in api.asked
    assert yaml.safe_load(done.stdout)["secrets"] == [REPLACED]
    assert done.exit_code == 0


def test_a_plan_of_a_leak_tells_who_begins_anew_and_who_is_not_asked(api: type[_Api]) -> None:
    by_hand = [{"path": "shop/all/smtp", "consumers": []}]
    api.answers["/v1/leaks/acme/shop"] = [{**WAITS, "plan": {**PLAN, "byHand": by_hand}}]

    done = ran("leak", "--project", "shop", "--reason", "stolen", "--plan")

    told = done.stdout + done.stderr
    assert "owners" in told
    assert "web in production" in told
    assert "by hand shop/all/smtp" in told
    assert "--confirm h1" in told


def test_a_leak_of_which_something_is_left_ends_with_a_failure(api: type[_Api]) -> None:
    failed = {**REPLACED, "outcome": "Failed", "message": "OpenBao does not answer"}
    api.answers["/v1/leaks/acme/shop"] = [{**ENDED, "secrets": [failed]}]

    done = ran("leak", "--project", "shop", "--report")

    assert done.exit_code == 1
    assert "Failed" in done.stdout
