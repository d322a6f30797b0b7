"""Pushes packed images to a registry; what is there already is not sent again."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from devstack.errors import DevstackError
from devstack.images.layers import MANIFEST_TYPE, blob_path, digest_of, manifest_path

_CHUNK = 1 << 20
_TIMEOUT = httpx.Timeout(60.0)


async def push(folder: Path, registry: str, repository: str, tag: str) -> str:
    """Pushes the image in the folder under one tag and returns its digest; safe to repeat.

    Raises:
        DevstackError: the registry did not take it.
    """
    manifest = manifest_path(folder).read_bytes()
    digest = digest_of(manifest)
    base = f"/v2/{repository}"
    async with httpx.AsyncClient(base_url=registry, timeout=_TIMEOUT, trust_env=False) as client:
        try:
            if await _has(client, f"{base}/manifests/{tag}", digest):
                return digest
            content = json.loads(manifest)
            for part in (content["config"], *content["layers"]):
                await _push_blob(client, base, folder, part["digest"])
            headers = {"Content-Type": MANIFEST_TYPE}
            answer = await client.put(f"{base}/manifests/{tag}", content=manifest, headers=headers)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            message = f"the registry did not take {repository}:{tag}: {error}"
            raise DevstackError(message) from error
    return digest


async def _push_blob(client: httpx.AsyncClient, base: str, folder: Path, digest: str) -> None:
    if await _has(client, f"{base}/blobs/{digest}", digest):
        return
    started = (await client.post(f"{base}/blobs/uploads/")).raise_for_status()
    path = blob_path(folder, digest)
    answer = await client.put(
        httpx.URL(started.headers["Location"]).copy_merge_params({"digest": digest}),
        content=_chunks(path),
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Length": str(path.stat().st_size),
        },
    )
    answer.raise_for_status()


async def _has(client: httpx.AsyncClient, path: str, digest: str) -> bool:
    answer = await client.head(path, headers={"Accept": MANIFEST_TYPE})
    return answer.is_success and answer.headers.get("Docker-Content-Digest") == digest


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
