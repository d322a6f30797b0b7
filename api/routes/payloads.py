"""Decrypts payloads for people who look at them in Temporal's own UI or command line."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from pydantic import Field
from temporalio.api.common.v1 import Payloads

from api.access import AccessDep
from api.dependencies import ServicesDep, services_of
from api.schemas.deliveries import Request as Order
from domain.errors import Errored, InvalidRequest
from domain.resources import Action

_FOR_THE_UI = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-type, x-namespace",
    "Access-Control-Max-Age": "600",
    "Vary": "Origin",
}


class EncodedPayloads(Order):
    """Payloads as Temporal's tools send them."""

    payloads: tuple[dict[str, Any], ...] = Field((), max_length=2000)


class _OfTheUi(APIRoute):
    """Lets pages of the one configured origin read the answers, and those of no other."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            response = await handle(request)
            allowed = services_of(request).settings.payloads.ui_origin
            if allowed and request.headers.get("origin") == allowed:
                response.headers.update(_FOR_THE_UI)
                response.headers["Access-Control-Allow-Origin"] = allowed
            return response

        return answer


router = APIRouter(prefix="/v1/payloads", tags=["operations"], route_class=_OfTheUi)


@router.options("/decode", include_in_schema=False)
async def preflight() -> Response:
    """Answers what a browser asks before it sends a token; the headers say who may."""
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/decode", summary="Decrypt payloads")
async def decode(
    encoded: EncodedPayloads, access: AccessDep, services: ServicesDep
) -> dict[str, Any]:
    """Returns payloads of Temporal as they are without encryption; administrators only.

    This is a codec server for Temporal: its UI and `temporal --codec-endpoint URL/v1/payloads
    --codec-auth "Bearer TOKEN"` ask it. Payloads hold no secret values, but those of everybody.
    """
    access.permit(None, Action.READ)
    try:
        found = ParseDict({"payloads": list(encoded.payloads)}, Payloads())
    except ParseError:
        raise InvalidRequest("these are no payloads of Temporal") from None
    codec = services.codec()
    try:
        plain = await codec.decode(found.payloads) if codec else found.payloads
    except Errored as error:
        raise InvalidRequest(error.message) from None
    return MessageToDict(Payloads(payloads=plain))
