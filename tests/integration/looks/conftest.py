"""The platform of the tests of drift, for tests of looks at what runs."""

from __future__ import annotations

from tests.integration.drift.conftest import durable, objects, place, plane, platform

__all__ = ["durable", "objects", "place", "plane", "platform"]
