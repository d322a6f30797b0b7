"""Configuration of components and settings: of the platform, and of the person."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from cli.commands import configuration
from cli.console import out
from cli.errors import ExitCode, Problem
from cli.options import Output
from cli.output import Format, lasted, show_data
from cli.profile import Profile, folder

app = typer.Typer(
    no_args_is_help=True,
    help="Configuration of components: effective, diff, history, release, rollback. "
    "Settings: explain, view, set-context.",
)
for _command in (
    configuration.effective,
    configuration.diff,
    configuration.history,
    configuration.release,
    configuration.rollback,
):
    app.command()(_command)


@app.command()
def explain(
    area: Annotated[str, typer.Argument(help="Only of this area, such as api.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Explain every setting of the platform: type, default, present value and its source."""
    from cli.explaining import explained, show  # noqa: PLC0415 - loads all settings

    settings = list(explained())
    found = [one for one in settings if one.area == area or not area]
    if not found:
        areas = sorted({one.area for one in settings})
        raise Problem(
            f"there is no area {area!r} of settings",
            title="Which settings?",
            advice=f"Name one of: {', '.join(areas)}.",
            code=ExitCode.USAGE,
        )
    if output in {Format.JSON, Format.YAML}:
        show_data([one.as_dict() for one in found], output)
        return
    show(found)


@app.command()
def view(output: Output = Format.TABLE) -> None:
    """Show which API and organization commands use, and why."""
    profile = Profile()
    expires = profile.expires()
    left = (expires or 0) - time.time()
    token = (f"expires in {lasted(left)}" if left > 0 else "expired") if expires else "none"
    rows = {
        "context": (profile.context, str(folder() / "contexts.json")),
        "url": (profile.url.value, profile.url.source),
        "organization": (profile.organization.value or "-", profile.organization.source),
        "token": (token, str(folder() / "tokens.json") if expires else "pavane login"),
    }
    if output in {Format.JSON, Format.YAML}:
        content = {name: {"value": value, "source": why} for name, (value, why) in rows.items()}
        show_data({**content, "contexts": profile.contexts}, output)
        return
    for name, (value, why) in rows.items():
        out().print(f"[quiet]{name:<13}[/quiet]{value}  [quiet]({why})[/quiet]", soft_wrap=True)
    others = [name for name in profile.contexts if name != profile.context]
    if others:
        out().print(f"[quiet]{'others':<13}[/quiet]{', '.join(others)}")


@app.command("set-context")
def set_context(
    name: Annotated[str, typer.Argument(help="Context. Default: the current one.")] = "",
    url: Annotated[str, typer.Option("--url", help="Where its API is.")] = "",
    organization: Annotated[
        str, typer.Option("--organization", "-n", help="Its organization.")
    ] = "",
) -> None:
    """Make a context, change it, or go to it."""
    profile = Profile()
    chosen = name or profile.context
    profile.set_context(chosen, url=url, organization=organization)
    now = Profile()
    shown = now.organization.value or "no organization"
    out().print(f"context [name]{chosen}[/name]: {now.url.value}, {shown}", soft_wrap=True)
