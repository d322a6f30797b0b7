"""Shows the configuration of components: what it is, where it comes from, what differs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import Api
from cli.console import out
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output, Wait
from cli.output import Format, age, show_data, show_table
from cli.profile import Profile
from cli.watching import conclude, watch

Component = Annotated[str, typer.Argument(help="Name of the component.")]
Environment = Annotated[str, typer.Option("--environment", "-e", help="Where.")]


def effective(
    component: Component,
    environment: Environment,
    running: Annotated[
        bool, typer.Option("--running", help="As it runs, not as the groups say now.")
    ] = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show the configuration of a component in an environment, and where each value comes from.

    Values kept in Vault are shown by their path only. Exits with 1 when it cannot be used.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(
            f"/v1/components/{owner}/{component}/configuration",
            environment=environment,
            running=running,
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
    else:
        wide = output is Format.WIDE
        show_table(
            ["key", "value", "in the pod", "from", *(["laid over"] if wide else [])],
            [
                [
                    one["key"],
                    _value(one),
                    one["file"] or one["env"],
                    _origin(one["origin"]),
                    *([", ".join(map(_origin, one["overrides"]))] if wide else []),
                ]
                for one in found["entries"]
            ],
            empty=f"{component} has no configuration in {environment}",
        )
        _problems(found["problems"])
    raise typer.Exit(ExitCode.FAILED if found["problems"] else ExitCode.DONE)


def diff(
    before: Annotated[str, typer.Argument(help="Environment.")],
    after: Annotated[
        str, typer.Argument(help="The other one. Default: what runs against what is declared.")
    ] = "",
    component: Annotated[
        str, typer.Option("--component", "-c", help="Only this one. Default: all.")
    ] = "",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show which keys differ between two environments, or from what runs in one."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(
            f"/v1/configuration/{owner}/diff", before=before, after=after, component=component
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    show_table(
        ["component", "key", found["before"], found["after"]],
        [[one["component"], one["key"], one["before"], one["after"]] for one in found["items"]],
        empty="no key differs",
    )
    _problems(found["problems"])


Group = Annotated[str, typer.Argument(help="Name of the configuration group.")]


def history(group: Group, organization: Organization = "", output: Output = Format.TABLE) -> None:
    """Show the releases of a configuration group, newest first, and what became of them."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/configuration/{owner}/{group}/history")
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    wide = output is Format.WIDE
    show_table(
        ["#", "revision", "phase", "by", "age", "deployed", *(["message"] if wide else [])],
        [
            [
                str(one["number"]),
                one["revision"] + (" (present)" if one["revision"] == found["present"] else ""),
                one["phase"],
                one["by"],
                age(one["started"]),
                str(one["deployed"]),
                *([one["message"]] if wide else []),
            ]
            for one in found["items"]
        ],
        empty=f"{group} was not released yet",
    )


def release(
    group: Group,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show who would be deployed, and with which keys.")
    ] = False,
    wait: Wait = True,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Bring what a configuration group says to the components that use it.

    A change does so by itself; this is for what failed, or was attached later.
    """
    if plan:
        _plan(group, organization, output)
        return
    _released(group, {}, organization, wait=wait)


def rollback(
    group: Group,
    revision: Annotated[str, typer.Argument(help="Revision or number, of its history.")],
    wait: Wait = True,
    organization: Organization = "",
) -> None:
    """Have a configuration group say again what it said, and bring that to its components."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    wanted = revision
    if revision.isdigit():
        with Api(profile) as api:
            known = api.get(f"/v1/configuration/{owner}/{group}/history")["items"]
        found = [one["revision"] for one in known if str(one["number"]) == revision]
        if not found:
            raise Problem(
                f"{group} has no release {revision} in its history",
                title="Not found",
                code=ExitCode.NOT_FOUND,
            )
        wanted = found[0]
    _released(group, {"restore": wanted}, organization, wait=wait)


def _released(group: str, order: dict[str, str], organization: str, *, wait: bool) -> None:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        accepted = api.post(f"/v1/configuration/{owner}/{group}/releases", order)
        if not wait:
            out().print(accepted["id"], soft_wrap=True)
            return
        code = conclude(watch(api, accepted["id"]))
    raise typer.Exit(code)


def _plan(group: str, organization: str, output: Format) -> None:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/configuration/{owner}/{group}/plan")
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    show_table(
        ["component", "environment", "keys", "approval"],
        [
            [
                one["component"],
                one["environment"],
                ", ".join(one["keys"]),
                "yes" if one["approval"] else "no",
            ]
            for one in found["items"]
        ],
        empty="nobody would be deployed",
    )
    for one in found["left"]:
        out().print(f"[warn]left as it is[/warn] {escape(one)}", soft_wrap=True)
    _problems(found["problems"])


def _problems(problems: list[str]) -> None:
    for one in problems:
        out().print(f"[bad]{escape(one)}[/bad]", soft_wrap=True)


def _value(one: dict[str, Any]) -> str:
    if one["vaultKey"]:
        return f"vault:{one['vaultKey']}"
    first, newline, _ = str(one["value"]).partition("\n")
    return f"{first} ..." if newline else first


def _origin(one: dict[str, Any]) -> str:
    where = f" for {one['saidFor']}" if one["saidFor"] else ""
    return f"{one['name']}{where}"
