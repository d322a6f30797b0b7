"""What a component is told and given for its connections: addresses, and the right to call."""

from __future__ import annotations

from typing import Any

from domain.dependencies import Dependency
from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import CALLS, caller_labels
from domain.rendering.network.ends import namespace_of
from domain.resources.workload import EndpointType

_USUAL_HTTPS = 443


def address_variables(facts: ReleaseFacts) -> dict[str, str]:
    """Returns the environment variables with the addresses of what is called, by name.

    Raises:
        InvalidRequest: Two connections would set the same variable.
    """
    variables: dict[str, str] = {}
    owners: dict[str, str] = {}
    for one in facts.interfaces.dependencies:
        before = owners.setdefault(one.variable_prefix, one.connection)
        if before != one.connection:
            raise InvalidRequest(
                f"Connections {before} and {one.connection} of {facts.component.name} would both "
                f"set {one.variable_prefix}_HOST: give one a spec.variablePrefix of its own"
            )
        variables |= _address(facts, one)
    return variables


def call_labels(facts: ReleaseFacts) -> dict[str, str]:
    """Returns the labels by which the callees let the component's pods in."""
    labels: dict[str, str] = {}
    for one in facts.interfaces.dependencies:
        if one.component:
            labels |= caller_labels(one.component, one.endpoint)
    return labels


def check_labels(labels: Any, where: str) -> None:
    """Returns when a class gives its pods no right to call.

    Raises:
        InvalidRequest: It does.
    """
    for key in sorted(labels or ()):
        if str(key).startswith(CALLS):
            raise InvalidRequest(
                f"{where}: label {key} is given to those that declare a Connection, not by a class"
            )


def _address(facts: ReleaseFacts, one: Dependency) -> dict[str, str]:
    """Of a range of addresses only the port is known."""
    prefix = one.variable_prefix
    told = {f"{prefix}_PORT": str(one.port)}
    host = "kubernetes.default.svc" if one.system else one.host
    if one.component:
        host = f"{one.component}.{namespace_of(facts, one)}.svc"
    if host:
        told[f"{prefix}_HOST"] = host
    if one.component and one.type.is_http:
        scheme = "ws" if one.type is EndpointType.WEBSOCKET else "http"
        told[f"{prefix}_URL"] = f"{scheme}://{host}:{one.port}{one.base_path.rstrip('/')}"
    elif host and not one.component and one.port == _USUAL_HTTPS:
        told[f"{prefix}_URL"] = f"https://{host}"
    return told
