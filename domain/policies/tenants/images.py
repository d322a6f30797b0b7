"""Which images an organization may run: never those of another one.

Repositories in the registry of the installation are `<host>/<prefix>/<organization>/...`, so a path
tells whose an image is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.policies.tenants.pods import pod_spec

_DOCKER_HUB = "docker.io"


class Registries(BaseModel):
    """The registry that organizations share, and what they all may pull from it."""

    model_config = ConfigDict(frozen=True)

    shared: tuple[str, ...] = ()
    """Places, host and perhaps path, below which each organization has a folder of its name."""
    common: tuple[str, ...] = ()
    """Folders in them that belong to nobody and everybody may pull from."""


def refused_images(
    images: Iterable[str], organization: str, allowed: Sequence[str], registries: Registries
) -> tuple[str, ...]:
    """Returns why images may not run, one sentence each; empty = all may."""
    own = own_repositories(organization, registries)
    found = []
    for image in sorted(set(images)):
        full = qualified(image)
        if any(_is_below(full, place) for place in own):
            continue
        if any(_is_below(full, place) for place in registries.shared):
            found.append(
                f"image {image} is of another organization: {organization} may run "
                f"{' or '.join(own)}/..."
            )
        elif allowed and not any(_is_below(full, place) for place in allowed):
            found.append(
                f"image {image} is from a registry that organization {organization} does not "
                f"allow: spec.security.allowedRegistries has {', '.join(allowed)}"
            )
    return tuple(found)


def own_repositories(organization: str, registries: Registries) -> tuple[str, ...]:
    """Returns the folders of the shared registries that an organization may pull from."""
    folders = (organization, *(one.strip("/") for one in registries.common))
    return tuple(
        f"{place.rstrip('/')}/{folder}" for place in registries.shared for folder in folders
    )


def images_of(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the images of the pods that an object makes; empty for what makes none."""
    spec = pod_spec(obj)
    kinds = ("initContainers", "containers", "ephemeralContainers")
    return tuple(
        str(one.get("image", "")) for kind in kinds for one in (spec.get(kind) or ()) if one
    )


def qualified(image: str) -> str:
    """Returns an image with its registry: without one it is of Docker Hub."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"{_DOCKER_HUB}/{image}" if slash else f"{_DOCKER_HUB}/library/{image}"


def _is_below(image: str, place: str) -> bool:
    folder = place.rstrip("/")
    return image.startswith((f"{folder}/", f"{folder}@", f"{folder}:"))
