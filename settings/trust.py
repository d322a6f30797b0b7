"""Who is believed, and by which keys: identities, approvals, OpenBao, the audit."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, FilePath, model_validator


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
    tls_certificate: FilePath | None = Field(
        None,
        description="Certificate chain (PEM) the API shows, read anew when it changes. Empty = "
        "plain HTTP, for a Gateway or Ingress before it.",
    )
    tls_key: FilePath | None = Field(None, description="Private key (PEM) of tls_certificate.")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together: name both or neither")
        return self


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


class PlanesRole(VaultRole):
    """What reaches planes by credentials that are kept in OpenBao."""

    role_id: str = Field("pavane-planes", description="AppRole to sign in as.")


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
    audit_log: Path | None = Field(
        None,
        description="File of OpenBao's audit device `file`, as the API and the role `secrets` can "
        "read it: who read a secret, and who uses an old one. Empty = that cannot be told.",
    )
    tenants: TenantsRole = Field(
        TenantsRole(),
        description="With the role `secrets`: sets up organizations. It reads no secret.",
    )
    plane: PlaneRole = Field(
        PlaneRole(),
        description="With the role `plane`: reads what is delivered to pods, and nothing more.",
    )
    planes: PlanesRole = Field(
        PlanesRole(),
        description="With the role `planes`: reads the credentials of planes, and nothing more.",
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


class PayloadSettings(BaseModel):
    """How payloads of Temporal are encrypted. The same for workers and API."""

    keys: Path | None = Field(
        None,
        description="Folder with one file ID.key for each key: 32 bytes in base64. Empty = "
        "payloads are not encrypted.",
    )
    active_key: str = Field(
        "1",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$",
        description="ID of the key that new payloads are encrypted with. Its file must lie in the "
        "folder of every process before.",
    )
    ui_origin: str = Field(
        "",
        description="Origin of the Temporal UI (https://host) whose pages may have payloads "
        "decrypted by the API. Empty = none.",
    )
