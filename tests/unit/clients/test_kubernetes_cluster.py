from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from aiohttp import web

from clients.kubernetes import Cluster, Expired, Kind, lines, pod_logs
from clients.kubernetes import session as session_module
from domain.errors import DependencyUnavailable, Errored, InvalidRequest, NotFound, StaleRevision
from tests.unit.clients.scripted_api import Handler, ScriptedApi

pytestmark = pytest.mark.unit

PODS = Kind("v1", "Pod", "pods", namespaced=True)
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "acme"}}


async def test_requests_carry_the_token_and_the_name_of_the_program(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(200, POD)

    await cluster.get(PODS, "web", "acme")

    assert api.requests[0].path == "/api/v1/namespaces/acme/pods/web"
    assert api.requests[0].headers["Authorization"] == "Bearer t0ken"
    assert api.requests[0].headers["User-Agent"] == "pavane-test"


async def test_find_returns_none_for_what_does_not_exist(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(404, {"message": "no"})

    assert await cluster.find(PODS, "web", "acme") is None


LOST_RACE = {"reason": "Conflict", "message": "the object has been modified"}


async def test_change_that_lost_a_race_may_be_tried_again(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(409, LOST_RACE)

    with pytest.raises(DependencyUnavailable, match="others write it all the time"):
        await cluster.apply(POD)
    with pytest.raises(DependencyUnavailable, match="others write it all the time"):
        await cluster.patch(PODS, "web", "acme", {"metadata": {"labels": {"a": "b"}}})


async def test_change_meant_for_one_version_is_refused_when_that_is_gone(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.answers(409, LOST_RACE)

    with pytest.raises(StaleRevision):
        await cluster.patch(PODS, "web", "acme", {"metadata": {"resourceVersion": "7"}})


async def test_kinds_are_asked_for_once(api: ScriptedApi, cluster: Cluster) -> None:
    found = await asyncio.gather(*(cluster.kind_of("v1", "Pod") for _ in range(5)))

    assert set(found) == {PODS}
    assert len(api.requests) == 1


async def test_kind_that_is_not_there_yet_is_asked_for_again(
    api: ScriptedApi, cluster: Cluster
) -> None:
    for _ in range(2):
        with pytest.raises(NotFound, match="Ghost"):
            await cluster.kind_of("v1", "Ghost")

    assert len(api.requests) == 2


async def test_list_reads_all_pages_and_names_the_kind_of_each_item(
    api: ScriptedApi, cluster: Cluster
) -> None:
    async def pages(request: web.Request) -> web.StreamResponse:
        following = "" if "continue" in request.query else "more"
        name = "b" if "continue" in request.query else "a"
        return web.json_response(
            {
                "metadata": {"resourceVersion": "9", "continue": following},
                "items": [{"metadata": {"name": name}}],
            }
        )

    api.handler = pages
    listing = await cluster.list(PODS, "acme", labels="app=web")

    assert [item["metadata"]["name"] for item in listing.items] == ["a", "b"]
    assert listing.items[0]["kind"] == "Pod"
    assert listing.resource_version == "9"
    assert api.requests[0].query["labelSelector"] == "app=web"


async def test_list_starts_over_when_its_pages_expired(api: ScriptedApi, cluster: Cluster) -> None:
    answers = iter(
        [
            (200, {"metadata": {"continue": "x"}, "items": [{"metadata": {"name": "old"}}]}),
            (410, {"reason": "Expired"}),
            (200, {"metadata": {"resourceVersion": "5"}, "items": [{"metadata": {"name": "new"}}]}),
        ]
    )

    async def handler(request: web.Request) -> web.StreamResponse:
        code, body = next(answers)
        return web.json_response(body, status=code)

    api.handler = handler
    listing = await cluster.list(PODS)

    assert [item["metadata"]["name"] for item in listing.items] == ["new"]


async def test_refused_credentials_are_read_again_and_the_request_repeated(
    api: ScriptedApi, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_RELOAD_SECONDS", 0)
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(kubeconfig.read_text().replace("t0ken", "renewed"))

    async def handler(request: web.Request) -> web.StreamResponse:
        code = 200 if request.headers["Authorization"] == "Bearer renewed" else 401
        return web.json_response(POD, status=code)

    api.handler = handler

    assert await cluster.get(PODS, "web", "acme") == POD


async def test_credentials_that_stay_refused_are_a_fault(
    api: ScriptedApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_RELOAD_SECONDS", 0)
    api.answers(401, {"message": "no"})

    with pytest.raises(Errored, match="credentials"):
        await cluster.get(PODS, "web", "acme")


async def test_request_on_a_closed_connection_is_sent_once_more(
    api: ScriptedApi, cluster: Cluster
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if len(api.requests) == 2:
            assert request.transport is not None
            request.transport.close()
        return web.json_response(POD)

    api.handler = handler
    await cluster.kind_of("v1", "Pod")

    assert await cluster.apply(POD) == POD
    assert [request.method for request in api.requests] == ["GET", "PATCH", "PATCH"]


async def test_no_server_is_an_unavailable_dependency(tmp_path: Path, cluster: Cluster) -> None:
    kubeconfig = tmp_path / "nowhere"
    kubeconfig.write_text(
        (tmp_path / "kubeconfig").read_text().replace("http://127.0.0.1", "http://127.0.0.2")
    )
    nowhere = await Cluster.connect(kubeconfig)
    try:
        with pytest.raises(DependencyUnavailable, match="no answer"):
            await nowhere.ready()
    finally:
        await nowhere.close()


async def test_missing_configuration_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(Errored, match="absent"):
        await Cluster.connect(tmp_path / "absent")


async def test_object_without_a_namespace_is_refused_before_it_is_sent(
    api: ScriptedApi, cluster: Cluster
) -> None:
    with pytest.raises(InvalidRequest, match=r"metadata\.namespace"):
        await cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}})


async def test_watch_that_expired_by_status_says_so(api: ScriptedApi, cluster: Cluster) -> None:
    api.answers(410, {"reason": "Expired"})

    with pytest.raises(Expired):
        await anext(cluster.watch(PODS, resource_version="1"))


async def test_watch_that_expired_by_event_says_so_after_earlier_events(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.handler = streamed(
        b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n'
        b'{"type":"ERROR","object":{"code":410,"reason":"Expired"}}\n'
    )
    events = cluster.watch(PODS, resource_version="1")

    assert (await anext(events)).type == "ADDED"
    with pytest.raises(Expired):
        await anext(events)


async def test_watch_asks_for_bookmarks_and_a_time_limit(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.handler = streamed(b"")

    async for _ in cluster.watch(PODS, "acme", resource_version="7"):
        pytest.fail("no event was sent")

    assert dict(api.requests[0].query) == {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "290",
        "resourceVersion": "7",
    }


async def test_watch_cut_within_an_event_is_an_interruption(
    api: ScriptedApi, cluster: Cluster
) -> None:
    api.handler = streamed(b'{"type":"ADDED","obj')

    with pytest.raises(DependencyUnavailable):
        await anext(cluster.watch(PODS))


async def test_log_arrives_while_it_is_written(api: ScriptedApi, cluster: Cluster) -> None:
    go_on = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\nsec")
        await go_on.wait()
        await response.write(b"ond\n")
        return response

    api.handler = handler
    read = []
    async with aclosing(pod_logs(cluster, "acme", "web", "main", follow=True, tail=5)) as parts:
        async for line in lines(parts):
            read.append(line)
            go_on.set()

    assert read == [b"first", b"second"]
    assert dict(api.requests[0].query) == {"container": "main", "tailLines": "5", "follow": "true"}


async def test_endless_line_comes_in_pieces() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 50_000

    pieces = [line async for line in lines(parts())]

    assert b"".join(pieces) == b"x" * 150_000
    assert max(map(len, pieces)) <= 65536


def streamed(content: bytes) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type="application/json")

    return handler
