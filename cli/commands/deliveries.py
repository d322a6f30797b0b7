"""Builds, deploys, and tells which version is where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err, out
from cli.options import At, Expires, Organization, Output, Wait
from cli.output import Format, age, show_data, show_table, styled
from cli.profile import Profile
from cli.times import moment_of
from cli.watching import conclude, watch

Component = Annotated[str, typer.Argument(help="Name of the component.")]


def build(
    component: Component,
    revision: Annotated[
        str, typer.Option("--revision", "-r", help="Branch, tag or commit. Default: its branch.")
    ] = "",
    organization: Organization = "",
    wait: Wait = True,
) -> None:
    """Build a revision of a component.

    A commit is built once: if it was built before, that build is shown.
    """
    profile = Profile()
    order = {
        "organization": profile.needs_organization(organization),
        "component": component,
        "revision": revision,
    }
    with Api(profile) as api:
        accepted = api.post("/v1/builds", order)
        if not wait:
            _ordered(accepted)
            return
        operation = watch(api, accepted["id"], passing=not _is_build(accepted))
        started = (operation.get("result") or {}) if operation["kind"] == "build-request" else {}
        if started.get("workflowId"):
            _commit(started)
            run = f"/{started['runId']}" if started["runId"] else ""
            operation = watch(api, f"{started['workflowId']}{run}")
        code = conclude(operation)
    _hint_after_build(operation)
    raise typer.Exit(code)


def deploy(  # noqa: PLR0917 - typer calls by name
    component: Component,
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where it is to run.")],
    artifact: Annotated[
        str, typer.Option("--artifact", "-a", help="Artifact. Default: what the binding names.")
    ] = "",
    organization: Organization = "",
    force: Annotated[
        bool, typer.Option("--force", help="Take over fields of other managers.")
    ] = False,
    at: At = "",
    expires: Expires = "",
    wait: Wait = True,
) -> None:
    """Deploy a component to an environment.

    What runs already is not rolled out again. A deployment that fails is undone. One that waits
    for its time (`--at`) holds up no other; Ctrl-C leaves it waiting, `operations cancel` ends it.
    """
    profile = Profile()
    order = {
        "organization": profile.needs_organization(organization),
        "component": component,
        "environment": environment,
        "artifact": artifact,
        "forceConflicts": force,
        "notBefore": moment_of(at, "--at"),
        "expires": moment_of(expires, "--expires"),
    }
    with Api(profile) as api:
        accepted = api.post("/v1/deployments", order)
        if accepted.get("position"):
            err().print(f"[quiet]place {accepted['position']} in the queue[/quiet]")
        if not wait:
            _ordered(accepted)
            return
        operation = watch(api, accepted["id"], until_request=accepted["requestId"] or "")
    code = conclude(operation)
    if url := (operation.get("result") or {}).get("url"):
        out().print(url, soft_wrap=True)
    raise typer.Exit(code)


def status(
    component: Component, organization: Organization = "", output: Output = Format.TABLE
) -> None:
    """Which version of a component is where, and why not a newer one."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/components/{owner}/{component}/status")
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    _headline(found)
    columns = ["environment", "version", "newest", "ready", "since", "url", "why"]
    if output is Format.WIDE:
        columns += ["artifact", "wanted", "operation"]
    show_table(
        columns,
        [_place(place, wide=output is Format.WIDE) for place in found["environments"]],
        empty="the component is bound to no environment and its pipeline has none",
    )


def _headline(found: Mapping[str, Any]) -> None:
    console = out()
    console.print(
        f"[name]{found['component']}[/name] in {found['organization']}/{found['project']}"
    )
    if found["repository"]:
        console.print(f"[quiet]source[/quiet]  {found['repository']} ({found['branch']})")
    newest = f"{found['newestVersion']} ({found['newest']})" if found["newest"] else "none yet"
    console.print(f"[quiet]newest[/quiet]  {newest}")
    if last := found["lastBuild"]:
        console.print("[quiet]build [/quiet]  ", end="")
        console.print(styled(last["phase"]), last["commit"][:12], last["message"], markup=False)
    console.print()


def _place(place: Mapping[str, Any], *, wide: bool) -> list[str]:
    why = ": ".join(part for part in (place["reason"], place["message"]) if part)
    said = [] if place["ready"] and place["current"] else why.splitlines()[:1]
    said += [place["drift"]] if place.get("drift") else []
    row = [
        place["environment"],
        place["version"] or "-",
        "yes" if place["current"] else "no",
        "yes" if place["ready"] else "no",
        age(place["since"]),
        place["url"],
        "; ".join(said),
    ]
    return [*row, place["artifact"], place["wanted"], place["operation"]] if wide else row


def _is_build(accepted: Mapping[str, Any]) -> bool:
    """Tells whether the order is the build itself, not a request that finds its commit first."""
    return str(accepted["workflowId"]).startswith("build/")


def _ordered(accepted: Mapping[str, Any]) -> None:
    out().print(accepted["id"], soft_wrap=True)
    err().print(f"[quiet]watch it: pavane operations watch {accepted['id']}[/quiet]")


def _commit(started: Mapping[str, Any]) -> None:
    again = " (built before)" if started.get("existing") else ""
    err().print(f"[quiet]commit {started['commit'][:12]}{again}[/quiet]")


def _hint_after_build(operation: Mapping[str, Any]) -> None:
    result = operation.get("result") or {}
    if result.get("artifact"):
        out().print(result["artifact"], soft_wrap=True)
    if result.get("binding"):
        err().print(f"[quiet]being deployed: pavane status {operation['component']}[/quiet]")
