"""What the API answers about what stands between an artifact and an environment."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.schemas.deliveries import View
from api.schemas.promotions import MISSING
from api.schemas.secrets import ExpiringView


class ObstacleView(View):
    """One thing that stands between an artifact and an environment."""

    environment: str = Field(description="Where it stands: there, or on the way to it.")
    what: str
    reason: str
    since: datetime | None = None
    until: datetime | None = None
    who: str = ""


class WhyView(View):
    """All that stands between an artifact and an environment."""

    organization: str
    component: str
    environment: str
    artifact: str = ""
    there: bool = Field(description="It runs there already.")
    obstacles: tuple[ObstacleView, ...]
    operation: str = Field("", description="The promotion that is on its way. Empty = none is.")
    expiring_secrets: tuple[ExpiringView, ...] = Field(
        (), description="Secrets it uses there that expire within 30 days, or have expired."
    )
    not_looked_at: tuple[str, ...] = Field((), description=MISSING)
