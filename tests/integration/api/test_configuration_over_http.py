from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import component, resource

SignIn = Callable[[str], httpx.AsyncClient]


def group(organization: str, name: str, *keys: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return resource(
        "ConfigurationGroup", name, organization, {"configurations": list(keys), **spec}
    )


def key(name: str, *values: tuple[str, str], **more: Any) -> dict[str, Any]:
    said = [{"environmentGroupRef": where, "value": value} for where, value in values]
    return {"key": name, "values": said, **more}


@pytest.fixture
async def configured(acme: str, sign_in: SignIn) -> str:
    """Groups of two levels in two environments; nothing was deployed."""
    web = component(acme, "web")
    web["spec"]["configurationGroupRefs"] = ["web"]
    project = {"deploymentPipelineRef": "standard", "configurationGroupRefs": ["shop"]}
    vault = {"environmentRef": "production", "vaultKey": "shop/production/db/password"}
    declared = [
        group(
            acme,
            "shop",
            key("host", ("production", "db"), ("non-production", "test-db")),
            key("level", ("production", "info"), ("non-production", "debug")),
        ),
        group(
            acme,
            "web",
            key("url", ("production", "pg://${host}"), ("non-production", "pg://${host}")),
            key("level", ("non-production", "trace")),
            {"key": "password", "values": [vault]},
            projectRef="shop",
        ),
        resource("Project", "shop", acme, project),
        resource("DataPlane", "local", acme, {}),
        resource("ServiceClass", "standard-service", acme, {}),
        resource("Environment", "development", acme, {"dataPlaneRef": "local"}),
        resource(
            "Environment", "production", acme, {"dataPlaneRef": "local", "isProduction": True}
        ),
        web,
    ]
    async with sign_in("ada") as admin:
        answer = await admin.post("/v1/apply", json=declared)
        assert answer.status_code == 200, answer.text
    return acme


async def test_each_value_is_told_with_its_origin_and_those_of_vault_by_their_path(
    configured: str, dev: httpx.AsyncClient
) -> None:
    path = f"/v1/components/{configured}/web/configuration"
    here = (await dev.get(f"{path}?environment=development")).json()
    told = {one["key"]: one for one in here["entries"]}
    assert {name: one["value"] for name, one in told.items()} == {
        "host": "test-db",
        "level": "trace",
        "url": "pg://test-db",
    }
    assert told["level"]["origin"] == {
        "level": "component",
        "name": "ConfigurationGroup web",
        "saidFor": "environment group non-production",
    }
    assert [one["name"] for one in told["level"]["overrides"]] == ["ConfigurationGroup shop"]

    there = (await dev.get(f"{path}?environment=production")).json()
    (password,) = (one for one in there["entries"] if one["key"] == "password")
    assert (password["value"], password["vaultKey"]) == ("", "shop/production/db/password")
    assert there["problems"] == []


async def test_the_keys_that_differ_between_two_environments_are_listed(
    configured: str, dev: httpx.AsyncClient
) -> None:
    found = await dev.get(
        f"/v1/configuration/{configured}/diff?before=development&after=production&component=web"
    )
    assert [(one["key"], one["before"], one["after"]) for one in found.json()["items"]] == [
        ("host", "test-db", "db"),
        ("level", "trace", "info"),
        ("password", "", "vault:shop/production/db/password"),
        ("url", "pg://test-db", "pg://db"),
    ]


async def test_a_revision_that_there_is_none_of_is_not_brought_back(
    configured: str, dev: httpx.AsyncClient
) -> None:
    orders = f"/v1/configuration/{configured}/web/releases"
    answer = await dev.post(orders, json={"restore": "web-0123456789"})
    assert answer.status_code == 404
    assert "has no revision web-0123456789" in answer.json()["detail"]


async def test_who_may_only_read_releases_nothing_and_who_has_no_part_sees_nothing(
    configured: str, sign_in: SignIn
) -> None:
    orders = f"/v1/configuration/{configured}/web/releases"
    async with sign_in("viewer") as viewer, sign_in("stranger") as stranger:
        refused = await viewer.post(orders, json={})
        seen = await viewer.get(f"/v1/configuration/{configured}/web/plan")
        foreign = await stranger.get(f"/v1/configuration/{configured}/web/history")
        hidden = await stranger.get(
            f"/v1/components/{configured}/web/configuration?environment=production"
        )
    assert (refused.status_code, seen.status_code) == (403, 200)
    assert (foreign.status_code, hidden.status_code) == (404, 404)
    assert seen.json()["items"] == []
