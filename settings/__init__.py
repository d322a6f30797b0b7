"""Every setting of Pavane, read from the environment and a file, never at import.

Variables carry the prefix ``PAVANE_`` and name nested settings with a double underscore, for
example ``PAVANE_API__LISTEN``. The file named by ``PAVANE_CONFIG`` (YAML) holds the same tree; the
environment wins. How Temporal is reached is not here: the SDK's own profile (``TEMPORAL_ADDRESS``,
``TEMPORAL_NAMESPACE``, ``TEMPORAL_TLS_*``) is used as it is.
"""

from __future__ import annotations

import os

from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from settings.outside import (
    GatewaySettings,
    KubernetesSettings,
    LogSettings,
    ObjectSettings,
    RecordsSettings,
    RegistrySettings,
)
from settings.trust import (
    ApiRole,
    ApiSettings,
    ApprovalSettings,
    AuditSettings,
    OidcSettings,
    PayloadSettings,
    PlaneRole,
    PlanesRole,
    TenantsRole,
    VaultRole,
    VaultSettings,
)
from settings.work import (
    BuildSettings,
    EmailNotices,
    NotificationSettings,
    Role,
    WebhookNotices,
    WorkerSettings,
)

__all__ = [
    "ApiRole",
    "ApiSettings",
    "ApprovalSettings",
    "AuditSettings",
    "BuildSettings",
    "EmailNotices",
    "GatewaySettings",
    "KubernetesSettings",
    "LogSettings",
    "NotificationSettings",
    "ObjectSettings",
    "OidcSettings",
    "PayloadSettings",
    "PlaneRole",
    "PlanesRole",
    "RecordsSettings",
    "RegistrySettings",
    "Role",
    "Settings",
    "TenantsRole",
    "VaultRole",
    "VaultSettings",
    "WebhookNotices",
    "WorkerSettings",
    "load",
]


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
    payloads: PayloadSettings = PayloadSettings()
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
