from __future__ import annotations

from collections.abc import Iterator

import pytest

from devstack.programs import Silent, ensure
from tests.oracle.oracle import Oracle


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """Compiled first where it is not there yet, which takes minutes."""
    program = ensure(["policy-oracle"], progress=Silent())["policy-oracle"].path
    with Oracle(program) as running:
        yield running
