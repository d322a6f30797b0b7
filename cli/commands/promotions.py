"""Promotes, plans, rolls back, and tells what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import Api
from cli.console import err, out
from cli.options import At, Expires, Organization, Output, Wait
from cli.output import Format, age, show_data, show_table
from cli.profile import Profile
from cli.promotion_views import show_gates, show_missing, show_plan, until
from cli.times import moment_of
from cli.watching import conclude, watch

Component = Annotated[str, typer.Argument(help="Name of the component.")]
Environment = Annotated[str, typer.Argument(help="Name of the environment.")]

Source = Annotated[str, typer.Option("--from", help="Where it comes from, if there are several.")]
Artifact = Annotated[
    str, typer.Option("--artifact", "-a", help="Artifact. Default: what runs in the source.")
]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Only say what would happen.")]
Hotfix = Annotated[
    bool, typer.Option("--hotfix", help="Leave out what the pipeline lets a hotfix leave out.")
]
Confirm = Annotated[
    str, typer.Option("--confirm", help="Open this manual gate of the promotion that waits.")
]
Refuse = Annotated[
    str, typer.Option("--refuse", help="Close this manual gate of the promotion that waits.")
]


def promote(  # noqa: PLR0917 - typer calls by name
    component: Component,
    environment: Environment,
    source: Source = "",
    artifact: Artifact = "",
    plan: PlanOnly = False,
    hotfix: Hotfix = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; a hotfix needs one.")] = "",
    at: At = "",
    expires: Expires = "",
    confirm: Confirm = "",
    refuse: Refuse = "",
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
        "notBefore": moment_of(at, "--at"),
        "expires": moment_of(expires, "--expires"),
    }
    with Api(profile) as api:
        if confirm or refuse:
            word = {"gate": confirm or refuse, "passes": bool(confirm), "note": reason}
            api.post(f"/v1/promotions/{owner}/{component}/{environment}/confirmations", word)
            err().print(f"[good]✓[/good] told: gate {confirm or refuse}")
        elif plan:
            show_plan(api.post("/v1/promotions", order, dryRun=True), output)
        else:
            raise typer.Exit(_promoted(api, order, wait=wait))


def _promoted(api: Api, order: Mapping[str, Any], *, wait: bool) -> int:
    accepted = api.post("/v1/promotions", dict(order))
    if not wait:
        out().print(accepted["id"], soft_wrap=True)
        return 0
    code = conclude(watch(api, accepted["id"]))
    if code:
        place = f"{order['organization']}/{order['component']}/{order['environment']}"
        show_gates(api.get(f"/v1/promotions/{place}")["gates"])
    return code


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
    artifact: Artifact = "",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Why it is not there yet: all that stands between, since when, until when, who can end it.

    Of an artifact that is named, also what keeps it from the environments on the way.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        path = f"/v1/components/{owner}/{component}/why/{environment}"
        found = api.get(path, artifact=artifact)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    for one in found.get("expiringSecrets", ()):
        whom = escape(one["owner"] or "nobody is named as owner")
        out().print(
            f"[warn]![/warn] secret {escape(one['path'])} expires {until(one['expires'])}: {whom}"
        )
    show_missing(found)
    if found["there"]:
        out().print(f"[good]✓[/good] {environment} runs {found['artifact'] or component}")
        return
    rows = [
        [
            one["environment"],
            one["what"],
            one["reason"],
            age(one["since"]),
            until(one["until"]),
            one["who"],
        ]
        for one in found["obstacles"]
    ]
    columns = ["environment", "what", "why", "since", "until", "who can end it"]
    show_table(columns, rows, empty="nothing is known")
    if found["operation"]:
        err().print(f"[quiet]on its way: pavane operations watch {found['operation']}[/quiet]")
