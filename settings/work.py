"""What workers do: builds, notices, task queues."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

Role = Literal["intake", "orchestration", "control", "plane", "secrets", "planes"]


class WebhookNotices(BaseModel):
    """One receiver of notices over HTTP."""

    url: str = Field(description="Where notices are posted.")
    secret_file: Path = Field(description="File with the secret by which they are signed.")
    kinds: tuple[str, ...] = Field(
        ("*",), description="Patterns of kinds it wants, such as approval.*"
    )
    organizations: tuple[str, ...] = Field((), description="Of these only. Empty = of all.")


class EmailNotices(BaseModel):
    """Notices as e-mail."""

    host: str = Field("", description="Mail server. Empty = no e-mail.")
    port: int = Field(587, ge=1, le=65535, description="Its port.")
    starttls: bool = Field(True, description="Encrypt; only for a server on this machine not to.")
    tls: bool = Field(False, description="Encrypt from the first byte, as on port 465.")
    ca_file: Path | None = Field(
        None, description="CA certificates the server is checked by. Empty = those of the machine."
    )
    sender: str = Field("pavane@localhost", description="Address they come from.")
    recipients: tuple[str, ...] = Field((), description="Who gets them besides those named.")
    kinds: tuple[str, ...] = Field(("*",), description="Patterns of kinds that are sent.")
    organizations: tuple[str, ...] = Field((), description="Of these only. Empty = of all.")
    username: str = Field("", description="Name to log in with. Empty = without.")
    password_file: Path | None = Field(None, description="File with the password.")


class NotificationSettings(BaseModel):
    """How people are told."""

    webhooks: dict[str, WebhookNotices] = Field({}, description="Receivers by name.")
    email: EmailNotices = Field(
        EmailNotices(), description="Mail server and recipients; without a host there is no e-mail."
    )


class BuildSettings(BaseModel):
    """How builds run on a build plane."""

    builder_image: str = Field(
        "base/builder:2", description="Image with git, buildah, syft and skopeo for build pods."
    )
    runtime_image: str = Field(
        "base/python:3.11", description="Base image offered to Dockerfiles of samples."
    )
    timeout: timedelta = Field(timedelta(hours=1), description="Longest a build may take.")
    scan_command: tuple[str, ...] = Field(
        (),
        description="Command in the builder image that judges an image by its SBOM (CycloneDX), "
        "whose path is added. 0 passes it. Empty = images are not scanned.",
    )
    scan_refuses: tuple[int, ...] = Field(
        (1, 2), description="Exit codes by which that command refuses an image; others judge not."
    )
    trust_bundle: Path | None = Field(
        None, description="CA bundle for build pods, where the machine has an authority of its own."
    )


class WorkerSettings(BaseModel):
    """One worker process."""

    roles: tuple[Role, ...] = Field(
        ("intake", "orchestration", "control", "plane", "secrets", "planes"),
        description="What this process does. Default: everything.",
    )
    plane: str = Field("local", description="Name of the plane served by the role `plane`.")
    organizations: tuple[str, ...] = Field(
        (),
        description="Organizations whose work the role `plane` takes; others are refused. Empty = "
        "of all that name its task queue.",
    )
    listen: str = Field(
        "127.0.0.1:8091", description="host:port of /healthz, /readyz and /metrics."
    )
    graceful_shutdown: timedelta = Field(
        timedelta(seconds=20), description="How long running activities may go on at a stop."
    )
    max_cached_workflows: int = Field(
        500, ge=0, description="Workflows kept in memory; 0 = replay each task (tests)."
    )
    short_tasks: int = Field(
        16,
        ge=2,
        description="Workflow tasks, and activities of the control plane, that are worked on at "
        "once. More waits in Temporal, where what is urgent goes first.",
    )
    plane_tasks: int = Field(
        1000, ge=2, description="Activities of the plane at once; most of them only wait."
    )
    gate_calls: int = Field(
        32,
        ge=1,
        description="Calls of gates to other systems at once; slow ones hold up only each other.",
    )
    gate_calls_of_one: int = Field(
        8,
        ge=1,
        description="Of those, calls for one organization at once, and never more than are free "
        "then; more of its calls wait for their turn, so that nobody keeps the gates of others "
        "waiting.",
    )
    gate_keys: Path | None = Field(
        None,
        description="Folder with one file per organization: the key with which it signs what the "
        "gates of its pipelines ask of other systems.",
    )
    watch_drift: bool = Field(
        True,
        description="With the role `plane`: look for what others change on it. One process of all "
        "that serve a plane does.",
    )
    build_id: str = Field(
        "", description="Version of this worker for Worker Versioning. Empty = unversioned."
    )
