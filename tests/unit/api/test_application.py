from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.operations.reading import Reference
from api.services import Services
from api.serving.streams import begun, until
from domain.errors import NotFound
from settings import ApiSettings, KubernetesSettings, OidcSettings, Settings


def client(limit: int = 2048) -> httpx.AsyncClient:
    settings = Settings(
        api=ApiSettings(body_limit=limit, webhook_secrets=Path("/nowhere")),
        kubernetes=KubernetesSettings(kubeconfig=Path("/nowhere/kubeconfig")),
        oidc=OidcSettings(issuer="http://127.0.0.1:1"),
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(Services(settings))), base_url="http://api"
    )


async def test_it_lives_while_everything_else_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("PAVANE_RECORDS__URL", "postgresql://127.0.0.1:1/records")
    async with client() as api:
        alive = await api.get("/healthz")
        ready = await api.get("/readyz")

    assert alive.status_code == 200
    assert ready.status_code == 503
    assert set(ready.json()["checks"]) == {"temporal", "kubernetes", "oidc", "records"}
    assert "ok" not in ready.json()["checks"].values()


async def test_every_route_but_the_open_ones_asks_for_a_token() -> None:
    async with client() as api:
        document = (await api.get("/openapi.json")).json()
        refused = {}
        for path, methods in document["paths"].items():
            concrete = path.replace("{operation_id}", "build/a/b/c").replace("{kind}", "org")
            for name in ("organization", "component", "commit", "name"):
                concrete = concrete.replace(f"{{{name}}}", "a")
            for method in methods:
                if path in {"/healthz", "/readyz", "/metrics", "/v1/login"} or "webhooks" in path:
                    continue
                answer = await api.request(method, concrete)
                refused[f"{method} {path}"] = answer.status_code

    assert len(refused) > 12
    assert set(refused.values()) == {401}


async def test_a_large_body_is_refused_by_its_length_and_while_it_arrives() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1024

    async with client() as api:
        announced = await api.post("/v1/webhooks/acme/github", content=b"x" * 4096)
        streamed = await api.post("/v1/webhooks/acme/github", content=parts())

    assert (announced.status_code, streamed.status_code) == (413, 413)
    assert announced.json()["type"] == "urn:pavane:problem:TooLarge"


async def test_a_request_id_is_kept_or_made_and_returned() -> None:
    async with client() as api:
        kept = await api.get("/nothing", headers={"X-Request-Id": "mine-1"})
        made = await api.get("/nothing", headers={"X-Request-Id": "not\tgood"})

    assert kept.headers["x-request-id"] == kept.json()["requestId"] == "mine-1"
    assert len(made.headers["x-request-id"]) == 32


async def test_the_documentation_needs_no_other_server() -> None:
    async with client() as api:
        page = (await api.get("/docs")).text

    assert "/v1/deployments" in page
    assert "src=" not in page
    assert "http://" not in page
    assert "https://" not in page


async def test_metrics_count_by_route_not_by_path() -> None:
    async with client() as api:
        await api.get("/v1/operations/build/acme/web/abc")
        text = (await api.get("/metrics")).text

    assert 'route="/v1/operations/{operation_id:operation}"' in text
    assert "acme" not in text


def test_an_operation_is_named_with_or_without_its_run() -> None:
    run = "0198c0de-1111-4222-8333-444455556666"

    assert Reference.of("build/acme/web/abc").run_id == ""
    assert Reference.of(f"build/acme/web/abc/{run}").run_id == run
    with pytest.raises(NotFound):
        Reference.of("build/acme")


async def test_a_stream_ends_when_it_is_told_to_and_closes_its_source() -> None:
    stop, closed = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    seen = []
    async for part in until(source(), stop):
        seen.append(part)
        stop.set()

    assert seen == [1]
    assert closed.is_set()


async def test_an_error_before_the_first_part_is_raised_at_once() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        raise NotFound("no log")
        yield b""

    with pytest.raises(NotFound):
        await begun(source())
