from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compose import standins
from tests.compose.composed import Composed, composed
from tests.compose.engine import Engine, engine


@pytest.fixture(scope="session")
def docker() -> Iterator[Engine]:
    """An engine of our own that has every image the test needs."""
    with engine() as made:
        standins.build(made)
        yield made


@pytest.fixture(scope="session")
def installation(docker: Engine) -> Iterator[Composed]:
    """The profile `core`, up and healthy."""
    with composed(docker) as made:
        yield made
