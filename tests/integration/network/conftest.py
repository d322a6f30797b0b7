"""The platform of the tests of drift, for tests of what components may call."""

from __future__ import annotations

from tests.integration.drift.conftest import durable, objects, place, plane, platform

__all__ = ["durable", "objects", "place", "plane", "platform"]
