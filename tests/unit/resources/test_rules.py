"""Rules hold here as they do on the API server; the integration tests show the other half."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import InvalidRequest
from domain.resources import parse
from tests.unit.resources.broken import BROKEN
from tests.unit.resources.samples import resource


@pytest.mark.parametrize(("kind", "changes", "message"), BROKEN)
def test_a_broken_rule_is_told_in_its_own_words(
    kind: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest) as error:
        parse(resource(kind, **changes))
    assert message in str(error.value)
