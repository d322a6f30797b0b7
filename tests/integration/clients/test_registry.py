"""The registry client against the registry of the full stack."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from clients.registry import Registry

pytestmark = pytest.mark.e2e


@pytest.fixture
async def registry(stack: dict[str, str]) -> AsyncIterator[Registry]:
    client = Registry(stack["PAVANE_REGISTRY__URL"], stack["PAVANE_REGISTRY__PULL_HOST"])
    yield client
    await client.close()


async def test_image_that_is_there_has_a_digest_under_which_it_is_found_too(
    stack: dict[str, str], registry: Registry
) -> None:
    image = stack["PAVANE_BUILD__RUNTIME_IMAGE"]
    digest = await registry.digest_of(image)

    assert digest is not None
    assert digest.startswith("sha256:")
    assert await registry.digest_of(f"{image.rpartition(':')[0]}@{digest}") == digest


async def test_image_that_is_not_there_has_none(stack: dict[str, str], registry: Registry) -> None:
    assert not await registry.has(f"{stack['PAVANE_REGISTRY__PULL_HOST']}/absent/image:1")
