from __future__ import annotations

import hashlib
import json
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


class Store:
    """A registry that takes what it is sent, as the distribution's does."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        match request.method, path.split("/")[-2]:
            case "HEAD", "manifests":
                return httpx.Response(200, headers={"Content-Length": "7"})
            case "HEAD", "blobs":
                return httpx.Response(200 if path.rpartition("/")[2] in self.blobs else 404)
            case "POST", _:
                location = "http://elsewhere.example/v2/acme/web/blobs/uploads/1?state=x"
                return httpx.Response(202, headers={"Location": location})
            case "PUT", "uploads":
                assert request.url.params["state"] == "x"
                self.blobs[request.url.params["digest"]] = request.content
            case "PUT", "manifests":
                self.manifests[path.rpartition("/")[2]] = request.content
            case _:
                return httpx.Response(405)
        return httpx.Response(201)


async def test_what_is_attached_has_the_image_as_its_subject_and_is_sent_once() -> None:
    store = Store()
    client = registry(store)

    first = await client.attach(f"10.0.0.1:5000/acme/web@{DIGEST}", "note", "text/x", b"words")
    again = await client.attach(f"10.0.0.1:5000/acme/web@{DIGEST}", "note", "text/x", b"words")

    ((tag, manifest),) = store.manifests.items()
    content = json.loads(manifest)
    assert tag == f"sha256-{'a' * 64}.note"
    assert content["artifactType"] == "text/x"
    assert content["subject"]["digest"] == DIGEST
    assert store.blobs[content["layers"][0]["digest"]] == b"words"
    expected = f"10.0.0.1:5000/acme/web@sha256:{hashlib.sha256(manifest).hexdigest()}"
    assert first == again == expected


async def test_only_an_image_named_by_its_digest_gets_something_attached() -> None:
    with pytest.raises(InvalidRequest, match="digest"):
        await registry(Store()).attach("10.0.0.1:5000/acme/web:v1", "note", "text/x", b"")
