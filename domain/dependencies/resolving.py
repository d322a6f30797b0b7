"""What a Connection leads to, from what is declared of the component that is called."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.dependencies.offers import offered, visible
from domain.resources.component import Component
from domain.resources.interfaces import AllowedRequest, Connection, Endpoint
from domain.resources.workload import EndpointType, Workload

HTTPS_PORT = 443
UNUSED_POLICY = (
    "spec.policy has no effect, as what components call does not pass the gateway: the caller "
    "keeps to it itself (what everybody calls is steered by spec.gateway of an Endpoint)"
)
"""What is told of time limits and retries of a connection."""


class DependencyState(StrEnum):
    """Whether a connection leads somewhere."""

    FOUND = "Found"
    MISSING = "Missing"
    NOT_VISIBLE = "NotVisible"


class Dependency(BaseModel):
    """One connection of a component with what it leads to, the same in all environments."""

    model_config = ConfigDict(frozen=True)

    connection: str
    """Name of the Connection."""
    state: DependencyState
    message: str = ""
    """What is waited for; empty when it was found."""
    component: str = ""
    """Component that is called; empty = it lies outside."""
    project: str = ""
    """Project of that component."""
    endpoint: str = ""
    type: EndpointType = EndpointType.TCP
    base_path: str = ""
    host: str = ""
    """Host name outside; empty = a component or addresses."""
    cidr: str = ""
    """Addresses outside; empty = a component or a host name."""
    system: str = ""
    """Part of the cluster; empty = none."""
    port: int = 0
    variable_prefix: str = ""
    timeout_seconds: int = 0
    """Longest a call may take, by what is declared; 0 = no limit."""
    retries: int = 0
    """How often a call is tried again, by what is declared."""
    is_mutual: bool = False
    """Both ends have to prove to each other who they are."""
    requests: tuple[AllowedRequest, ...] = ()
    """The only requests that may be made; empty = all."""

    def told(self) -> dict[str, Any]:
        """Returns what of it decides objects, so that a change of the rest deploys nothing."""
        # A field that came later is left out where it is empty, so that no hash changes for it.
        later = {"system": self.system, "is_mutual": self.is_mutual}
        unsaid = {name for name, said in later.items() if not said}
        return self.model_dump(mode="json", exclude={"timeout_seconds", "retries", *unsaid})

    @property
    def is_found(self) -> bool:
        """Tells whether it leads somewhere."""
        return self.state is DependencyState.FOUND

    @property
    def has_policy(self) -> bool:
        """Tells whether it declares a time limit or retries."""
        return bool(self.timeout_seconds or self.retries)

    @property
    def transport(self) -> str:
        """What it is called over: TCP or UDP. What lies outside is called over TCP."""
        return self.type.transport

    @property
    def target(self) -> str:
        """What is called, in words."""
        if self.component:
            return f"{self.component}.{self.endpoint}" if self.endpoint else self.component
        return f"{self.host or self.cidr or self.system}:{self.port}"


def resolved(
    connection: Connection,
    caller: Component | None,
    called: Component | None,
    workload: Workload | None,
    declared: Iterable[Endpoint],
) -> Dependency:
    """Returns what a connection leads to, or what it waits for.

    Args:
        connection: The connection.
        caller: Component that calls; None = it does not exist.
        called: Component that is called; None = it does not exist, or lies outside.
        workload: Workload of the component that is called; None = it has none yet.
        declared: Endpoints of that component.
    """
    target = connection.spec.target
    found = Dependency(
        connection=connection.name,
        state=DependencyState.FOUND,
        component=target.component_ref,
        endpoint=target.endpoint,
        host=target.host,
        cidr=target.cidr,
        system=target.system,
        port=target.port or HTTPS_PORT,
        variable_prefix=connection.variable_prefix,
        timeout_seconds=connection.spec.policy.timeout_seconds,
        retries=connection.spec.policy.retries,
        is_mutual=connection.spec.authentication == "Mutual",
        requests=connection.spec.requests,
    )
    if not target.component_ref:
        return found
    found = found.model_copy(update={"port": 0})
    if caller is None:
        return _missing(found, f"waiting until Component {connection.component} is created")
    if called is None:
        return _missing(found, f"waiting until Component {target.component_ref} is created")
    found = found.model_copy(update={"project": called.project})
    if workload is None:
        message = f"waiting until {called.name} has a Workload (a build makes it)"
        return _missing(found, message)
    return _at_endpoint(found, caller, called, workload, declared)


def _at_endpoint(
    found: Dependency,
    caller: Component,
    called: Component,
    workload: Workload,
    declared: Iterable[Endpoint],
) -> Dependency:
    endpoints = {one.name: one for one in offered(workload, declared)}
    name = found.endpoint or next(iter(endpoints), "")
    endpoint = endpoints.get(name)
    if endpoint is None:
        wanted = f"endpoint {name}" if name else "an endpoint"
        has = f"; it has {', '.join(endpoints)}" if endpoints else ""
        return _missing(found, f"waiting until {called.name} has {wanted}{has}")
    found = found.model_copy(
        update={
            "endpoint": endpoint.name,
            "port": endpoint.port,
            "type": endpoint.type,
            "base_path": endpoint.base_path,
        }
    )
    if visible(endpoint.visibility, same_project=caller.project == called.project):
        return found
    message = (
        f"endpoint {endpoint.name} of {called.name} is for its project {called.project} only, and "
        f"{caller.name} is of project {caller.project}: waiting until its visibility is "
        "organization"
    )
    return found.model_copy(update={"state": DependencyState.NOT_VISIBLE, "message": message})


def _missing(found: Dependency, message: str) -> Dependency:
    return found.model_copy(update={"state": DependencyState.MISSING, "message": message})
