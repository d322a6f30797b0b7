"""What routes ask for: the services of the process and the person who calls."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from temporalio.client import Client

from api.services import Services
from clients.identity import Person
from clients.kubernetes import Cluster
from domain.errors import Unauthenticated

_BEARER = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="A token of the configured OIDC issuer."
)


def services_of(request: Request) -> Services:
    """Returns the services of this process."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]


async def person_of(
    request: Request,
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Person:
    """Returns who calls.

    Raises:
        Unauthenticated: There is no token, or it proves nothing.
    """
    if credentials is None:
        raise Unauthenticated("there is no bearer token in the request")
    person = await services.identity().verify(credentials.credentials)
    request.state.actor = person.name or person.subject
    return person


async def temporal_of(services: ServicesDep) -> Client:
    """Returns the Temporal client of this process."""
    return await services.temporal()


async def cluster_of(services: ServicesDep) -> Cluster:
    """Returns the control plane's cluster."""
    return await services.cluster()


PersonDep = Annotated[Person, Depends(person_of)]
TemporalDep = Annotated[Client, Depends(temporal_of)]
ClusterDep = Annotated[Cluster, Depends(cluster_of)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Equal keys are the same request: send one to repeat a request safely.",
    ),
]
