"""Sets, describes, shows and rotates secrets. Values come by prompt, standard input or file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import Api
from cli.commands.expiry import expiring
from cli.commands.leaks import leak
from cli.console import err, out
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output, Wait
from cli.output import Format, age, show_data, show_table
from cli.profile import Profile
from cli.times import moment_of
from cli.watching import conclude, watch

app = typer.Typer(
    no_args_is_help=True,
    help="Secrets: set, list, describe, history, readers, show, rotate, leak, expiring.",
)
rotation_app = typer.Typer(
    no_args_is_help=True, help="A rotation that runs: status, hold, resume, rollback."
)
app.add_typer(rotation_app, name="rotation")
app.command("leak")(leak)
app.command("expiring")(expiring)
SecretPath = Annotated[
    str, typer.Argument(metavar="PATH", help="PROJECT/ENVIRONMENT/NAME, as `secret list` shows.")
]
Rotation = Annotated[str, typer.Argument(metavar="ROTATION", help="Name of the SecretRotation.")]
_NEVER = "never"
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it is written down.")]


@app.command("set")
def set_secret(  # noqa: PLR0917 - typer calls by name
    path: SecretPath,
    fields: Annotated[
        list[str] | None, typer.Argument(help="Fields to set. Default: `value`.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Take the one value from a file.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Have the pods that use it begin anew.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is written down.")] = "",
    expires: Annotated[
        str, typer.Option("--expires", help="2027-01-31, 90d from now, or never.")
    ] = "",
    owner: Annotated[
        str, typer.Option("--owner", help="Group, or email, that is told before it expires.")
    ] = "",
    organization: Organization = "",
) -> None:
    """Set fields of a secret.

    Each value is asked for; without a terminal standard input is the one value. A value is never an
    argument: others would see it.
    """
    profile = Profile()
    where = profile.needs_organization(organization)
    names = fields or ["value"]
    for name in names:
        if "=" in name:
            raise Problem("a value is no argument: others would see it", code=ExitCode.USAGE)
    body = {
        "path": path,
        "values": _values(names, file),
        "restart": restart,
        "reason": reason,
        "owner": owner,
        "neverExpires": expires == _NEVER,
        "expires": moment_of("" if expires == _NEVER else expires, "--expires"),
    }
    with Api(profile) as api:
        done = api.post(f"/v1/secrets/{where}/set", body)
    users = ", ".join(done["consumers"]) or "nobody uses it yet"
    state = users if done["delivered"] else "it is still being delivered"
    err().print(f"[good]✓[/good] {escape(path)} version {done['version']}  {escape(state)}")


@app.command("list")
def list_secrets(
    below: Annotated[str, typer.Argument(help="Only those below this.")] = "",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """List the paths of secrets; never a value."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/secrets/{owner}", below=below)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    show_table(["path"], [[one] for one in found["items"]], empty="no secrets")


@app.command()
def describe(
    path: SecretPath, organization: Organization = "", output: Output = Format.TABLE
) -> None:
    """Show versions and the names of the fields of a secret; never a value."""
    found = _entry(path, organization)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    rows = [
        ["project", found["project"] or "all"],
        ["environment", found["environment"] or "all"],
        ["version in use", str(found["version"])],
        ["fields", ", ".join(found["fields"])],
        ["rotating", "yes" if found["rotating"] else "no"],
        ["expires", found.get("expires") or "not known"],
        ["owner", found.get("owner") or "nobody named"],
    ]
    show_table(["", path], rows, empty="")


@app.command()
def history(
    path: SecretPath, organization: Organization = "", output: Output = Format.TABLE
) -> None:
    """Show the versions of a secret: when, which is in use, which are destroyed."""
    found = _entry(path, organization)
    if output in {Format.JSON, Format.YAML}:
        show_data({"items": found["versions"]}, output)
        return
    show_table(
        ["version", "age", "state", "in use"],
        [
            [str(one["version"]), age(one["created"]), one["state"], "✓" if one["inUse"] else ""]
            for one in reversed(found["versions"])
        ],
        empty="no versions",
    )


@app.command()
def readers(
    path: SecretPath,
    days: Annotated[int, typer.Option("--days", "-d", min=1, max=366, help="How far back.")] = 7,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show which roles read a secret, when and from where, from OpenBao's audit log.

    `pavane-api` reads for people: which of them saw a value and why is in `pavane audit list`.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/secrets/{owner}/readers", secret=path, days=days)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    show_table(
        ["role", "from", "times", "refused", "first", "last"],
        [
            [
                one["role"],
                one["address"],
                str(one["times"]),
                str(one["refused"]),
                age(one["first"]),
                age(one["last"]),
            ]
            for one in found["items"]
        ],
        empty="nobody read it",
    )


@app.command()
def show(
    path: SecretPath,
    reason: Reason,
    field: Annotated[str, typer.Option("--field", help="Which field.")] = "value",
    version: Annotated[int, typer.Option("--version", help="0 = the one in use.")] = 0,
    organization: Organization = "",
) -> None:
    """Print one value. Administrators only; who saw it and why is in the audit trail."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    body = {"path": path, "field": field, "version": version, "reason": reason}
    with Api(profile) as api:
        found = api.post(f"/v1/secrets/{owner}/show", body)
    sys.stdout.write(found["value"] + ("\n" if sys.stdout.isatty() else ""))


@app.command()
def rotate(rotation: Rotation, organization: Organization = "", wait: Wait = True) -> None:
    """Turn a secret over as its SecretRotation says; one that runs already is joined."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        accepted = api.post(f"/v1/rotations/{owner}/{rotation}", {})
        if not wait:
            out().print(accepted["id"], soft_wrap=True)
            return
        code = conclude(watch(api, accepted["id"]))
    raise typer.Exit(code)


@rotation_app.command()
def status(
    rotation: Rotation, organization: Organization = "", output: Output = Format.TABLE
) -> None:
    """Show versions, consumers and who still uses the old credential."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/rotations/{owner}/{rotation}")
        operation = api.get(f"/v1/operations/{found['id']}")
    if output in {Format.JSON, Format.YAML}:
        show_data({**found, "phase": operation["phase"], "steps": operation["steps"]}, output)
        return
    waiting = operation.get("waitingFor") or {}
    rows = [
        ["phase", operation["phase"]],
        ["secret", found["path"]],
        ["versions", f"{found['before']} to {found['version'] or '?'}"],
        ["consumers", ", ".join(found["consumers"]) or "none found"],
        ["users of the old", ", ".join(found["usersOfOld"]) or "none seen"],
        ["waits for", waiting.get("what", "")],
        ["held by", found["heldBy"]],
        ["can be rolled back", "yes" if found["canRollBack"] else "no"],
    ]
    show_table(["", rotation], rows, empty="")
    show_table(
        ["step", "phase", "message"],
        [[one["name"], one["phase"], one["message"]] for one in operation["steps"]],
        empty="",
    )


@rotation_app.command()
def hold(rotation: Rotation, reason: Reason, organization: Organization = "") -> None:
    """Hold a rotation at its next safe point; everything that works goes on working."""
    _hold(rotation, organization, reason, holds=True)


@rotation_app.command()
def resume(rotation: Rotation, reason: Reason, organization: Organization = "") -> None:
    """Let a held rotation go on."""
    _hold(rotation, organization, reason, holds=False)


@rotation_app.command()
def rollback(rotation: Rotation, reason: Reason, organization: Organization = "") -> None:
    """Bring the old credential back to everyone; possible until it is destroyed."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.post(f"/v1/rotations/{owner}/{rotation}/rollback", {"reason": reason})
        code = conclude(watch(api, found["id"]))
    raise typer.Exit(code)


def _hold(rotation: str, organization: str, reason: str, *, holds: bool) -> None:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        body = {"holds": holds, "reason": reason}
        found = api.post(f"/v1/rotations/{owner}/{rotation}/hold", body)
    said = f"held by {found['heldBy']}" if found["heldBy"] else "it goes on"
    err().print(f"[good]✓[/good] {escape(rotation)}: {escape(said)}")


def _entry(path: str, organization: str) -> Any:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        return api.get(f"/v1/secrets/{owner}/entry", secret=path)


def _values(names: list[str], file: Path | None) -> dict[str, str]:
    if file is not None or not sys.stdin.isatty():
        if len(names) != 1:
            raise Problem(
                "a file or standard input is one value: name one field", code=ExitCode.USAGE
            )
        text = file.read_text() if file is not None else sys.stdin.read()
        return {names[0]: text.removesuffix("\n")}
    return {name: typer.prompt(name, hide_input=True, confirmation_prompt=True) for name in names}
