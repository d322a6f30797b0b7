"""What the OCI registry holds."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from http import HTTPStatus
from typing import NamedTuple

import httpx

from domain.errors import DependencyUnavailable, Errored, InvalidRequest, RateLimited

_IMAGE = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+(:[0-9]+)?)/(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json"
)
_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_EMPTY = b"{}"
_BLOB = "application/octet-stream"
_TIMEOUT = httpx.Timeout(15, connect=5)
_RETRY_AFTER = timedelta(seconds=5)


class _Image(NamedTuple):
    repository: str
    reference: str


class Registry:
    """Reads manifests of the platform's own registry and adds to them. Ended by ``close``.

    Image names carry the host under which nodes pull (``pull_host``), which need not be the
    address at which this process reaches the registry.
    """

    def __init__(
        self, url: str, pull_host: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._pull_host = pull_host
        self._http = httpx.AsyncClient(
            base_url=url, timeout=_TIMEOUT, transport=transport, headers={"Accept": _MANIFESTS}
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.aclose()

    def serves(self, image: str) -> bool:
        """Tells whether the image name points to this registry."""
        return image.startswith(f"{self._pull_host}/")

    async def digest_of(self, image: str) -> str | None:
        """Returns the digest of the manifest an image name means now, None when there is none.

        Raises:
            InvalidRequest: It is not the name of an image in this registry.
            DependencyUnavailable: The registry did not answer.
        """
        parts = self._parse(image)
        path = f"/v2/{parts.repository}/manifests/{parts.reference}"
        response = await self._ask("HEAD", path, image)
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        digest = response.headers.get("Docker-Content-Digest", "")
        if not digest:
            response = await self._ask("GET", path, image)
            digest = _digest(response.content)
        return str(digest)

    async def has(self, image: str) -> bool:
        """Tells whether the image can be pulled."""
        return await self.digest_of(image) is not None

    async def attach(self, image: str, name: str, media_type: str, content: bytes) -> str:
        """Puts an artifact about an image beside it and returns its name with its digest.

        The artifact has the image as its subject (OCI 1.1), and the tag ``sha256-DIGEST.NAME`` for
        registries that do not list referrers. Idempotent: equal content is the same artifact.

        Args:
            image: Name with digest.
            name: What it is, as part of the tag.
            media_type: Of the content, and the type of the artifact.
            content: The artifact; a few kilobytes, it is sent in one piece.

        Raises:
            InvalidRequest: It is not the name of an image in this registry, or has no digest.
            DependencyUnavailable: The registry did not answer or did not take it.
        """
        parts = self._parse(image)
        if not parts.reference.startswith("sha256:"):
            raise InvalidRequest(f"image {image!r} is not named by its digest")
        subject = await self._ask(
            "HEAD", f"/v2/{parts.repository}/manifests/{parts.reference}", image
        )
        if subject.status_code == HTTPStatus.NOT_FOUND:
            raise DependencyUnavailable(f"image {image} is not in the registry")
        manifest = _artifact_manifest(
            media_type,
            config=await self._put_blob(parts.repository, _EMPTY, image),
            layer=await self._put_blob(parts.repository, content, image),
            subject={
                "mediaType": subject.headers.get("Content-Type", _OCI_MANIFEST),
                "digest": parts.reference,
                "size": int(subject.headers["Content-Length"]),
            },
        )
        digest = _digest(manifest)
        tag = f"{parts.reference.replace(':', '-')}.{name}"
        path = f"/v2/{parts.repository}/manifests/{tag}"
        _must_have_taken(await self._ask("PUT", path, image, manifest, _OCI_MANIFEST), image)
        return f"{self._pull_host}/{parts.repository}@{digest}"

    async def _put_blob(self, repository: str, content: bytes, image: str) -> dict[str, object]:
        digest = _digest(content)
        held = await self._ask("HEAD", f"/v2/{repository}/blobs/{digest}", image)
        if held.status_code == HTTPStatus.NOT_FOUND:
            begun = await self._ask("POST", f"/v2/{repository}/blobs/uploads/", image)
            _must_have_taken(begun, image)
            # A registry may answer with an absolute address of its own; only its path counts here.
            location = httpx.URL(begun.headers["Location"])
            target = httpx.URL(location.raw_path.decode()).copy_merge_params({"digest": digest})
            answer = await self._ask("PUT", str(target), image, content, _BLOB)
            _must_have_taken(answer, image)
        return {"digest": digest, "size": len(content)}

    def _parse(self, image: str) -> _Image:
        found = _IMAGE.fullmatch(image)
        if not found or found["host"] != self._pull_host:
            raise InvalidRequest(f"image {image!r} is not a name in the registry {self._pull_host}")
        return _Image(found["repository"], found["digest"] or found["tag"] or "latest")

    async def _ask(
        self, method: str, path: str, image: str, content: bytes = b"", kind: str = ""
    ) -> httpx.Response:
        headers = {"Content-Type": kind} if kind else None
        try:
            response = await self._http.request(method, path, content=content, headers=headers)
        except httpx.HTTPError as error:
            message = f"image {image}: no answer from the registry: {type(error).__name__}"
            raise DependencyUnavailable(message) from error
        code = response.status_code
        if response.is_success or code == HTTPStatus.NOT_FOUND:
            return response
        if code == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimited(f"image {image}: too many requests", retry_after=_RETRY_AFTER)
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise DependencyUnavailable(f"image {image}: the registry answered {code}")
        raise Errored(f"image {image}: the registry answered {code}")


def _artifact_manifest(
    media_type: str,
    *,
    config: dict[str, object],
    layer: dict[str, object],
    subject: dict[str, object],
) -> bytes:
    manifest = {
        "schemaVersion": 2,
        "mediaType": _OCI_MANIFEST,
        "artifactType": media_type,
        "config": {"mediaType": _EMPTY_TYPE, **config},
        "layers": [{"mediaType": media_type, **layer}],
        "subject": subject,
    }
    return json.dumps(manifest, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _must_have_taken(answer: httpx.Response, image: str) -> None:
    if not answer.is_success:
        raise DependencyUnavailable(
            f"image {image}: the registry did not take what belongs to it ({answer.status_code})"
        )
