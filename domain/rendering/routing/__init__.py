"""How a component is reached: its Service, the routes of its public endpoints, their addresses."""

from __future__ import annotations

from domain.rendering.routing.addresses import addresses, url
from domain.rendering.routing.certificates import certificate_health, certificates
from domain.rendering.routing.extensions import extension_health
from domain.rendering.routing.notes import notes
from domain.rendering.routing.routes import routes
from domain.rendering.routing.services import service

__all__ = [
    "addresses",
    "certificate_health",
    "certificates",
    "extension_health",
    "notes",
    "routes",
    "service",
    "url",
]
