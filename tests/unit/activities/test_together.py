from __future__ import annotations

import asyncio

import pytest

from activities.common.together import together
from domain.errors import DependencyUnavailable

pytestmark = pytest.mark.unit


async def test_all_have_ended_when_the_first_error_is_raised() -> None:
    ended = []

    async def fails() -> None:
        raise DependencyUnavailable("no answer")

    async def takes_longer() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ended.append("longer")

    with pytest.raises(DependencyUnavailable):
        await together(fails(), takes_longer())

    assert ended == ["longer"]
