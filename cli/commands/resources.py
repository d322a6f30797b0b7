"""Applies, lists, describes and deletes resources."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer
import yaml
from rich.markup import escape

from cli.client import Api
from cli.console import out
from cli.errors import ExitCode, Problem
from cli.manifests import documents
from cli.options import Files, Organization, Output
from cli.output import Format, age, at, show_data, show_table
from cli.profile import Profile

Kind = Annotated[str, typer.Argument(help="Kind, plural or short name, such as components.")]
_ORGANIZATIONS = {"organization", "organizations", "org", "orgs"}
_NAME: dict[str, Any] = {"name": "Name", "path": ".metadata.name", "type": "string"}
_AGE: dict[str, Any] = {"name": "Age", "path": ".metadata.creationTimestamp", "type": "date"}
_STYLES = {"created": "good", "configured": "warn", "unchanged": "quiet"}


def apply(
    filename: Files,
    organization: Organization = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, write nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take over fields of other managers.")
    ] = False,
) -> None:
    """Create or change resources from files.

    Files may hold many documents; a folder means the YAML and JSON files in it. The order does
    not matter. Equal content changes nothing.
    """
    profile = Profile()
    found = [one.content for one in documents(filename)]
    if not found:
        raise Problem("the files hold no manifest", title="Nothing to apply", code=ExitCode.USAGE)
    with Api(profile) as api:
        result = api.post(
            "/v1/apply",
            found,
            organization=organization or profile.organization.value,
            dryRun=dry_run,
            force=force,
        )
    note = " (dry run)" if dry_run else ""
    for one in result["items"]:
        style = _STYLES.get(one["outcome"], "")
        name = f"{one['kind'].lower()}/{one['name']}"
        out().print(f"{name} [{style}]{one['outcome']}{note}[/{style}]", soft_wrap=True)


def get(
    kind: Kind,
    name: Annotated[str, typer.Argument(help="One resource. Default: all.")] = "",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """List resources of a kind, or show one."""
    profile = Profile()
    owner = _owner(profile, kind, organization)
    with Api(profile) as api:
        if name and output in {Format.JSON, Format.YAML}:
            show_data(api.get(f"/v1/resources/{kind}/{name}", organization=owner), output)
            return
        listed = api.get(f"/v1/resources/{kind}", organization=owner)
    if output in {Format.JSON, Format.YAML}:
        show_data(listed["items"], output)
        return
    items = [one for one in listed["items"] if name in {"", one["metadata"]["name"]}]
    if name and not items:
        raise Problem(
            f"there is no {listed['kind']} {name}" + (f" in {owner}" if owner else ""),
            title="Not found",
            code=ExitCode.NOT_FOUND,
        )
    _table(listed, items, wide=output is Format.WIDE, where=owner)


def describe(
    kind: Kind,
    name: Annotated[str, typer.Argument(help="Name of the resource.")],
    organization: Organization = "",
) -> None:
    """Show a resource with its conditions and what is waited for."""
    profile = Profile()
    owner = _owner(profile, kind, organization)
    with Api(profile) as api:
        found = api.get(f"/v1/resources/{kind}/{name}", organization=owner)
    metadata, state = found["metadata"], dict(found.get("status") or {})
    conditions = state.pop("conditions", ())
    console = out()
    place = f" in {metadata['namespace']}" if metadata.get("namespace") else ""
    born = age(metadata.get("creationTimestamp"))
    console.print(
        f"[name]{escape(found['kind'])} {escape(metadata['name'])}[/name]{escape(place)}"
        f"  [quiet]{born} old, generation {metadata.get('generation', 1)}[/quiet]"
    )
    _block("labels", metadata.get("labels"))
    _block("annotations", metadata.get("annotations"))
    _block("spec", found.get("spec"))
    _block("status", state)
    if conditions:
        console.print("\n[quiet]conditions[/quiet]")
        show_table(
            ["type", "status", "reason", "since", "message"],
            [
                [
                    one["type"],
                    one["status"],
                    one.get("reason", ""),
                    age(one.get("lastTransitionTime")),
                    one.get("message", ""),
                ]
                for one in conditions
            ],
            empty="",
        )


def delete(
    *,
    kind: Kind,
    name: Annotated[str, typer.Argument(help="Name of the resource.")],
    organization: Organization = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go, and delete nothing.")
    ] = False,
    anyway: Annotated[
        bool,
        typer.Option("--anyway", help="Also when others use it: it goes when they do not."),
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Delete a resource with what is part of it; what runs is taken down first.

    What others use is refused: --dry-run tells who.
    """
    profile = Profile()
    owner = _owner(profile, kind, organization)
    path = f"/v1/resources/{kind}/{name}"
    where = f" in {owner}" if owner else ""
    with Api(profile) as api:
        if dry_run:
            _show_deletion(api.get(f"{path}/deletion", organization=owner), output)
            return
        if not yes and sys.stdin.isatty():
            _show_deletion(api.get(f"{path}/deletion", organization=owner), Format.TABLE)
            typer.confirm(f"Delete {kind} {name}{where}?", abort=True)
        answer = api.delete(path, organization=owner, anyway=anyway)
    if not answer:
        out().print(f"{kind}/{name} [warn]deleted[/warn]")
        return
    look = f"pavane operations show {answer['operation']}"
    out().print(f"{kind}/{name} [warn]is being taken down[/warn]: {look}", soft_wrap=True)


def _show_deletion(plan: Mapping[str, Any], output: Format) -> None:
    """Shows what a deletion would do."""
    if output is not Format.TABLE:
        show_data(plan, output)
        return
    show_table(
        ["removes", "name", "besides"],
        [[one["kind"], one["name"], one["what"]] for one in plan["removes"]],
        empty="",
    )
    for one in plan["waitsFor"]:
        out().print(f"[bad]waits[/bad]  {escape(one)}", soft_wrap=True)
    for one in plan["keeps"]:
        out().print(f"[quiet]stays[/quiet]  {escape(one)}", soft_wrap=True)


def _owner(profile: Profile, kind: str, organization: str) -> str:
    return "" if kind.lower() in _ORGANIZATIONS else profile.needs_organization(organization)


def _table(
    listed: Mapping[str, Any], items: list[dict[str, Any]], *, wide: bool, where: str
) -> None:
    columns = [_NAME, *(one for one in listed["columns"] if wide or not one["wide"])]
    if all(one["name"] != _AGE["name"] for one in columns):
        columns.append(_AGE)
    place = f" in {where}" if where else ""
    show_table(
        [str(one["name"]) for one in columns],
        [[_cell(item, column) for column in columns] for item in items],
        empty=f"no {listed['kind']}{place}",
    )


def _cell(item: Mapping[str, Any], column: Mapping[str, Any]) -> str:
    cell = at(item, column["path"])
    if column["type"] == "date":
        return age(cell)
    return _short(column, cell).partition("\n")[0]


def _short(column: Mapping[str, Any], cell: str) -> str:
    """A whole commit id tells nobody more than its beginning."""
    return cell[:12] if column["name"] == "Commit" else cell


def _block(title: str, content: Mapping[str, Any] | None) -> None:
    if not content:
        return
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100).rstrip()
    console = out()
    console.print(f"\n[quiet]{title}[/quiet]")
    for line in text.splitlines():
        console.print(f"  {line}", markup=False, soft_wrap=True)
