"""What runs by the clock: list, pause, resume, trigger; and the health it tells of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import Api
from cli.console import err, out
from cli.errors import ExitCode
from cli.options import Organization, Output
from cli.output import Format, age, lasted, moment, show_data, show_table
from cli.profile import Profile

app = typer.Typer(
    no_args_is_help=True, help="What runs by the clock: list, pause, resume, trigger."
)
ScheduleId = Annotated[
    str, typer.Argument(metavar="KIND/NAME", help="As `schedules list` shows it.")
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it is written down.")]


@app.command("list")
def list_schedules(organization: Organization = "", output: Output = Format.TABLE) -> None:
    """List looks at health and rotations of secrets, with their next and last time."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/schedules/{owner}")["items"]
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    columns = ["schedule", "every", "next", "last", "state", "what"]
    rows = [_row(one) for one in found]
    if output is Format.WIDE:
        columns = [*columns, "began"]
        rows = [[*row, one["lastWorkflow"]] for row, one in zip(rows, found, strict=True)]
    show_table(columns, rows, empty="nothing runs by the clock")


def _row(one: dict[str, Any]) -> list[str]:
    every = one["everySeconds"]
    return [
        f"{one['kind']}/{one['name']}",
        lasted(every) if every else "by calendar",
        _ahead(one["nextAt"]),
        f"{age(one['lastAt'])} ago" if one["lastAt"] else "never",
        "paused" if one["paused"] else "active",
        one["note"],
    ]


def _ahead(text: str | None) -> str:
    then = moment(text)
    left = (then - datetime.now(UTC)).total_seconds() if then else -1
    return f"in {lasted(max(left, 0))}" if then else ""


@app.command()
def pause(schedule: ScheduleId, reason: Reason, organization: Organization = "") -> None:
    """Let nothing begin by itself until somebody resumes it (administrators)."""
    done = _change(schedule, "pause", reason, organization)
    _say(done, f"{schedule} is paused", f"{schedule} was paused already")


@app.command()
def resume(schedule: ScheduleId, reason: Reason = "", organization: Organization = "") -> None:
    """Let it begin by itself again; what was missed is not made up for."""
    done = _change(schedule, "resume", reason, organization)
    _say(done, f"{schedule} goes on", f"{schedule} was not paused")


@app.command()
def trigger(schedule: ScheduleId, reason: Reason = "", organization: Organization = "") -> None:
    """Begin it once, now, also while it is paused."""
    done = _change(schedule, "trigger", reason, organization)
    _say(done, f"{schedule} begins", "")


def _change(schedule: str, act: str, reason: str, organization: str) -> dict[str, Any]:
    kind, slash, name = schedule.partition("/")
    if not slash or kind not in {"sweep", "rotation"} or not name or "/" in name:
        message = f"{schedule!r} is no schedule: write sweep/ENVIRONMENT or rotation/NAME"
        raise typer.BadParameter(message)
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        path = f"/v1/schedules/{owner}/{kind}/{name}/{act}"
        answer: dict[str, Any] = api.post(path, {"reason": reason})
    return answer


def _say(done: dict[str, Any], changed: str, same: str) -> None:
    if done["changed"]:
        err().print(f"[good]✓[/good] {changed}")
    else:
        err().print(f"[quiet]{same}: {escape(done['note'])}[/quiet]", soft_wrap=True)


def health(
    environment: Annotated[str, typer.Argument(help="Name of the environment.")],
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Tell how all that runs in an environment is; the exit code is 1 when something is unwell."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/resources/environments/{environment}", organization=owner)
    status = found.get("status", {})
    told = next((one for one in status.get("conditions", ()) if one["type"] == "Healthy"), None)
    is_unknown = told is None or told["status"] == "Unknown"
    if output in {Format.JSON, Format.YAML}:
        show_data({"condition": told, "subjects": status.get("health", [])}, output)
    elif is_unknown:
        wanted = found.get("spec", {}).get("health") is not None
        advice = "the first look comes" if wanted else "set spec.health of the Environment"
        err().print(f"[quiet]nobody looked yet: {advice}[/quiet]")
    elif told is not None:
        well = told["status"] == "True"
        out().print(
            f"[{'good' if well else 'bad'}]{told['reason']}[/] {escape(told['message'])}",
            soft_wrap=True,
        )
        _subjects(status.get("health", []))
    is_unwell = told is not None and told["status"] == "False"
    raise typer.Exit(ExitCode.FAILED if is_unwell else ExitCode.DONE)


def _subjects(found: list[dict[str, Any]]) -> None:
    rows = [
        [
            one["subject"],
            "unsteady" if one.get("unsteady") else "well" if one["healthy"] else "unwell",
            age(one["since"]),
            one.get("message", "") or one.get("reason", ""),
        ]
        for one in sorted(found, key=lambda each: (each["healthy"], each["subject"]))
    ]
    if rows:
        show_table(["what", "state", "for", "why"], rows, empty="")
