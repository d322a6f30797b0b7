from __future__ import annotations

from typing import Any

import pytest

from domain.policies.tenants.images import Registries
from domain.rendering.tenants.admission import image_admission, label_admission
from domain.resources.organization import Organization

pytestmark = pytest.mark.unit
REGISTRIES = Registries(shared=("registry.example:5000",), common=("base",))


def organization(**security: Any) -> Organization:
    return Organization.model_validate(
        {"metadata": {"name": "acme"}, "spec": {"security": security}}
    )


def validations(policy: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(policy[0]["spec"]["validations"])


def test_images_from_elsewhere_are_judged_only_where_registries_are_named() -> None:
    anywhere = validations(image_admission(organization(), REGISTRIES))
    named = validations(
        image_admission(organization(allowedRegistries=["ghcr.io/acme"]), REGISTRIES)
    )

    assert len(anywhere) == 1
    assert "registry.example:5000/acme" in anywhere[0]["expression"]
    assert len(named) == 2
    assert "ghcr.io/acme" in named[1]["expression"]


def test_labels_are_demanded_only_where_some_are_named() -> None:
    none, some = (
        validations(label_admission(organization(requiredLabels=keys))) for keys in ([], ["team"])
    )

    assert "team" not in none[0]["expression"]
    assert "team" in some[0]["expression"]
