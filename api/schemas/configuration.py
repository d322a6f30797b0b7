"""What the API answers about the configuration of components."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.schemas.deliveries import Request, View


class OriginView(View):
    """Where a value comes from."""

    level: str = Field(description="class, organization, project, component or binding.")
    name: str = Field(description="Kind and name of the resource.")
    said_for: str = Field("", description="Environment or group of environments; empty = all.")


class EntryView(View):
    """One key and what it is in the environment."""

    key: str
    value: str = Field("", description="Empty = it is empty, or kept in Vault.")
    vault_key: str = Field("", description="Path in Vault; the value is never shown.")
    env: str = Field("", description="Environment variable that carries it.")
    file: str = Field("", description="Path of the file that holds it.")
    origin: OriginView
    overrides: tuple[OriginView, ...] = Field((), description="What it was laid over.")


class EffectiveView(View):
    """The configuration of a component in an environment."""

    component: str
    environment: str
    running: bool = Field(description="As it runs; false = as the groups say now.")
    revisions: dict[str, str] = Field(
        default_factory=dict, description="Configuration group and its revision."
    )
    entries: tuple[EntryView, ...]
    problems: tuple[str, ...] = Field((), description="Why it cannot be used; empty = it can.")


class KeyChangeView(View):
    """One key that is different."""

    component: str
    key: str
    before: str = ""
    after: str = ""


class ConfigurationDiff(View):
    """What differs between two environments, or between what runs and what the groups say."""

    before: str
    after: str
    items: tuple[KeyChangeView, ...]
    problems: tuple[str, ...] = Field((), description="What could not be compared, and why.")


class ReleaseOrder(Request):
    """Asks for the release of what a group says, or said once."""

    restore: str = Field(
        "", max_length=63, description="ConfigurationRevision to bring back; empty = as it is."
    )


class TouchedView(View):
    """A binding to which what the group says makes a difference."""

    component: str
    environment: str
    keys: tuple[str, ...] = Field(description="Keys whose values differ there.")
    approval: bool = Field(description="People must agree first.")


class PlanView(View):
    """Who would be deployed with what a group says now."""

    group: str
    revision: str
    items: tuple[TouchedView, ...] = Field(description="In the order of the release.")
    untouched: int = Field(description="Bindings that use the group and run with these values.")
    left: tuple[str, ...] = Field((), description="Who could not be reached, and why.")
    problems: tuple[str, ...] = Field((), description="Why it cannot be released; empty = it can.")


class ReleaseView(View):
    """One release of a group."""

    number: int
    revision: str
    phase: str
    message: str = ""
    by: str = ""
    started: datetime
    finished: datetime | None = None
    deployed: int = 0
    failed: int = 0
    left: int = 0
    kept: bool = Field(description="The revision can be brought back.")


class ReleaseHistory(View):
    """The last releases of a group, newest first."""

    group: str
    present: str = Field(description="ConfigurationRevision of what it says now.")
    items: tuple[ReleaseView, ...]
