"""Where the objects of a release are: in the payload when small, in the object store when not."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json, to_json

from clients.objects import ObjectStore
from domain import ids
from domain.deliveries import Bundle
from domain.resources import Release

_LARGEST_IN_PAYLOAD = 100_000


async def stowed(bundle: Bundle, objects: ObjectStore, organization: str) -> Bundle:
    """Returns the bundle as it travels: large objects are replaced by a key.

    Idempotent: the key is the content-named release.
    """
    content = to_json(bundle.objects)
    if len(content) <= _LARGEST_IN_PAYLOAD:
        return bundle
    key = ids.bundle_key(organization, bundle.namespace, bundle.release)
    await objects.put(key, content)
    return bundle.model_copy(update={"objects": (), "stored": key})


async def objects_of(bundle: Bundle, objects: ObjectStore) -> tuple[dict[str, Any], ...]:
    """Returns the objects of a bundle, wherever they are."""
    if not bundle.stored:
        return bundle.objects
    return tuple(from_json(await objects.get(bundle.stored)))


def bundle_of(release: Release) -> Bundle:
    """Returns the objects of a stored release, or the key under which they lie.

    Raises:
        Denied: The release names objects of something else.
    """
    return Bundle(
        release=release.name,
        namespace=release.spec.namespace,
        objects=release.spec.objects,
        stored=release.stored,
    )
