"""What the gateway does with requests of everybody to an endpoint."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from domain.resources.model import Model

HttpMethod = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
HeaderName = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
Origin = Annotated[
    str, Field(max_length=253, pattern=r"^(\*|https?://[A-Za-z0-9.*-]+(:[0-9]{1,5})?)$")
]


class Cors(Model):
    """Which pages of other origins may call the endpoint from a browser."""

    allow_origins: tuple[Origin, ...] = Field((), max_length=32)
    """Origins, such as https://example.org or https://*.example.org; `*` = all. Empty = no other
    origin may."""
    allow_methods: tuple[HttpMethod, ...] = Field((), max_length=8)
    """Methods they may use. Empty = the simple ones: GET, HEAD and POST."""
    allow_headers: tuple[HeaderName, ...] = Field((), max_length=32)
    """Headers they may send. Empty = the simple ones."""
    expose_headers: tuple[HeaderName, ...] = Field((), max_length=32)
    """Headers of answers they may read. Empty = the simple ones."""
    allow_credentials: bool = False
    """Whether cookies and credentials are sent along."""
    max_age_seconds: int = Field(0, ge=0, le=86400)
    """How long a browser remembers the answer. 0 = as long as the gateway says."""


class Header(Model):
    """A header and its value."""

    name: HeaderName
    """Its name."""
    value: str = Field(min_length=1, max_length=1024)
    """Its value."""


class HeaderChanges(Model):
    """What is changed of headers."""

    set: tuple[Header, ...] = Field((), max_length=16)
    """Headers that are given this value. Empty = none."""
    remove: tuple[HeaderName, ...] = Field((), max_length=16)
    """Headers that are taken away. Empty = none."""


class RateLimit(Model):
    """How many requests one client may make. Those above it are answered 429 by the gateway."""

    requests: int = Field(ge=1, le=1_000_000)
    """Requests that each client may make in a period, a client being an address as the gateway sees
    it: behind a load balancer that hides addresses, all clients are one."""
    per: Literal["Second", "Minute", "Hour"] = "Second"
    """Period in which they are counted."""
    burst: int = Field(0, ge=0, le=1_000_000)
    """How many may come at once. 0 = as many as in a period."""


class CircuitBreaker(Model):
    """When the gateway stops asking a component that answers with errors."""

    error_percent: int = Field(ge=1, le=99)
    """Share of requests that end in an error of the component (5xx) or of the network, above which
    all are answered 503 for a while without asking it."""


class EndpointPolicy(Model):
    """What the gateway does with requests of everybody. What it cannot do is refused by name."""

    cors: Cors | None = None
    """Which pages of other origins may call it. Absent = the component answers that itself."""
    request_headers: HeaderChanges = HeaderChanges()
    """What is changed of requests before the component sees them."""
    response_headers: HeaderChanges = HeaderChanges()
    """What is changed of answers before the caller sees them."""
    rewrite_path: str = Field("", max_length=256, pattern=r"^(/[A-Za-z0-9._~/-]*)?$")
    """What the component sees instead of the endpoint's basePath. Empty = the path as it came."""
    timeout_seconds: int = Field(0, ge=0, le=3600)
    """Longest a request may take; a routeTemplate of the class that sets timeouts goes first.
    0 = as long as the gateway allows."""
    retries: int = Field(0, ge=0, le=10)
    """How often the gateway tries a request again that failed; Traefik only where the component
    could not be reached. 0 = never."""
    rate_limit: RateLimit | None = None
    """How many requests each client may make. Absent = as many as it likes."""
    circuit_breaker: CircuitBreaker | None = None
    """When the gateway stops asking the component. Absent = never."""
