"""Shows plans and gates of promotions to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.markup import escape
from rich.text import Text

from cli.console import out
from cli.output import Format, lasted, moment, show_data

_MARKS = {
    "Open": ("✓", "good"),
    "Closed": ("✗", "bad"),
    "Unknown": ("?", "bad"),
    "Waiting": ("…", "busy"),
    "Pending": ("·", "quiet"),
    "Skipped": ("-", "warn"),
}


def show_plan(plan: Mapping[str, Any], output: Format) -> None:
    """Shows what a promotion would do and wait for."""
    if output in {Format.JSON, Format.YAML}:
        show_data(plan, output)
        return
    console = out()
    if plan["nothingToDo"]:
        console.print(f"[good]✓[/good] {plan['environment']} runs exactly this already")
        return
    what = plan["artifact"] or plan["component"]
    console.print(f"[name]{what}[/name]  {plan['source'] or '?'} → {plan['environment']}")
    show_gates(plan["gates"])
    _show_list("needs the agreement of", plan["approvals"])
    _show_list("who may give it", [", ".join(plan["approvers"])] if plan.get("approvers") else [])
    _show_list("the approval that is open", [plan["approval"]] if plan.get("approval") else [])
    _show_list("waits for", plan["waits"])
    usual = plan.get("usualSeconds", {})
    _show_list("usually takes there", [f"{part} {lasted(usual[part])}" for part in usual])
    if plan["problem"]:
        problem = escape(plan["problem"])
        console.print(f"[bad]✗[/bad] cannot be rendered: {problem}", soft_wrap=True)
    if plan.get("refused"):
        refused = escape(plan["refused"])
        console.print(f"[bad]✗[/bad] would be refused as things are: {refused}", soft_wrap=True)
    _show_list(
        "changes",
        [
            f"{one['change']} {one['name']}"
            + (f": {', '.join(one['fields'][:5])}" if one["fields"] else "")
            for one in plan["changes"]
        ],
    )
    _show_list("configuration", plan.get("configuration", ()))
    _show_list("who may talk", plan.get("pairs", ()))
    _show_list("ways that open or close", plan.get("network", ()))
    show_missing(plan)
    console.print(f"[quiet]nothing was done; bound to {plan['hash']}[/quiet]", soft_wrap=True)


def show_gates(gates: Iterable[Mapping[str, Any]]) -> None:
    """Shows what each gate says, and who opens those that are not open."""
    for gate in gates:
        mark, style = _MARKS.get(gate["state"], ("·", "quiet"))
        line = Text.assemble(
            "  ", (mark, style), f" {gate['name']:<16} ", gate["reason"],
            (f"  (until {until(gate['until'])})" if gate["until"] else "", "quiet"),
        )  # fmt: skip
        out().print(line, soft_wrap=True)
        if gate["who"] and gate["state"] not in {"Open", "Skipped"}:
            out().print(f"    [quiet]opened by {gate['who']}[/quiet]", soft_wrap=True)


def show_missing(answer: Mapping[str, Any]) -> None:
    """Shows what could not be looked at, so that nobody takes the answer for complete."""
    for one in answer.get("notLookedAt", ()):
        out().print(f"[warn]![/warn] not looked at: {escape(one)}", soft_wrap=True)


def _show_list(title: str, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        if not number:
            out().print(f"  [quiet]{title}[/quiet]")
        out().print(f"    {line}", markup=False, soft_wrap=True)


def until(text: str | None) -> str:
    """Returns a moment as people read it; empty = none."""
    then = moment(text)
    return then.strftime("%Y-%m-%d %H:%M") if then else ""
