"""Puts the API together: routes, middleware, problem documents, documentation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from api.product import product_version
from api.routes import (
    approvals,
    break_glass,
    builds,
    components,
    configuration,
    deployments,
    freezes,
    golden_paths,
    health,
    insights,
    installation,
    leaks,
    logs,
    network,
    operations,
    payloads,
    promotions,
    records,
    resources,
    rotations,
    schedules,
    secrets,
    sets,
    standings,
    stops,
    tasks,
    webhooks,
)
from api.services import Services
from api.serving import documentation, problems
from api.serving.middleware import BodyLimit, RequestLog

_ROUTERS = (
    approvals.router,
    break_glass.router,
    freezes.router,
    builds.router,
    deployments.router,
    promotions.router,
    sets.router,
    standings.router,
    operations.router,
    logs.router,
    components.router,
    records.router,
    insights.router,
    stops.router,
    secrets.router,
    rotations.router,
    leaks.router,
    schedules.router,
    resources.router,
    golden_paths.router,
    configuration.router,
    network.router,
    tasks.router,
    webhooks.router,
    installation.router,
    payloads.router,
    health.router,
)


def create_app(services: Services) -> FastAPI:
    """Returns the application; it closes the services when it ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await services.close()

    app = FastAPI(
        title="Pavane",
        summary="An internal developer platform whose every procedure is durable",
        description=documentation.INTRODUCTION,
        version=product_version(),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        openapi_tags=documentation.TAGS,
        responses=documentation.PROBLEMS,
    )
    app.state.services = services
    problems.install(app)
    for router in _ROUTERS:
        app.include_router(router)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(documentation.render(app.openapi()))

    # The last one added is the outermost: refusals for size are logged and counted too.
    app.add_middleware(BodyLimit, limit=services.settings.api.body_limit)
    app.add_middleware(RequestLog)
    return app
