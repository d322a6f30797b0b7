"""What the API answers about where a component runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from api.schemas.deliveries import View


class EndpointView(View):
    """Where one endpoint is reached."""

    name: str
    type: str = Field("", description="What it speaks.")
    visibility: str = Field("", description="project, organization or public.")
    url: str = Field("", description="Of a public one at the gateway, of others in the plane.")


class Placement(View):
    """A component in one environment."""

    environment: str
    wanted: str = Field("", description="Artifact the binding names.")
    version: str = Field("", description="Version that runs. Empty = none.")
    artifact: str = Field("", description="Artifact that runs. Empty = none.")
    current: bool = Field(description="The newest artifact runs here.")
    ready: bool = False
    reason: str = Field("", description="CamelCase word, such as RolloutFailed.")
    message: str = Field("", description="Why it stands so, and why nothing newer runs.")
    drift: str = Field("", description="What others changed on the plane. Empty = nothing.")
    url: str = ""
    endpoints: tuple[EndpointView, ...] = Field((), description="Public ones first.")
    since: datetime | None = None
    operation: str = Field("", description="The operation that worked on it last.")


class ComponentStatusView(View):
    """Which version of a component is where, and why not a newer one."""

    organization: str
    project: str
    component: str
    repository: str = ""
    branch: str = ""
    newest: str = Field("", description="Newest artifact. Empty = there is none.")
    newest_version: str = ""
    last_build: dict[str, Any] | None = Field(None, description="The newest Build: phase, message.")
    environments: tuple[Placement, ...] = ()
