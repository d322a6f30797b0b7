from __future__ import annotations

from typing import Any

import pytest

from tests.unit.resources.samples import SPECS, resource


@pytest.fixture(params=sorted(SPECS))
def example(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each kind's example in turn."""
    return resource(request.param)
