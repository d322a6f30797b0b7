"""Turns errors into problem documents (RFC 9457).

The only module that knows HTTP status codes of domain errors, of Temporal's answers and of the web
framework's own complaints.
"""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from temporalio.client import (
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import (
    Conflict,
    Denied,
    DependencyUnavailable,
    Errored,
    Failed,
    InvalidRequest,
    NotFound,
    PlatformError,
    RateLimited,
    Unauthenticated,
)
from runtime.errors import as_domain_error

_LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
_SAID_LIMIT = 200

_STATUS: dict[type[PlatformError], HTTPStatus] = {
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    DependencyUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Errored: HTTPStatus.BAD_GATEWAY,
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Denied: HTTPStatus.FORBIDDEN,
    Failed: HTTPStatus.UNPROCESSABLE_ENTITY,
    PlatformError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Looked up along the class's ancestors, nearest first."""

_ADVICE: dict[HTTPStatus, str] = {
    HTTPStatus.UNAUTHORIZED: "Log in (`pavane login`) and send the token as a bearer token.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again: equal requests have equal effects.",
    HTTPStatus.TOO_MANY_REQUESTS: "Try again after the time in Retry-After.",
    HTTPStatus.BAD_GATEWAY: "Tell the platform engineers; the request id finds the log lines.",
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "Tell the platform engineers; the request id finds the log lines."
    ),
}


class TooLarge(PlatformError):
    """The body of a request exceeds the limit. Only HTTP knows it, so it stands here."""


_STATUS[TooLarge] = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def status_of(error: PlatformError) -> HTTPStatus:
    """Returns the HTTP status of an error: that of its nearest ancestor in the table."""
    for ancestor in type(error).__mro__:
        if ancestor in _STATUS:
            return _STATUS[ancestor]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(error: PlatformError, *, request_id: str = "", instance: str = "") -> JSONResponse:
    """Returns the answer for an error: type, title, status, detail, facts, advice."""
    status = status_of(error)
    content: dict[str, Any] = {
        "type": f"urn:pavane:problem:{type(error).__name__}",
        "title": _title(type(error).__name__),
        "status": status.value,
        "detail": error.message,
        "instance": instance,
        "requestId": request_id,
    }
    facts = {name: value for name, value in error.facts.items() if name != "advice"}
    if facts:
        content["facts"] = facts
    if advice := error.facts.get("advice") or _ADVICE.get(status):
        content["advice"] = advice
    return JSONResponse(content, status, _headers(error), MEDIA_TYPE)


def _headers(error: PlatformError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="pavane"'}
    if isinstance(error, RateLimited):
        return {"Retry-After": str(math.ceil(error.retry_after.total_seconds()))}
    if isinstance(error, DependencyUnavailable):
        return {"Retry-After": "2"}
    return {}


def _title(name: str) -> str:
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
    return words[:1].upper() + words[1:]


def from_temporal(error: Exception) -> PlatformError:
    """Returns the domain error for what the Temporal client raised."""
    if isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError):
        message = "no worker took the order in time; it may still be carried out"
        return DependencyUnavailable(message)
    if isinstance(error, WorkflowUpdateFailedError):
        return as_domain_error(error.cause)
    if isinstance(error, RPCError):
        return _from_rpc(error)
    return Errored(str(error))


def _from_rpc(error: RPCError) -> PlatformError:
    said = error.message[:_SAID_LIMIT]
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return NotFound("there is no such operation")
        case RPCStatusCode.RESOURCE_EXHAUSTED:
            return RateLimited("Temporal is busy")
        case RPCStatusCode.UNAVAILABLE | RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
            return DependencyUnavailable(f"Temporal does not answer: {said}")
        case _:
            return Errored(f"Temporal refused the call: {said}")


def install(app: FastAPI) -> None:
    """Makes every error that leaves a route a problem document."""

    @app.exception_handler(PlatformError)
    async def platform(request: Request, error: PlatformError) -> JSONResponse:
        return _answer(request, error)

    @app.exception_handler(RPCError)
    @app.exception_handler(WorkflowUpdateFailedError)
    @app.exception_handler(WorkflowUpdateRPCTimeoutOrCancelledError)
    async def temporal(request: Request, error: Exception) -> JSONResponse:
        return _answer(request, from_temporal(error))

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return _answer(request, from_validation(error.errors()))

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        return _refusal(request, error)

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        _LOG.error("unexpected error", exc_info=error)
        return _answer(request, PlatformError("something went wrong inside Pavane"))


def _answer(request: Request, error: PlatformError) -> JSONResponse:
    return problem(
        error,
        request_id=str(request.scope.get("state", {}).get("request_id", "")),
        instance=request.url.path,
    )


def _refusal(request: Request, error: HTTPException) -> JSONResponse:
    """Gives the framework's own refusals (no such path, wrong method) their own status."""
    status = HTTPStatus(error.status_code)
    content = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": f"{request.method} {request.url.path}: {error.detail}",
        "instance": request.url.path,
        "requestId": str(request.scope.get("state", {}).get("request_id", "")),
    }
    return JSONResponse(content, status, dict(error.headers or {}), MEDIA_TYPE)


def from_validation(errors: Any) -> InvalidRequest:
    """Returns the error for pydantic's complaints, one fact a field.

    Rejected values are not repeated: they may be secrets.
    """
    facts = {".".join(str(part) for part in e["loc"]): str(e["msg"]) for e in errors}
    named = "; ".join(f"{where}: {what}" for where, what in facts.items())
    return InvalidRequest(f"the request is not valid: {named}", facts=facts)
