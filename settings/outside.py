"""The outside systems: Kubernetes, registry, object store, gateway, records, logs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import BaseModel, Field, SecretStr


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


class LogSettings(BaseModel):
    """What the processes say."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe level that is written."
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="json for machines, console for people; auto = by the terminal."
    )
