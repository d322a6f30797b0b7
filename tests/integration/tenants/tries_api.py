"""Tries by the HTTP API and the command line."""

from __future__ import annotations

import hashlib
import hmac
import json

from tests.integration.tenants.hostile import (
    ALPHA,
    BETA,
    VALUABLE,
    Scene,
    attempt,
    resource,
    unseen,
)

API, CLI = "API", "command line"


@attempt(API, "lists organizations", "sees only their own")
async def list_organizations(scene: Scene) -> None:
    answer = await scene.developer.api.get("/v1/resources/organizations")
    assert [one["metadata"]["name"] for one in answer.json()["items"]] == [ALPHA]


@attempt(API, "lists and reads each kind of resource of beta", "404, as for what does not exist")
async def read_resources(scene: Scene) -> None:
    for kind in ("components", "environments", "dataplanes", "servicebindings", "releases"):
        for path in (f"/v1/resources/{kind}", f"/v1/resources/{kind}/web"):
            unseen(await scene.admin.api.get(f"{path}?organization={BETA}"))
    unseen(await scene.admin.api.get(f"/v1/resources/organizations/{BETA}"))


@attempt(API, "applies a Component into beta's namespace", "404")
async def apply_there(scene: Scene) -> None:
    spec = {"componentOwner": {"projectRef": "shop"}}
    for organization in (ALPHA, BETA):
        answer = await scene.admin.api.post(
            f"/v1/apply?organization={organization}",
            json=resource("Component", "trojan", BETA, spec),
        )
        unseen(answer)


@attempt(API, "changes beta's Organization, or founds a new one", "403: not of the installation")
async def apply_organization(scene: Scene) -> None:
    access = {"access": [{"user": "ann", "role": "admin"}]}
    for name in (BETA, ALPHA, "gamma"):
        answer = await scene.admin.api.post(
            "/v1/apply", json=resource("Organization", name, "", access)
        )
        unseen(answer, 403)


@attempt(API, "deletes a Component of beta", "404")
async def delete_there(scene: Scene) -> None:
    unseen(await scene.admin.api.delete(f"/v1/resources/components/web?organization={BETA}"))


@attempt(API, "builds, deploys, promotes and rolls back in beta", "404")
async def orders(scene: Scene) -> None:
    place = {"organization": BETA, "component": "web", "environment": "dev"}
    for path, body in (
        ("builds", {"organization": BETA, "component": "web"}),
        ("deployments", place | {"artifact": "web-1"}),
        ("promotions", place),
        ("rollbacks", place | {"reason": "because"}),
    ):
        unseen(await scene.admin.api.post(f"/v1/{path}", json=body))


@attempt(API, "reads logs, status, history, audit, insights, quota and tasks of beta", "404")
async def readings(scene: Scene) -> None:
    for path in (
        f"components/{BETA}/web/logs?environment=dev",
        f"components/{BETA}/web/status",
        f"components/{BETA}/web/pipeline",
        f"components/{BETA}/web/render?environment=dev",
        f"components/{BETA}/web/why/dev",
        f"builds/{BETA}/web/{'a' * 12}/logs",
        f"history?organization={BETA}",
        f"history/diff?organization={BETA}&from=a&to=b",
        f"audit?organization={BETA}",
        f"audit/export?organization={BETA}",
        f"audit/verify?organization={BETA}",
        f"insights?organization={BETA}",
        f"quota/{BETA}",
        f"approvals?organization={BETA}",
        f"freezes/{BETA}",
        f"standings?organization={BETA}",
        f"classes/{BETA}/ServiceClass/standard/consumers",
        f"stops?organization={BETA}",
    ):
        answer = await scene.admin.api.get(f"/v1/{path}")
        assert answer.status_code in {403, 404}, (path, answer.status_code, answer.text)
        assert VALUABLE not in answer.text, path


@attempt(API, "lists, shows, cancels and resolves operations of beta", "404; 403 without an id")
async def operations(scene: Scene) -> None:
    unseen(await scene.admin.api.get(f"/v1/operations?organization={BETA}"))
    unseen(await scene.admin.api.get("/v1/operations"), 403)
    for name in (f"tenant/{BETA}", f"deploy/{BETA}/web/dev"):
        unseen(await scene.admin.api.get(f"/v1/operations/{name}"))
        unseen(await scene.admin.api.post(f"/v1/operations/{name}/cancel", json={}))


@attempt(API, "stops beta, or everything, in an emergency", "404 for beta, 403 for everything")
async def stops(scene: Scene) -> None:
    unseen(
        await scene.admin.api.post("/v1/stops", json={"organization": BETA, "reason": "a whim"}),
        403,
        404,
    )
    unseen(await scene.admin.api.post("/v1/stops", json={"reason": "a whim"}), 403)


@attempt(
    API,
    "stops the set-up of alpha, so that a role stays that was taken away",
    "403: only administrators stop a set-up",
)
async def cancel_own_setup(scene: Scene) -> None:
    answer = await scene.developer.api.post(f"/v1/operations/tenant/{ALPHA}/cancel", json={})
    unseen(answer, 403)


@attempt("webhook", "signs a push for beta with alpha's secret", "401: beta's secret is another")
async def webhook(scene: Scene) -> None:
    body = json.dumps({"ref": "refs/heads/main"}).encode()
    secret = str(scene.extra["alpha webhook secret"]).encode()
    signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
    headers = {
        "X-Hub-Signature-256": f"sha256={signature}",
        "X-GitHub-Event": "push",
        "Content-Type": "application/json",
    }
    unseen(
        await scene.developer.api.post(
            f"/v1/webhooks/{BETA}/github", content=body, headers=headers
        ),
        401,
    )
    unseen(
        await scene.developer.api.post(
            f"/v1/webhooks/..%2f{BETA}/github", content=body, headers=headers
        ),
        401,
        404,
        422,
    )


@attempt(
    CLI,
    "gets, deploys, reads logs and the audit with --organization beta",
    "exit status, no content",
)
async def command_line(scene: Scene) -> None:
    for arguments in (
        ("get", "components", "--organization", BETA),
        ("deploy", "web", "-e", "dev", "--organization", BETA),
        ("audit", "list", "--organization", BETA),
        ("logs", "web", "-e", "dev", "--organization", BETA),
    ):
        assert VALUABLE not in await scene.developer.pavane(*arguments)
