"""Keeps images of other organizations out of a release, before anything is applied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from activities.common.kinds import platform
from clients.kubernetes.shared import SharedWatches
from domain.errors import Denied
from domain.policies.tenants.images import Registries, images_of, refused_images
from domain.rendering.facts import ReleaseFacts
from domain.resources import DataPlane, Organization, parse_as
from settings import RegistrySettings


class TenantImages:
    """Judges by the shared watch of organizations: a deployment costs no request."""

    def __init__(self, watches: SharedWatches, registry: RegistrySettings) -> None:
        self._watches = watches
        self._registry = registry

    async def check(self, facts: ReleaseFacts, objects: Iterable[dict[str, Any]]) -> None:
        """Returns when every image of the release may run.

        Raises:
            Denied: One may not; the message names it and says what may run.
        """
        watch = self._watches.of(platform(Organization.kind))
        await watch.synced()
        found = watch.store.get(("", facts.organization))
        allowed = parse_as(Organization, found).spec.security.allowed_registries if found else ()
        images = [image for one in objects for image in images_of(one)]
        registries = registries_of(self._registry, facts.data_plane)
        refused = refused_images(images, facts.organization, allowed, registries)
        if refused:
            raise Denied("; ".join(refused), facts={"reason": "ImageRefused"})


def registries_of(registry: RegistrySettings, plane: DataPlane) -> Registries:
    """Returns where the organizations of an installation keep images, as a plane names it."""
    own = plane.spec.registry
    host = own.host or registry.pull_host
    prefixed = "/".join(part for part in (host, own.repository_prefix) if part)
    return Registries(shared=tuple(sorted({registry.pull_host, prefixed})), common=registry.common)
