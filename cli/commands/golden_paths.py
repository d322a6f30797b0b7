"""Checks and renders manifests, explains kinds and classes, shows quotas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.markup import escape

from cli.client import Api
from cli.console import out
from cli.errors import ExitCode, Problem
from cli.manifests import documents
from cli.options import Files, Organization, Output
from cli.output import Format, show_changes, show_data, show_table
from cli.profile import Profile

Component = Annotated[str, typer.Argument(help="Name of the component.")]
Environment = Annotated[str, typer.Option("--environment", "-e", help="Where it would run.")]
_DIFFERS = ("running", "changes", "pairs", "network", "notes")
"""What is told of a release that is compared with the one that runs."""
_STYLES = {"error": "bad", "warning": "warn"}


def validate(
    filename: Files,
    organization: Organization = "",
    strict: Annotated[
        bool,
        typer.Option("--strict", help="What the files name must be in the files."),
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Check files without a platform: fields, rules, templates of classes, references.

    Exits with 2 when there is an error. Warnings are references that lead out of the files.
    """
    from cli.validating import findings  # noqa: PLC0415 - loads all kinds

    owner = organization or Profile().organization.value or "default"
    read = list(documents(filename))
    found = findings(read, organization=owner, strict=strict)
    errors = sum(one.level == "error" for one in found)
    if output in {Format.JSON, Format.YAML}:
        show_data([one.as_dict() for one in found], output)
    else:
        for one in found:
            style = _STYLES[one.level]
            out().print(
                f"{escape(one.file)}:{one.line}: [{style}]{one.level}[/{style}] "
                f"[name]{escape(one.resource)}[/name] {escape(one.message)}",
                soft_wrap=True,
            )
        plural = "" if len(read) == 1 else "s"
        out().print(f"[quiet]{len(read)} manifest{plural}, {errors} errors[/quiet]")
    raise typer.Exit(ExitCode.USAGE if errors else ExitCode.DONE)


def render(  # noqa: PLR0917 - typer calls by name
    component: Component,
    environment: Environment,
    filename: Annotated[
        list[Path] | None,
        typer.Option("--filename", "-f", help="Render from files, without a platform."),
    ] = None,
    organization: Organization = "",
    diff: Annotated[
        bool, typer.Option("--diff", help="What differs from what runs, instead of manifests.")
    ] = False,
    present_class: Annotated[
        bool,
        typer.Option("--present-class", help="With the class as it is now, not as it was given."),
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show the Kubernetes objects a component becomes in an environment. Nothing is written."""
    profile = Profile()
    if filename:
        if diff:
            raise Problem(
                "--diff compares with what runs: leave --filename out",
                title="No diff of files",
                code=ExitCode.USAGE,
            )
        objects = _from_files(component, environment, filename, organization)
        _manifests(objects, output)
        return
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(
            f"/v1/components/{owner}/{component}/render",
            environment=environment,
            presentClass=present_class,
        )
    if not diff:
        _manifests(found["objects"], output)
        return
    if output in {Format.JSON, Format.YAML}:
        show_data({key: found.get(key, []) for key in _DIFFERS}, output)
        return
    show_changes(found["changes"], f"the same as {found['running']}, which runs")
    for one in found.get("pairs", ()):
        out().print(f"[quiet]who may talk[/quiet] {escape(one)}", soft_wrap=True)
    for one in found.get("network", ()):
        out().print(f"[quiet]way[/quiet] {escape(one)}", soft_wrap=True)
    for one in found.get("notes", ()):
        out().print(f"[warn]note[/warn] {escape(one)}", soft_wrap=True)


def _from_files(
    component: str, environment: str, filename: list[Path], organization: str
) -> list[dict[str, Any]]:
    from domain.errors import PlatformError  # noqa: PLC0415 - loads all kinds
    from domain.rendering.offline import Shelf, assemble  # noqa: PLC0415 - slow too
    from domain.rendering.release import render_release  # noqa: PLC0415 - slow too
    from domain.resources import API_VERSION, parse  # noqa: PLC0415 - slow too

    owner = organization or Profile().organization.value or "default"
    try:
        resources = [
            parse({**one.content, "metadata": {"namespace": owner, **one.content["metadata"]}})
            for one in documents(filename)
            if one.content.get("apiVersion") == API_VERSION and one.content.get("metadata")
        ]
        return list(render_release(assemble(Shelf(resources), component, environment)).objects)
    except PlatformError as error:
        raise Problem(error.message, title="Cannot render", code=ExitCode.USAGE) from error


def _manifests(objects: list[dict[str, Any]], output: Format) -> None:
    if output is Format.JSON:
        show_data(objects, output)
        return
    text = yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True, width=100)
    out().print(text.rstrip(), markup=False, soft_wrap=True)


def explain(
    path: Annotated[str, typer.Argument(help="Kind, or kind.field such as workload.spec.files.")],
    class_name: Annotated[
        str, typer.Option("--class", help="Explain this class of the platform: guide, parameters.")
    ] = "",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Explain a kind and its fields, or with --class a class and its parameters."""
    from cli.kinds_explained import explained, show  # noqa: PLC0415 - loads all kinds

    if class_name:
        _explain_class(path, class_name, organization, output)
        return
    found = explained(path)
    if output in {Format.JSON, Format.YAML}:
        show_data(found.as_dict(), output)
        return
    show(found)


def _explain_class(kind: str, name: str, organization: str, output: Format) -> None:
    profile = Profile()
    with Api(profile) as api:
        found = api.get(
            f"/v1/resources/{kind}/{name}", organization=profile.needs_organization(organization)
        )
    spec = found.get("spec") or {}
    schema = (spec.get("parameters") or {}).get("properties") or {}
    if output in {Format.JSON, Format.YAML}:
        show_data({"documentation": spec.get("documentation") or {}, "parameters": schema}, output)
        return
    told = spec.get("documentation") or {}
    out().print(
        f"[name]{escape(found['kind'])} {escape(name)}[/name] {spec.get('description', '')}"
    )
    for title in ("owner", "url"):
        if told.get(title):
            out().print(f"[quiet]{title}[/quiet] {escape(told[title])}", soft_wrap=True)
    if told.get("guide"):
        out().print(f"\n{told['guide'].rstrip()}\n", markup=False, soft_wrap=True)
    show_table(
        ["parameter", "type", "default", "meaning"],
        [
            [
                key,
                str(one.get("type", "")),
                "" if one.get("default") is None else str(one["default"]),
                str(one.get("description", "")),
            ]
            for key, one in sorted(schema.items())
        ],
        empty="the class has no parameters",
    )


def quota(organization: Organization = "", output: Output = Format.TABLE) -> None:
    """Show the quotas of organization, projects and environments, and what is used of them."""
    profile = Profile()
    with Api(profile) as api:
        found = api.get(f"/v1/quota/{profile.needs_organization(organization)}")["items"]
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    rows = [one for one in found if output is Format.WIDE or one["limit"] or _is_used(one)]
    show_table(
        ["scope", "resource", "used", "limit"],
        [[one["scope"], one["resource"], one["used"], one["limit"] or "-"] for one in rows],
        empty="nothing runs and nothing is bounded",
    )


def _is_used(one: dict[str, Any]) -> bool:
    return one["used"] not in {"0", "0Mi"}
