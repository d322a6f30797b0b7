from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError

from api.operations.events import follow
from api.operations.reading import Reference, read
from api.schemas.deliveries import OperationView
from domain.deliveries import FollowRollout, RolloutReady
from domain.deliveries.teardown import TeardownRequest
from domain.errors import DependencyUnavailable, RolloutFailed
from tests.integration.api.conftest import WEBHOOK_SECRET
from tests.workflows.conftest import World
from workflows.teardown.starting import signal_teardown

SignIn = Callable[[str], httpx.AsyncClient]
COMMIT = "89abcdef" * 5


def order(organization: str, **more: Any) -> dict[str, Any]:
    return {"organization": organization, "component": "web", **more}


async def ended(client: httpx.AsyncClient, operation_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await client.get(f"/v1/operations/{operation_id}")).json()
            if found["finished"]:
                return found
            await asyncio.sleep(0.05)


def asked(world: World, name: str, organization: str) -> int:
    """How often an activity ran for this test: the server is shared with others."""
    return sum(
        called == name and argument.organization == organization for called, argument in world.calls
    )


async def test_a_commit_is_built_once(acme: str, dev: httpx.AsyncClient, world: World) -> None:
    first = await dev.post("/v1/builds", json=order(acme, revision=COMMIT))
    done = await ended(dev, first.json()["id"])
    second = await dev.post("/v1/builds", json=order(acme, revision=COMMIT))

    assert first.status_code == 202
    assert first.headers["location"] == f"/v1/operations/{first.json()['id']}"
    assert done["phase"] == "Succeeded"
    steps = ["register", "queue", "submit", "build", "record"]
    assert [step["name"] for step in done["steps"]] == steps
    assert second.json()["existing"] is True
    assert asked(world, "submit_build", acme) == 1


async def test_what_is_tried_again_is_shown_with_its_last_error_until_it_succeeds(
    acme: str, dev: httpx.AsyncClient, world: World, temporal: Client
) -> None:
    mended = asyncio.Event()

    async def fail(_: Any) -> None:
        if not mended.is_set():
            raise DependencyUnavailable("the plane does not answer")

    world.behaviours["submit_build"] = fail
    accepted = (await dev.post("/v1/builds", json=order(acme, revision=COMMIT))).json()
    stream = follow(temporal, Reference.of(accepted["id"]), "", asyncio.Event())
    shown: dict[str, Any] = {}
    async with asyncio.timeout(60):
        async for event in stream:
            shown = json.loads(str(event.data))
            # The history says nothing of tries: only looking again can have told of the second.
            if any(one["attempt"] > 2 for one in shown["retrying"]):
                break
    await stream.aclose()
    mended.set()
    done = await ended(dev, accepted["id"])

    (retry,) = shown["retrying"]
    assert retry["what"].startswith("submit ")
    assert (retry["type"], retry["message"]) == (
        "DependencyUnavailable",
        "the plane does not answer",
    )
    assert retry["until"]
    assert (done["phase"], done["retrying"]) == ("Succeeded", [])


async def test_a_revision_is_resolved_and_leads_to_its_build(
    acme: str, dev: httpx.AsyncClient, world: World
) -> None:
    accepted = (await dev.post("/v1/builds", json=order(acme, revision="main"))).json()
    request = await ended(dev, accepted["id"])
    build = await ended(dev, request["result"]["workflowId"])

    assert build["kind"] == "build"
    assert build["actor"] == "dev@example.test"


async def test_a_key_repeats_an_order_and_refuses_another_one(
    acme: str, dev: httpx.AsyncClient, world: World
) -> None:
    key = {"Idempotency-Key": "one"}
    first = await dev.post("/v1/builds", json=order(acme, revision="main"), headers=key)
    again = await dev.post("/v1/builds", json=order(acme, revision="main"), headers=key)
    other = await dev.post("/v1/builds", json=order(acme, revision="next"), headers=key)

    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 409
    assert asked(world, "resolve_revision", acme) <= 1


async def test_a_deployment_that_fails_says_why_with_its_log(
    acme: str, dev: httpx.AsyncClient, world: World
) -> None:
    async def fail_new(request: FollowRollout) -> RolloutReady:
        if request.bundle.release == "web-old":
            return RolloutReady(replicas=1)
        raise RolloutFailed("web in development: crash-looping", facts={"log": "boom"})

    world.behaviours["follow_rollout"] = fail_new
    accepted = await dev.post("/v1/deployments", json=order(acme, environment="development"))
    done = await ended(dev, accepted.json()["id"])

    assert accepted.json()["position"] == 0
    assert done["phase"] == "Failed"
    assert done["failure"]["type"] == "RolloutFailed"
    assert done["failure"]["log"] == "boom"
    assert done["deployments"][0]["requestId"] == accepted.json()["requestId"]


async def test_without_a_worker_the_order_is_503_and_the_operation_says_so(
    acme: str, dev: httpx.AsyncClient, monkeypatch: Any
) -> None:
    monkeypatch.setattr("api.operations.orders._UPDATE_SECONDS", 1)
    answer = await dev.post("/v1/deployments", json=order(acme, environment="development"))
    shown = await dev.get(f"/v1/operations/deploy/{acme}/web/development")

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert shown.status_code == 200
    assert "no worker" in shown.json()["note"]


async def test_a_viewer_sees_but_does_not_order(acme: str, sign_in: SignIn) -> None:
    async with sign_in("viewer") as viewer:
        listed = await viewer.get(f"/v1/operations?organization={acme}")
        ordered = await viewer.post("/v1/builds", json=order(acme, revision=COMMIT))

    assert listed.status_code == 200
    assert ordered.status_code == 403


async def test_operations_of_others_are_not_found(
    acme: str, dev: httpx.AsyncClient, sign_in: SignIn, world: World
) -> None:
    accepted = (await dev.post("/v1/builds", json=order(acme, revision=COMMIT))).json()
    async with sign_in("stranger") as stranger:
        shown = await stranger.get(f"/v1/operations/{accepted['id']}")
        events = await stranger.get(f"/v1/operations/{accepted['id']}/events")
        everything = await stranger.get("/v1/operations")

    assert (shown.status_code, events.status_code) == (404, 404)
    assert everything.status_code == 403


async def test_lists_are_filtered_and_paged(
    acme: str, dev: httpx.AsyncClient, world: World
) -> None:
    for number in range(3):
        commit = f"{number}" * 40
        accepted = await dev.post("/v1/builds", json=order(acme, revision=commit))
        await ended(dev, accepted.json()["id"])
    async with asyncio.timeout(60):
        path = f"/v1/operations?organization={acme}&kind=build&phase=Succeeded"
        while len((await dev.get(path)).json()["items"]) < 3:  # noqa: ASYNC110 - visibility has no events
            await asyncio.sleep(0.1)
    first = (await dev.get(f"{path}&limit=2")).json()
    rest = (await dev.get(f"{path}&limit=2&page={first['nextPage']}")).json()
    hostile = await dev.get(path, params={"organization": acme, "component": "x' OR 'a'='a"})

    assert len(first["items"]) == 2
    assert len(rest["items"]) == 1
    assert hostile.json()["items"] == []


async def test_cancel_undoes_and_ends_as_cancelled(
    acme: str, dev: httpx.AsyncClient, world: World
) -> None:
    entered = asyncio.Event()

    async def wait(_: object) -> None:
        entered.set()
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    world.behaviours["follow_build"] = wait
    accepted = (await dev.post("/v1/builds", json=order(acme, revision=COMMIT))).json()
    await asyncio.wait_for(entered.wait(), 60)
    cancelled = await dev.post(f"/v1/operations/{accepted['id']}/cancel", json={"reason": "no"})
    done = await ended(dev, accepted["id"])

    assert cancelled.status_code == 202
    assert done["phase"] == "Cancelled"
    assert "stop_build" in world.names()


async def test_events_tell_each_change_and_end_with_the_operation(
    acme: str, dev: httpx.AsyncClient, world: World, temporal: Client
) -> None:
    accepted = (await dev.post("/v1/builds", json=order(acme, revision=COMMIT))).json()
    seen = [event async for event in events(temporal, accepted["id"])]
    later = [event async for event in events(temporal, accepted["id"], seen[-1][0])]

    assert seen[-1][1]["phase"] == "Succeeded"
    assert seen[-1][1]["finished"]
    assert later == []


async def test_an_end_that_overtakes_its_events_is_told_once_by_the_last_of_them(
    acme: str,
    dev: httpx.AsyncClient,
    world: World,
    temporal: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def read_late(client: Client, run: Reference) -> OperationView:
        with contextlib.suppress(WorkflowFailureError):
            await run.handle(client).result()
        return await read(client, run)

    monkeypatch.setattr("api.operations.events.read", read_late)
    accepted = (await dev.post("/v1/builds", json=order(acme, revision=COMMIT))).json()
    seen = [event async for event in events(temporal, accepted["id"])]
    later = [event async for event in events(temporal, accepted["id"], seen[-1][0])]

    assert [view["phase"] for _, view in seen] == ["Succeeded"]
    assert later == []


async def events(
    client: Client, operation_id: str, last_id: str = ""
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    async with asyncio.timeout(30):
        stream = follow(client, Reference.of(operation_id), last_id, asyncio.Event())
        async for event in stream:
            yield str(event.id), json.loads(str(event.data))


async def test_a_stopping_process_ends_its_streams(
    acme: str, dev: httpx.AsyncClient, temporal: Client
) -> None:
    accepted = (await dev.post("/v1/builds", json=order(acme, revision=COMMIT))).json()
    stopping = asyncio.Event()
    stream = follow(temporal, Reference.of(accepted["id"]), "", stopping)
    async with asyncio.timeout(60):
        first = await anext(stream)
        stopping.set()
        rest = [event async for event in stream]

    assert first.event == "operation"
    assert rest == []


def github(organization: str, branch: str = "main", **changes: Any) -> dict[str, Any]:
    payload = {
        "ref": f"refs/heads/{branch}",
        "after": COMMIT,
        "repository": {"clone_url": "https://git.example:443/acme/web"},
        "sender": {"login": "octo"},
        **changes,
    }
    body = json.dumps(payload).encode()
    signature = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "url": f"/v1/webhooks/{organization}/github",
        "content": body,
        "headers": {
            "X-GitHub-Event": "push",
            "X-Hub-Signature-256": f"sha256={signature}",
            "Authorization": "",
        },
    }


async def test_a_push_builds_and_a_redelivery_gives_the_same_answer(
    acme: str, dev: httpx.AsyncClient, world: World
) -> None:
    first = await dev.post(**github(acme))
    again = await dev.post(**github(acme))
    elsewhere = await dev.post(**github(acme, branch="other"))
    done = await ended(dev, first.json()["builds"][0]["id"])

    assert first.status_code == again.status_code == 202
    assert first.json()["builds"][0]["id"] == again.json()["builds"][0]["id"]
    assert elsewhere.status_code == 200
    assert done["actor"] == "octo"


async def test_a_push_with_a_wrong_signature_is_refused(acme: str, dev: httpx.AsyncClient) -> None:
    forged = github(acme)
    forged["content"] = forged["content"].replace(b"octo", b"evil")
    unknown = {**github(acme), "url": "/v1/webhooks/nobody/github"}

    answers = [await dev.post(**forged), await dev.post(**unknown)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


async def test_what_was_done_to_an_organization_that_is_gone_is_shown_to_administrators_alone(
    temporal: Client, dev: httpx.AsyncClient, sign_in: SignIn
) -> None:
    gone = f"gone-{uuid4().hex[:8]}"
    operation = f"teardown/{gone}/{gone}/organization"
    request = TeardownRequest(organization=gone, kind="Organization", name=gone)
    await signal_teardown(temporal, request)

    async with sign_in("ada") as administrator:
        shown = await administrator.get(f"/v1/operations/{operation}")
        cancelled = await administrator.post(f"/v1/operations/{operation}/cancel", json={})
    hidden = await dev.get(f"/v1/operations/{operation}")

    assert shown.status_code == 200, shown.text
    assert shown.json()["kind"] == "teardown"
    assert (cancelled.status_code, hidden.status_code) == (404, 404)
