"""Promotes, plans, rolls back, and tells what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.client import Api
from cli.console import err, out
from cli.options import Organization, Output, Wait
from cli.output import Format, age, moment, show_data, show_table
from cli.profile import Profile
from cli.watching import conclude, watch

Component = Annotated[str, typer.Argument(help="Name of the component.")]
Environment = Annotated[str, typer.Argument(help="Name of the environment.")]

pipeline_app = typer.Typer(no_args_is_help=True, help="The way of a component: show.")
hold_app = typer.Typer(no_args_is_help=True, help="Keep automation away: list, place, lift.")
veto_app = typer.Typer(no_args_is_help=True, help="Artifacts that must not come: list, lift.")

_MARKS = {
    "Open": ("✓", "good"),
    "Closed": ("✗", "bad"),
    "Unknown": ("?", "bad"),
    "Waiting": ("…", "busy"),
    "Pending": ("·", "quiet"),
    "Skipped": ("-", "warn"),
}


def promote(  # noqa: PLR0917 - typer calls by name
    component: Component,
    environment: Environment,
    source: Annotated[
        str, typer.Option("--from", help="Environment it comes from, if there are several.")
    ] = "",
    artifact: Annotated[
        str, typer.Option("--artifact", "-a", help="Artifact. Default: what runs in the source.")
    ] = "",
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would happen.")] = False,
    hotfix: Annotated[
        bool, typer.Option("--hotfix", help="Leave out what the pipeline lets a hotfix leave out.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; a hotfix needs one.")] = "",
    confirm: Annotated[
        str, typer.Option("--confirm", help="Open this manual gate of the promotion that waits.")
    ] = "",
    refuse: Annotated[
        str, typer.Option("--refuse", help="Close this manual gate of the promotion that waits.")
    ] = "",
    organization: Organization = "",
    wait: Wait = True,
    output: Output = Format.TABLE,
) -> None:
    """Bring what runs in one environment to the next, through the gates of its pipeline."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    order = {
        "organization": owner,
        "component": component,
        "environment": environment,
        "source": source,
        "artifact": artifact,
        "hotfix": hotfix,
        "reason": reason,
    }
    with Api(profile) as api:
        if confirm or refuse:
            word = {"gate": confirm or refuse, "passes": bool(confirm), "note": reason}
            api.post(f"/v1/promotions/{owner}/{component}/{environment}/confirmations", word)
            err().print(f"[good]✓[/good] told: gate {confirm or refuse}")
            return
        if plan:
            _show_plan(api.post("/v1/promotions", order, dryRun=True), output)
            return
        accepted = api.post("/v1/promotions", order)
        if not wait:
            out().print(accepted["id"], soft_wrap=True)
            return
        operation = watch(api, accepted["id"])
        code = conclude(operation)
        if code:
            found = api.get(f"/v1/promotions/{owner}/{component}/{environment}")
            _show_gates(found["gates"])
    raise typer.Exit(code)


def rollback(  # noqa: PLR0917 - typer calls by name
    component: Component,
    environment: Environment,
    to: Annotated[
        str, typer.Option("--to", help="Release to bring back. Default: the last verified one.")
    ] = "",
    bad: Annotated[
        str, typer.Option("--bad", help="Only while this release runs. Default: whatever runs.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it is written down.")] = "",
    organization: Organization = "",
    wait: Wait = True,
) -> None:
    """Bring back what did well before, with everything it had.

    It stays so: a hold keeps automation away and a veto the artifact, until you lift them.
    """
    profile = Profile()
    order = {
        "organization": profile.needs_organization(organization),
        "component": component,
        "environment": environment,
        "to": to,
        "bad": bad,
        "reason": reason,
    }
    with Api(profile) as api:
        accepted = api.post("/v1/rollbacks", order)
        if not wait:
            out().print(accepted["id"], soft_wrap=True)
            return
        operation = watch(api, accepted["id"])
    code = conclude(operation)
    result = operation.get("result") or {}
    if result.get("message"):
        err().print(result["message"], markup=False, soft_wrap=True)
    if not code and result.get("release"):
        place = f"{component} {environment}"
        err().print(f"[quiet]held: pavane hold lift {place}; pavane veto lift {place}[/quiet]")
    raise typer.Exit(code)


def why(
    component: Component,
    environment: Environment,
    artifact: Annotated[
        str, typer.Option("--artifact", "-a", help="Artifact. Default: what runs in the source.")
    ] = "",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Why it is not there yet: all that stands between, since when, until when, who can end it."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        path = f"/v1/components/{owner}/{component}/why/{environment}"
        found = api.get(path, artifact=artifact)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    if found["there"]:
        out().print(f"[good]✓[/good] {environment} runs {found['artifact'] or component}")
        return
    rows = [
        [one["what"], one["reason"], age(one["since"]), _until(one["until"]), one["who"]]
        for one in found["obstacles"]
    ]
    show_table(["what", "why", "since", "until", "who can end it"], rows, empty="nothing is known")
    if found["operation"]:
        err().print(f"[quiet]on its way: pavane operations watch {found['operation']}[/quiet]")


@pipeline_app.callback()
def _pipeline() -> None:
    """The way of a component through the environments."""


@pipeline_app.command("show")
def show_pipeline(
    component: Component, organization: Organization = "", output: Output = Format.TABLE
) -> None:
    """Draw the way of a component: what is where, and what must hold at each step."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/components/{owner}/{component}/pipeline")
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    out().print(f"[name]{found['component']}[/name] on pipeline {found['name']}")
    for problem in found["problems"]:
        out().print(f"[bad]✗[/bad] {problem}", soft_wrap=True)
    for line in _drawn(found):
        out().print(line, soft_wrap=True)


@hold_app.command("list")
def list_holds(organization: Organization = "", output: Output = Format.TABLE) -> None:
    """List places where nothing comes by itself."""
    items = [one for one in _standings(organization) if one["hold"]]
    if output in {Format.JSON, Format.YAML}:
        show_data(items, output)
        return
    rows = [
        [
            one["component"],
            one["environment"],
            one["hold"]["reason"],
            one["hold"]["by"] or "the platform",
            age(one["hold"]["since"]),
        ]
        for one in items
    ]
    columns = ["component", "environment", "why", "by", "since"]
    show_table(columns, rows, empty="nothing is held")


@hold_app.command("place")
def place_hold(
    component: Component,
    environment: Environment,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is shown.")],
    organization: Organization = "",
) -> None:
    """Keep automation away from a component in an environment."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        path = f"/v1/standings/{owner}/{component}/{environment}/hold"
        api.post(path, {"reason": reason})
    err().print(f"[good]✓[/good] {component} in {environment} is held")


@hold_app.command("lift")
def lift_hold(
    component: Component, environment: Environment, organization: Organization = ""
) -> None:
    """Let automation come to a component in an environment again."""
    _lift(component, environment, organization, {"hold": True})
    err().print(f"[good]✓[/good] {component} in {environment} is held no more")


@veto_app.command("list")
def list_vetoes(organization: Organization = "", output: Output = Format.TABLE) -> None:
    """List artifacts that must not come to an environment."""
    items = [(one, veto) for one in _standings(organization) for veto in one["vetoes"]]
    if output in {Format.JSON, Format.YAML}:
        places = ("component", "environment")
        show_data([{**{key: one[key] for key in places}, **veto} for one, veto in items], output)
        return
    rows = [
        [
            one["component"],
            one["environment"],
            veto["artifact"],
            veto["reason"],
            veto["by"] or "the platform",
            age(veto["since"]),
        ]
        for one, veto in items
    ]
    columns = ["component", "environment", "artifact", "why", "by", "since"]
    show_table(columns, rows, empty="nothing is vetoed")


@veto_app.command("lift")
def lift_veto(
    component: Component,
    environment: Environment,
    artifact: Annotated[
        str, typer.Argument(help="Artifact. Default: every one that is vetoed there.")
    ] = "",
    organization: Organization = "",
) -> None:
    """Let an artifact come to an environment again; it goes through the gates anew."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    names = [artifact]
    if not artifact:
        with Api(profile) as api:
            found = api.get(f"/v1/standings/{owner}/{component}/{environment}")
        names = [veto["artifact"] for veto in found["vetoes"]]
    for name in names:
        _lift(component, environment, organization, {"veto": name})
        err().print(f"[good]✓[/good] {name} may come to {environment} again")
    if not names:
        err().print(f"nothing is vetoed for {component} in {environment}")


def _lift(component: str, environment: str, organization: str, what: dict[str, Any]) -> None:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        api.post(f"/v1/standings/{owner}/{component}/{environment}/lift", what)


def _standings(organization: str) -> list[dict[str, Any]]:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        items: list[dict[str, Any]] = api.get("/v1/standings", organization=owner)["items"]
    return items


def _show_plan(plan: Mapping[str, Any], output: Format) -> None:
    if output in {Format.JSON, Format.YAML}:
        show_data(plan, output)
        return
    console = out()
    if plan["nothingToDo"]:
        console.print(f"[good]✓[/good] {plan['environment']} runs exactly this already")
        return
    what = plan["artifact"] or plan["component"]
    console.print(f"[name]{what}[/name]  {plan['source'] or '?'} → {plan['environment']}")
    _show_gates(plan["gates"])
    _show_list("needs the agreement of", plan["approvals"])
    _show_list("waits for", plan["waits"])
    if plan["problem"]:
        console.print(f"[bad]✗[/bad] cannot be rendered: {plan['problem']}", soft_wrap=True)
    _show_list(
        "changes",
        [
            f"{one['change']} {one['name']}"
            + (f": {', '.join(one['fields'][:5])}" if one["fields"] else "")
            for one in plan["changes"]
        ],
    )
    _show_list("who may talk", plan.get("network", ()))
    console.print(f"[quiet]bound to {plan['hash'][:16]}; nothing was done[/quiet]")


def _show_gates(gates: Iterable[Mapping[str, Any]]) -> None:
    for gate in gates:
        mark, style = _MARKS.get(gate["state"], ("·", "quiet"))
        line = Text.assemble(
            "  ", (mark, style), f" {gate['name']:<16} ", gate["reason"],
            (f"  (until {_until(gate['until'])})" if gate["until"] else "", "quiet"),
        )  # fmt: skip
        out().print(line, soft_wrap=True)
        if gate["who"] and gate["state"] not in {"Open", "Skipped"}:
            out().print(f"    [quiet]opened by {gate['who']}[/quiet]", soft_wrap=True)


def _show_list(title: str, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        if not number:
            out().print(f"  [quiet]{title}[/quiet]")
        out().print(f"    {line}", markup=False, soft_wrap=True)


def _drawn(found: Mapping[str, Any]) -> Iterable[str]:
    """Yields the environments from the first one on, each below those it is reached from."""
    stages = {one["environment"]: one for one in found["stages"]}
    steps: dict[str, list[Mapping[str, Any]]] = {}
    for step in found["steps"]:
        steps.setdefault(step["source"], []).append(step)
    targets = {step["target"] for step in found["steps"]}
    shown: set[str] = set()

    def below(environment: str, indent: str) -> Iterable[str]:
        for place, step in enumerate(steps.get(environment, [])):
            last = place + 1 == len(steps[environment])
            yield f"{indent}[quiet]{'└' if last else '├'}─[/quiet] {_rules(step)}"
            further = f"{indent}{'   ' if last else '[quiet]│[/quiet]  '}"
            yield f"{further}{_stage(stages.get(step['target']), step['target'])}"
            if step["target"] not in shown:
                shown.add(step["target"])
                yield from below(step["target"], further)

    for name, stage in stages.items():
        if name not in targets:
            yield _stage(stage, name)
            yield from below(name, "")


def _stage(stage: Mapping[str, Any] | None, name: str) -> str:
    if stage is None or not stage["version"]:
        return f"[name]{name}[/name]  [quiet]nothing runs[/quiet]"
    mark = "[good]✓[/good]" if stage["ready"] else "[bad]✗[/bad]"
    held = f"  [warn]held: {stage['held']}[/warn]" if stage["held"] else ""
    since = f" [quiet]({age(stage['since'])})[/quiet]" if stage["since"] else ""
    return f"{mark} [name]{name}[/name]  {stage['version']}{since}{held}"


def _rules(step: Mapping[str, Any]) -> str:
    parts = ["by itself" if step["mode"] == "Auto" else "by a person"]
    parts += [f"soak {step['soakSeconds']} s"] if step["soakSeconds"] else []
    parts += [f"gates {', '.join(step['gates'])}"] if step["gates"] else []
    parts += [f"approval {step['approval']}"] if step["approval"] else []
    parts += [f"watch {step['watchSeconds']} s"] if step["watchSeconds"] else []
    return f"[quiet]{'; '.join(parts)}[/quiet]"


def _until(text: str | None) -> str:
    then = moment(text)
    return then.strftime("%Y-%m-%d %H:%M") if then else ""
