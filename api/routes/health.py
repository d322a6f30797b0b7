"""Whether the process lives, whether what it needs answers, and its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.dependencies import ServicesDep
from api.schemas.deliveries import LoginView
from api.services import Services, discovery_url
from domain.errors import PlatformError

router = APIRouter(tags=["health"])
_CHECK_SECONDS = 3


@router.get("/healthz", summary="The process runs")
async def healthz() -> dict[str, str]:
    """Answers as long as the process can answer at all; needs nothing else."""
    return {"status": "ok"}


@router.get("/readyz", summary="What the API needs answers", responses={503: {}})
async def readyz(services: ServicesDep) -> JSONResponse:
    """Names each system the API needs and whether it answered just now."""
    checks = {"temporal": _temporal, "kubernetes": _kubernetes, "oidc": _oidc, "records": _records}
    results = await asyncio.gather(*(_checked(check, services) for check in checks.values()))
    found = dict(zip(checks, results, strict=True))
    ready = all(result == "ok" for result in results) and not services.stopping.is_set()
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"status": "ok" if ready else "not ready", "checks": found}, status)


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def metrics() -> Response:
    """Metrics of this process in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/login", summary="How to log in")
async def login(services: ServicesDep) -> LoginView:
    """Tells clients, before they have a token, which issuer to get one from."""
    oidc = services.settings.oidc
    where = oidc.login_url or discovery_url(services.settings)
    return LoginView(issuer=oidc.issuer, discovery_url=where, audience=oidc.audience)


async def _checked(check: Callable[[Services], Awaitable[Any]], services: Services) -> str:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check(services)
    except TimeoutError:
        return f"no answer within {_CHECK_SECONDS} s"
    except PlatformError as error:
        return error.message
    except (httpx.HTTPError, RuntimeError) as error:
        return str(error) or type(error).__name__
    return "ok"


async def _temporal(services: Services) -> None:
    client = await services.temporal()
    if not await client.service_client.check_health(timeout=timedelta(seconds=_CHECK_SECONDS)):
        raise RuntimeError("Temporal says that it is not serving")


async def _kubernetes(services: Services) -> None:
    await (await services.cluster()).ready()


async def _records(services: Services) -> None:
    await services.records().ready()


async def _oidc(services: Services) -> None:
    services.identity()
    async with httpx.AsyncClient(timeout=_CHECK_SECONDS) as http:
        (await http.get(discovery_url(services.settings))).raise_for_status()
