"""What the API answers about who calls whom, and who may."""

from __future__ import annotations

from pydantic import Field

from api.schemas.deliveries import View


class ComponentNode(View):
    """One component in the graph of an organization or a project."""

    component: str
    project: str
    endpoints: tuple[str, ...] = Field(description="name:port and who may call it.")
    calls: tuple[str, ...]
    called_by: tuple[str, ...]
    broken_without: tuple[str, ...] = Field(
        description="Who needs it, by itself or by way of others, the nearest first."
    )


class ConnectionEdge(View):
    """One connection."""

    connection: str
    component: str
    target: str = Field(description="component.endpoint, or host and port outside.")
    port: int = 0
    state: str = Field(description="Found, Missing or NotVisible.")
    message: str = Field("", description="What it waits for.")


class DependencyView(View):
    """Who calls whom."""

    components: tuple[ComponentNode, ...]
    connections: tuple[ConnectionEdge, ...]
    cycles: tuple[tuple[str, ...], ...] = Field(description="Components that need each other.")


class CallView(View):
    """Whether one call is let through, and by what."""

    source: str
    target: str
    endpoint: str = ""
    port: int
    allowed: bool
    reasons: tuple[str, ...] = Field(description="What decides, at the caller and the callee.")
    hint: str = Field("", description="What to do to have it allowed.")
    basis: str = Field(description="running = the releases that run; declared = what would run.")


class CallList(View):
    """Whether calls are let through."""

    environment: str
    items: tuple[CallView, ...]
