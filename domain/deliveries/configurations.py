"""What releases of configuration are asked, pass on and answer."""

from __future__ import annotations

from domain.deliveries.wire import Wire


class ConfigurationPin(Wire):
    """The revision of a configuration group that something is rendered with."""

    group: str
    revision: str
