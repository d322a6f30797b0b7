"""Whether the installation is as it must be."""

from __future__ import annotations

from fastapi import APIRouter

from api.access import AccessDep
from api.dependencies import ServicesDep
from api.installation.doctor import examine
from api.installation.findings import Findings
from domain.resources import Action

router = APIRouter(prefix="/v1/installation", tags=["health"])


@router.get("/findings", summary="What is not as it must be, and what to do")
async def findings(access: AccessDep, services: ServicesDep) -> Findings:
    """Checks what this process reaches and who serves each task queue. Administrators only.

    It changes nothing. Findings name addresses and versions, never a secret.
    """
    access.permit(None, Action.READ)
    return await examine(services)
