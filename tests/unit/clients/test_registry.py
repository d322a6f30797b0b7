from __future__ import annotations

import hashlib
from collections.abc import Callable

import httpx
import pytest

from clients.registry import Registry
from domain.errors import DependencyUnavailable, Errored, InvalidRequest, RateLimited

pytestmark = pytest.mark.unit

DIGEST = "sha256:" + "a" * 64


def registry(answer: Callable[[httpx.Request], httpx.Response]) -> Registry:
    return Registry("http://registry", "10.0.0.1:5000", transport=httpx.MockTransport(answer))


async def test_digest_is_that_of_the_manifest_a_name_means() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})

    client = registry(answer)

    assert await client.digest_of("10.0.0.1:5000/acme/web:v1") == DIGEST
    assert await client.has(f"10.0.0.1:5000/acme/web:v1@{DIGEST}")
    assert await client.has("10.0.0.1:5000/acme/web")
    assert asked == [
        "HEAD /v2/acme/web/manifests/v1",
        f"HEAD /v2/acme/web/manifests/{DIGEST}",
        "HEAD /v2/acme/web/manifests/latest",
    ]
    await client.close()


async def test_registry_that_tells_no_digest_is_read() -> None:
    client = registry(lambda request: httpx.Response(200, content=b"{}"))

    expected = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
    assert await client.digest_of("10.0.0.1:5000/acme/web:v1") == expected


async def test_missing_image_has_no_digest() -> None:
    client = registry(lambda request: httpx.Response(404))

    assert await client.digest_of("10.0.0.1:5000/acme/web:v1") is None
    assert not await client.has("10.0.0.1:5000/acme/web:v1")


@pytest.mark.parametrize(
    ("code", "expected"), [(401, Errored), (429, RateLimited), (503, DependencyUnavailable)]
)
async def test_faults_are_told_apart(code: int, expected: type[Exception]) -> None:
    client = registry(lambda request: httpx.Response(code))

    with pytest.raises(expected):
        await client.digest_of("10.0.0.1:5000/acme/web:v1")


async def test_silent_registry_is_unavailable() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    with pytest.raises(DependencyUnavailable):
        await registry(answer).digest_of("10.0.0.1:5000/acme/web:v1")


@pytest.mark.parametrize(
    "image", ["elsewhere:5000/acme/web:v1", "web", "10.0.0.1:5000/Acme/../web", "10.0.0.1:5000/"]
)
async def test_names_of_other_places_are_refused(image: str) -> None:
    client = registry(lambda request: httpx.Response(200))

    with pytest.raises(InvalidRequest):
        await client.digest_of(image)


def test_registry_knows_its_own_images() -> None:
    client = registry(lambda request: httpx.Response(200))

    assert client.serves("10.0.0.1:5000/acme/web:v1")
    assert not client.serves("10.0.0.1:50001/acme/web:v1")
