from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.integration.api.conftest import component, resource

SignIn = Callable[[str], httpx.AsyncClient]


async def test_equal_content_changes_nothing(acme: str, dev: httpx.AsyncClient) -> None:
    again = await dev.post("/v1/apply", json=component(acme, "web"))
    changed = await dev.post("/v1/apply", json=component(acme, "web", branch="next"))

    assert [one["outcome"] for one in again.json()["items"]] == ["unchanged"]
    assert [one["outcome"] for one in changed.json()["items"]] == ["configured"]


async def test_a_dry_run_writes_nothing(acme: str, dev: httpx.AsyncClient) -> None:
    tried = await dev.post("/v1/apply?dryRun=true", json=component(acme, "other"))
    shown = await dev.get(f"/v1/resources/component/other?organization={acme}")

    assert tried.json()["items"][0]["outcome"] == "created"
    assert shown.status_code == 404


async def test_a_list_comes_with_its_columns_and_without_bookkeeping(
    acme: str, dev: httpx.AsyncClient
) -> None:
    listed = (await dev.get(f"/v1/resources/comp?organization={acme}")).json()

    assert [item["metadata"]["name"] for item in listed["items"]] == ["web"]
    assert "managedFields" not in listed["items"][0]["metadata"]
    assert {"name": "Project", "path": ".spec.componentOwner.projectRef"}.items() <= listed[
        "columns"
    ][0].items()


async def test_a_developer_may_not_write_what_platform_engineers_own(
    acme: str, dev: httpx.AsyncClient
) -> None:
    answer = await dev.post(
        "/v1/apply", json=resource("Environment", "development", acme, {"dataPlaneRef": "local"})
    )

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "administer" in answer.json()["detail"]


async def test_a_foreign_and_an_unknown_organization_look_the_same(
    acme: str, sign_in: SignIn
) -> None:
    async with sign_in("stranger") as stranger:
        foreign = await stranger.get(f"/v1/resources/components?organization={acme}")
        unknown = await stranger.get("/v1/resources/components?organization=nobody")
        listed = await stranger.get("/v1/resources/organizations")

    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["detail"].replace(acme, "nobody") == unknown.json()["detail"]
    assert acme not in listed.text


async def test_a_wrong_field_is_named_and_nothing_is_written(
    acme: str, dev: httpx.AsyncClient
) -> None:
    wrong = component(acme, "broken")
    wrong["spec"]["colour"] = "blue"
    answer = await dev.post("/v1/apply", json=[component(acme, "fine"), wrong])

    assert answer.status_code == 422
    assert "spec.colour" in answer.json()["detail"]
    missing = await dev.get(f"/v1/resources/components/fine?organization={acme}")
    assert missing.status_code == 404


async def test_what_is_deleted_is_gone(acme: str, dev: httpx.AsyncClient) -> None:
    await dev.post("/v1/apply", json=component(acme, "old"))
    deleted = await dev.delete(f"/v1/resources/components/old?organization={acme}")
    again = await dev.delete(f"/v1/resources/components/old?organization={acme}")

    assert (deleted.status_code, again.status_code) == (204, 404)


async def test_status_lists_the_environments_of_the_pipeline_in_order(
    acme: str, dev: httpx.AsyncClient
) -> None:
    status = (await dev.get(f"/v1/components/{acme}/web/status")).json()

    assert [one["environment"] for one in status["environments"]] == ["development", "production"]
    assert status["environments"][0]["reason"] == "NotBound"
    assert status["repository"] == "https://Git.example/acme/web.git"
