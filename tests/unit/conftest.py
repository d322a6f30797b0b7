"""How long property tests look for a counter-example."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No deadline: a busy machine is no counter-example.
settings.register_profile(
    "unit", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")
