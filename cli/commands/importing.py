"""`pavane import`: our resources made of what others declare, without a platform."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import err
from cli.errors import ExitCode, Problem
from cli.manifests import documents
from cli.options import Files, Organization
from cli.profile import Profile


def import_resources(
    filename: Files,
    organization: Organization = "",
    project: Annotated[
        str, typer.Option("--project", help="Project of Deployments, which have none.")
    ] = "default",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when something has no counterpart.")
    ] = False,
) -> None:
    """Make resources of OpenChoreo files, or of Deployments and Services; nothing is applied.

    Reads openchoreo.dev/v1alpha1 (Project, Environment, DeploymentPipeline, Component, Workload,
    ComponentType, ReleaseBinding), apps/v1 Deployments and v1 Services. Writes YAML to standard
    output and what has no counterpart to standard error, by object and field.
    """
    import yaml  # noqa: PLC0415 - slow to load

    from domain.errors import InvalidRequest  # noqa: PLC0415 - loads all kinds
    from domain.importing import converted  # noqa: PLC0415 - loads all kinds

    owner = organization or Profile().organization.value or "default"
    read = [one.content for one in documents(filename)]
    try:
        made = converted(read, organization=owner, project=project)
    except InvalidRequest as error:
        raise Problem(error.message, title="Cannot import", code=ExitCode.USAGE) from error
    typer.echo(yaml.safe_dump_all(made.resources, sort_keys=False), nl=False)
    for one in made.lost:
        where = f" {one.field}" if one.field else ""
        err().print(f"{one.source}{where}: {one.why}", markup=False, soft_wrap=True)
    count = f"{len(read)} read, {len(made.resources)} made, {len(made.lost)} without counterpart"
    err().print(f"[quiet]{count}[/quiet]")
    raise typer.Exit(ExitCode.FAILED if strict and made.lost else ExitCode.DONE)
