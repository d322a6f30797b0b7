"""The platform of the tests of drift, for tests of looks at what runs."""

from __future__ import annotations

from tests.integration.drift.conftest import durable, place, plane, platform

__all__ = ["durable", "place", "plane", "platform"]
