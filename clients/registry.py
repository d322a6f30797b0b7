"""What the OCI registry holds."""

from __future__ import annotations

import hashlib
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
_TIMEOUT = httpx.Timeout(15, connect=5)
_RETRY_AFTER = timedelta(seconds=5)


class _Image(NamedTuple):
    repository: str
    reference: str


class Registry:
    """Reads manifests of the platform's own registry. Ended by ``close``.

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
            digest = f"sha256:{hashlib.sha256(response.content).hexdigest()}"
        return str(digest)

    async def has(self, image: str) -> bool:
        """Tells whether the image can be pulled."""
        return await self.digest_of(image) is not None

    def _parse(self, image: str) -> _Image:
        found = _IMAGE.fullmatch(image)
        if not found or found["host"] != self._pull_host:
            raise InvalidRequest(f"image {image!r} is not a name in the registry {self._pull_host}")
        return _Image(found["repository"], found["digest"] or found["tag"] or "latest")

    async def _ask(self, method: str, path: str, image: str) -> httpx.Response:
        try:
            response = await self._http.request(method, path)
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
