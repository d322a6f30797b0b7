"""What goes on although a place is frozen: what brings back what ran there."""

from __future__ import annotations

from domain.deliveries.deployments import DeployRequest


def is_repair(request: DeployRequest) -> bool:
    """Tells whether a deployment brings nothing new: a put-back, or a rollback.

    A freeze keeps changes away; it must not keep a place broken.
    """
    return bool(request.put_back or request.rollback)
