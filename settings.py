"""Every setting of Pavane, read from the environment and a file, never at import.

Variables carry the prefix ``PAVANE_`` and name nested settings with a double underscore, for
example ``PAVANE_API__LISTEN``. The file named by ``PAVANE_CONFIG`` (YAML) holds the same tree; the
environment wins. How Temporal is reached is not here: the SDK's own profile (``TEMPORAL_ADDRESS``,
``TEMPORAL_NAMESPACE``, ``TEMPORAL_TLS_*``) is used as it is.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

Role = Literal["intake", "orchestration", "control", "plane", "secrets"]


class KubernetesSettings(BaseModel):
    """How the control plane's API server is reached."""

    kubeconfig: Path | None = Field(
        None, description="Kubeconfig file. Empty = KUBECONFIG, then the pod's service account."
    )
    context: str | None = Field(
        None, description="Context in the kubeconfig. Empty = its current context."
    )
    oidc_user_prefix: str = Field(
        "", description="What the API server puts before names of users who sign in by OIDC."
    )
    oidc_group_prefix: str = Field(
        "", description="What the API server puts before names of their groups."
    )


class RegistrySettings(BaseModel):
    """Where built images are pushed."""

    url: str = Field(
        "http://127.0.0.1:5000",
        description="URL of the OCI registry as this process reaches it; http = without TLS.",
    )
    pull_host: str = Field(
        "127.0.0.1:5000",
        description="host:port inside image names, as build pods and nodes reach the registry.",
    )
    common: tuple[str, ...] = Field(
        ("base",),
        description="Folders of the registry from which every organization may run images.",
    )


class ObjectSettings(BaseModel):
    """Where logs and large bundles are kept."""

    url: str = Field(
        "", description="file:///folder or s3://bucket/prefix. Empty = a folder of the user."
    )


class GatewaySettings(BaseModel):
    """The Gateway of planes that do not name one of their own."""

    name: str = Field("pavane", description="Name of the Gateway resource routes attach to.")
    namespace: str = Field("pavane-system", description="Namespace of that Gateway.")
    url: str = Field(
        "http://127.0.0.1:8080", description="Where people reach the gateway; its port is shown."
    )


class OidcSettings(BaseModel):
    """Who proves people's identity."""

    issuer: str = Field("", description="Expected `iss` of tokens.")
    discovery_url: str = Field(
        "", description="Discovery document. Empty = issuer + /.well-known/openid-configuration."
    )
    audience: str = Field("", description="Expected `aud` of tokens: the client id of Pavane.")
    login_url: str = Field(
        "",
        description="Discovery document as people's machines reach it, where that is another "
        "address than the API's. Empty = the same.",
    )


class ApiSettings(BaseModel):
    """The HTTP API."""

    listen: str = Field("127.0.0.1:8090", description="host:port the API listens on.")
    url: str = Field("http://127.0.0.1:8090", description="Where clients reach the API.")
    admin_group: str = Field(
        "platform-engineers",
        description="Group whose members administer resources of the whole cluster.",
    )
    webhook_secrets: Path | None = Field(
        None, description="Folder with one file per organization: the secret of its Git webhooks."
    )
    body_limit: int = Field(1_048_576, ge=1024, description="Largest request body, bytes.")


class ApprovalSettings(BaseModel):
    """The keys by which the API vouches for who decided, and workers believe it."""

    signing_key: Path | None = Field(
        None,
        description="Private key (PEM, Ed25519, P-256 or RSA) with which the API signs decisions. "
        "Only the API has it. Empty = nobody can decide.",
    )
    verify_keys: Path | None = Field(
        None,
        description="Public key (PEM), or a folder of *.pub files while one is exchanged, by which "
        "workers prove decisions. Empty = no decision counts.",
    )


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


class RecordsSettings(BaseModel):
    """The database of audit facts and history."""

    url: SecretStr = Field(
        SecretStr(""),
        description="sqlite:////folder/records.db or postgresql://user@host/name (a password may "
        "also come from PGPASSWORD or a pgpass file). Empty = a file of the user.",
    )

    @property
    def address(self) -> str:
        """The URL, with the file of the user where none was given."""
        given = self.url.get_secret_value()
        return given or f"sqlite:///{user_data_path('pavane') / 'records.db'}"


class VaultRole(BaseModel):
    """One AppRole of OpenBao; each has its own rights and its own secret id."""

    role_id: str = Field(description="AppRole to sign in as.")
    secret_id_file: Path | None = Field(
        None, description="File with its secret id, read at each sign-in. Empty = not used here."
    )


class TenantsRole(VaultRole):
    """What sets up organizations."""

    role_id: str = Field("pavane-tenants", description="AppRole to sign in as.")


class PlaneRole(VaultRole):
    """What delivers to pods."""

    role_id: str = Field("pavane-plane", description="AppRole to sign in as.")


class ApiRole(VaultRole):
    """What takes values from people."""

    role_id: str = Field("pavane-api", description="AppRole to sign in as.")


class VaultSettings(BaseModel):
    """How OpenBao is reached: by one AppRole for each thing that is done there."""

    address: str = Field(
        "", description="URL of OpenBao. Empty = nothing is signed, and there are no secrets."
    )
    role_id: str = Field(
        "pavane-secrets", description="AppRole of the role `secrets`: signs, and rotates secrets."
    )
    secret_id_file: Path | None = Field(
        None, description="File with the secret id of that AppRole, read at each sign-in."
    )
    transit: str = Field("transit", description="Mount of the transit engine that signs.")
    tenants: TenantsRole = Field(
        TenantsRole(),
        description="With the role `secrets`: sets up organizations. It reads no secret.",
    )
    plane: PlaneRole = Field(
        PlaneRole(),
        description="With the role `plane`: reads what is delivered to pods, and nothing more.",
    )
    api: ApiRole = Field(
        ApiRole(),
        description="The API: sets what people give it, shows values to who may see them.",
    )


class AuditSettings(BaseModel):
    """How the heads of audit chains are signed, and by which keys signatures are believed."""

    signing_key: str = Field(
        "pavane-audit", description="Transit key (ecdsa-p256) that signs heads of chains."
    )
    signing_interval: timedelta = Field(
        timedelta(minutes=5), ge=timedelta(seconds=1), description="How often they are signed."
    )
    verify_keys: Path | None = Field(
        None,
        description="Public key (PEM) that signatures must be of, or a folder of such *.pem files. "
        "Empty = each is checked by the key beside it, which proves less.",
    )


class WorkerSettings(BaseModel):
    """One worker process."""

    roles: tuple[Role, ...] = Field(
        ("intake", "orchestration", "control", "plane", "secrets"),
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
        1000, ge=0, description="Workflows kept in memory; 0 = replay each task (tests)."
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


class LogSettings(BaseModel):
    """What the processes say."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe level that is written."
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="json for machines, console for people; auto = by the terminal."
    )


class Settings(BaseSettings):
    """All settings, nested by area."""

    model_config = SettingsConfigDict(
        env_prefix="PAVANE_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    kubernetes: KubernetesSettings = KubernetesSettings()
    registry: RegistrySettings = RegistrySettings()
    objects: ObjectSettings = ObjectSettings()
    gateway: GatewaySettings = GatewaySettings()
    oidc: OidcSettings = OidcSettings()
    api: ApiSettings = ApiSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    notifications: NotificationSettings = NotificationSettings()
    build: BuildSettings = BuildSettings()
    records: RecordsSettings = RecordsSettings()
    vault: VaultSettings = VaultSettings()
    audit: AuditSettings = AuditSettings()
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        del dotenv_settings, file_secret_settings
        file = os.environ.get("PAVANE_CONFIG")
        return (
            init_settings,
            env_settings,
            YamlConfigSettingsSource(settings_cls, yaml_file=file) if file else init_settings,
        )


def load() -> Settings:
    """Reads the settings now.

    Raises:
        pydantic.ValidationError: A value is not what its description asks for.
    """
    return Settings()
