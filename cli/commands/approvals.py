"""Lists, shows and decides approvals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import Api
from cli.console import err, out
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output
from cli.output import Format, age, lasted, moment, show_data, show_table
from cli.profile import Profile

app = typer.Typer(
    no_args_is_help=True,
    help="What waits for people: list, show, approve, reject, comment, delegate, sign.",
)

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="As `approvals list` shows it.")]
Hash = Annotated[
    str,
    typer.Option("--hash", help="Decide only about this hash. Default: what is shown now."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether to go on.")]
_OUTCOMES = {"approved": "good", "rejected": "bad", "expired": "warn", "void": "warn"}


@app.command("list")
def list_approvals(
    everything: Annotated[
        bool, typer.Option("--all", "-A", help="Also what others decide and what is over.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=200, help="How many.")] = 50,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--all-organizations",
            "-E",
            help="Of all organizations in which you have a part; so it is too where none is set.",
        ),
    ] = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """List what waits for your decision, newest first."""
    profile = Profile()
    one = "" if everywhere else organization or profile.organization.value
    with Api(profile) as api:
        page = api.get(
            "/v1/approvals",
            organization=one,
            mine=not everything,
            closed=everything,
            limit=limit,
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(page["items"], output)
        return
    columns = ["subject", "asked", "state", "age", "left", "by"]
    rows = [_row(item) for item in page["items"]]
    if not one:
        columns.insert(0, "organization")
        rows = [[item["organization"], *_row(item)] for item in page["items"]]
    show_table(columns, rows, empty="nothing waits for you" if not everything else "no approvals")
    if page["nextPage"]:
        err().print("[quiet]there are more: raise --limit[/quiet]")


def _row(item: Mapping[str, Any]) -> list[str]:
    state = item["outcome"] or f"{item['approvals']} of {item['quorum']}"
    left = "" if item["outcome"] else _left(item["expires"])
    by = item["requester"] or "automation"
    return [item["subject"], item["asked"], state, age(item["opened"]), left, by]


def _left(text: str | None) -> str:
    then = moment(text)
    return lasted((then - datetime.now(UTC)).total_seconds()) if then else ""


def _until(text: str | None) -> str:
    then = moment(text)
    return f"{then.astimezone():%a %Y-%m-%d %H:%M} ({_left(text)} left)" if then else ""


@app.command()
def show(subject: Subject, output: Output = Format.TABLE) -> None:
    """Show an approval: what is asked, who said what, what is missing."""
    with Api(Profile()) as api:
        approval = api.get(f"/v1/approvals/{subject}")
    if output in {Format.JSON, Format.YAML}:
        show_data(approval, output)
        return
    _describe(approval)


@app.command()
def approve(
    subject: Subject,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is written down.")] = "",
    bound: Hash = "",
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Approve exactly what is shown; when it changes before you answer, nothing is decided."""
    _decide(subject, "approve", reason, bound, yes=yes, output=output)


@app.command()
def reject(
    subject: Subject,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is written down.")],
    bound: Hash = "",
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Reject it; one rejection ends it."""
    _decide(subject, "reject", reason, bound, yes=yes, output=output)


def _decide(
    subject: str, decision: str, reason: str, bound: str, *, yes: bool, output: Format
) -> None:
    with Api(Profile()) as api:
        approval = api.get(f"/v1/approvals/{subject}")
        _same(approval, bound)
        if not yes and output in {Format.TABLE, Format.WIDE}:
            _describe(approval)
            typer.confirm(f"{decision}?", abort=True, err=True)
        answer = api.post(f"/v1/approvals/{subject}/decision", _order(approval, decision, reason))
    if output in {Format.JSON, Format.YAML}:
        show_data(answer, output)
        return
    mark = "[good]✓[/good]" if decision == "approve" else "[bad]✗[/bad]"
    err().print(f"{mark} counted: {escape(answer['message'])}")


def _order(approval: Mapping[str, Any], decision: str, reason: str) -> dict[str, Any]:
    return {
        "decision": decision,
        "reason": reason,
        "hash": approval["hash"],
        "round": approval["round"],
    }


def _same(approval: Mapping[str, Any], bound: str) -> None:
    if bound and bound != approval["hash"]:
        raise Problem(
            f"what is asked is {approval['hash']} by now, not {bound}",
            title="Changed",
            advice=f"Look again: `pavane approvals show {approval['subject']}`.",
            code=ExitCode.CONFLICT,
        )


@app.command()
def comment(
    subject: Subject,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you want to say.")],
) -> None:
    """Say something without deciding."""
    with Api(Profile()) as api:
        api.post(f"/v1/approvals/{subject}/comments", {"text": text})
    err().print("[good]✓[/good] said")


@app.command()
def delegate(
    subject: Subject,
    to: Annotated[str, typer.Option("--to", help="Email or subject of who decides instead.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is written down.")] = "",
) -> None:
    """Let somebody decide by your right, for this approval."""
    with Api(Profile()) as api:
        api.post(f"/v1/approvals/{subject}/delegation", {"to": to, "reason": reason})
    err().print(f"[good]✓[/good] {escape(to)} may decide instead of you")


@app.command()
def sign(
    subject: Subject,
    decision: Annotated[str, typer.Argument(metavar="approve|reject")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is written down.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Sign a decision for Temporal's CLI or UI; it decides nothing yet and holds for minutes."""
    if decision not in {"approve", "reject"}:
        raise Problem("say approve or reject", title="Wrong usage", code=ExitCode.USAGE)
    with Api(Profile()) as api:
        approval = api.get(f"/v1/approvals/{subject}")
        signed = api.post(f"/v1/approvals/{subject}/signature", _order(approval, decision, reason))
    if output in {Format.JSON, Format.YAML}:
        show_data(signed, output)
        return
    out().print(signed["command"], markup=False, soft_wrap=True)
    minutes = signed["expiresInSeconds"] // 60
    err().print(
        f"[quiet]in Temporal's UI: Update or Signal `decide` of {signed['workflowId']}, with what "
        f"stands behind --input; it holds for {minutes} minutes[/quiet]",
        soft_wrap=True,
    )


def _describe(approval: Mapping[str, Any]) -> None:
    console = out()
    outcome = approval["outcome"]
    style = _OUTCOMES.get(outcome, "busy")
    console.print(f"[b]{escape(approval['asked'])}[/b]")
    state = escape(approval["message"] or "nobody decided yet")
    console.print(f"[{style}]{outcome or 'open'}[/{style}]  {state}")
    facts = {
        "subject": approval["subject"],
        "hash": f"{approval['hash']} (round {approval['round']})",
        "artifact": approval["artifact"],
        "asked by": approval["requester"] or "automation",
        "authors": ", ".join(approval["authors"]),
        "who may": ", ".join(approval["groups"]) or "whoever may approve there",
        "until": "" if outcome else _until(approval["expires"]),
        "you": approval["barred"],
    }
    for name, value in facts.items():
        if value:
            console.print(f"  [quiet]{name:<9}[/quiet] {escape(str(value))}")
    for vote in approval["votes"]:
        mark = "[bad]✗[/bad]" if vote["decision"] == "reject" else "[good]✓[/good]"
        mark = "[warn]-[/warn]" if vote["void"] else mark
        behalf = f" for {vote['onBehalfOf']}" if vote["onBehalfOf"] else ""
        words = f"{vote['who']}{behalf}, {age(vote['at'])} ago: {vote['reason']}"
        void = f" (void: {vote['void']})" if vote["void"] else ""
        console.print(f"  {mark} {escape(words)}[quiet]{escape(void)}[/quiet]")
    for kind, mark in (("delegations", "→"), ("comments", "“"), ("refused", "[warn]![/warn]")):
        for one in approval[kind]:
            console.print(f"  {mark} {escape(one['who'])}: {escape(one['text'])}")
    if approval["details"]:
        console.print()
        console.print(approval["details"], markup=False)
