"""What the doctor says when nothing answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.installation.doctor import examine
from api.services import Services
from settings import (
    KubernetesSettings,
    OidcSettings,
    RecordsSettings,
    RegistrySettings,
    Settings,
    VaultSettings,
)


async def test_each_system_that_does_not_answer_is_a_finding_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    services = Services(
        Settings(
            kubernetes=KubernetesSettings(kubeconfig=Path("/nowhere/kubeconfig")),
            oidc=OidcSettings(issuer="http://127.0.0.1:1"),
            registry=RegistrySettings(url="http://127.0.0.1:1"),
            records=RecordsSettings(url="postgresql://127.0.0.1:1/records"),
            vault=VaultSettings(address="http://127.0.0.1:1"),
        )
    )

    found = (await examine(services)).items

    await services.close()
    broken = {one.check for one in found if one.level == "Error"}
    assert broken == {
        "temporal", "kubernetes", "kinds", "permissions", "records", "identity provider",
        "task queues", "registry", "openbao",
    }  # fmt: skip
    assert all(one.remedy and one.found for one in found if one.level != "Ok")
