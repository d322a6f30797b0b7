"""What an API server answers to a list."""

from __future__ import annotations

from dataclasses import dataclass

from clients.kubernetes.watch import Object


@dataclass(frozen=True)
class Listing:
    """The objects of a kind at one moment."""

    items: list[Object]
    resource_version: str
    """Where a watch goes on from."""
