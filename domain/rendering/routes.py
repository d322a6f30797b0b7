"""The Service of a component and the route by which everybody reaches it."""

from __future__ import annotations

import re
from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import component_labels, manifest, selector_labels
from domain.rendering.merge import merged
from domain.resources.classes import APIClassSpec
from domain.resources.workload import EndpointType

_PROTOCOLS = {
    EndpointType.HTTP: "http",
    EndpointType.GRPC: "kubernetes.io/h2c",
    EndpointType.TCP: "tcp",
}
_SERVICE_FILLED = frozenset({"selector", "ports"})
_ROUTE_FILLED = frozenset({"parentRefs", "hostnames"})
_RULE_FILLED = frozenset({"matches", "backendRefs"})
_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LONGEST_HOSTNAME = 253
_USUAL_PORTS = {"http": 80, "https": 443}


def service(facts: ReleaseFacts) -> dict[str, Any] | None:
    """Returns the Service, None for a component that answers nobody.

    Raises:
        InvalidRequest: The component's name is none for a Service, or the class sets what is
            filled in.
    """
    if not facts.endpoints:
        return None
    if not _SERVICE_NAME.fullmatch(facts.component.name):
        raise InvalidRequest(
            f"component {facts.component.name} has endpoints, so its name must begin with a letter"
        )
    template = facts.running_class.service_template
    _refuse(facts, "serviceTemplate", set(template) & _SERVICE_FILLED)
    ports = [
        {
            "name": endpoint.name,
            "port": endpoint.port,
            "targetPort": endpoint.name,
            "protocol": "TCP",
            "appProtocol": _PROTOCOLS[endpoint.type],
        }
        for endpoint in facts.endpoints
    ]
    spec = merged({"type": "ClusterIP"}, template)
    spec |= {"selector": selector_labels(facts), "ports": ports}
    labels = component_labels(facts)
    return manifest("v1", "Service", facts.component.name, facts.namespace, labels, spec=spec)


def route(facts: ReleaseFacts) -> dict[str, Any] | None:
    """Returns the HTTPRoute, None for a component without a public endpoint.

    Raises:
        InvalidRequest: Two endpoints would answer at the same path, the class sets what is filled
            in, or the environment demands what the gateway cannot do.
    """
    endpoints = facts.public_endpoints
    if not endpoints:
        return None
    if facts.environment.spec.gateway.enable_jwt_auth:
        # Fails closed: a route without the check would open to all what was meant for some.
        raise InvalidRequest(
            f"environment {facts.environment.name} demands JWTs at public endpoints, which the "
            f"gateway of data plane {facts.data_plane.name} does not check: "
            f"{facts.component.name} cannot be public there"
        )
    paths = [endpoint.base_path for endpoint in endpoints]
    if len(set(paths)) < len(paths):
        raise InvalidRequest(
            f"Workload {facts.workload.name}: two public endpoints answer at the same basePath"
        )
    entrance = facts.entrance
    parent = {"name": entrance.name, "namespace": entrance.namespace}
    if entrance.section_name:
        parent["sectionName"] = entrance.section_name
    template = dict(facts.running_class.route_template)
    _refuse(facts, "routeTemplate", set(template) & _ROUTE_FILLED)
    rule = _rule_template(facts, template)
    rules = [
        {
            **rule,
            **_match(facts, rule, endpoint.base_path),
            "backendRefs": [{"name": facts.component.name, "port": endpoint.port}],
        }
        for endpoint in endpoints
    ]
    spec = {**template, "parentRefs": [parent], "hostnames": [hostname(facts)], "rules": rules}
    return manifest(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        facts.component.name,
        facts.namespace,
        component_labels(facts),
        spec=spec,
    )


def _match(facts: ReleaseFacts, rule: dict[str, Any], base_path: str) -> dict[str, Any]:
    """Returns which requests a rule is for; the component sees no version in their paths."""
    path = f"{facts.path_prefix}{base_path}".rstrip("/") or "/"
    matched: dict[str, Any] = {"matches": [{"path": {"type": "PathPrefix", "value": path}}]}
    if facts.path_prefix:
        replaced = {"type": "ReplacePrefixMatch", "replacePrefixMatch": base_path}
        rewrite = {"type": "URLRewrite", "urlRewrite": {"path": replaced}}
        matched["filters"] = [*(rule.get("filters") or ()), rewrite]
    spec = facts.component_class.spec
    if isinstance(spec, APIClassSpec) and spec.request_timeout_seconds:
        matched["timeouts"] = rule.get("timeouts") or {
            "request": f"{spec.request_timeout_seconds}s"
        }
    return matched


def hostname(facts: ReleaseFacts) -> str:
    """Returns the host name: component, project, organization, environment, domain of the plane.

    One label each, so that no two components of any tenants can have the same name and a tenant's
    certificate can cover its own names only.

    Raises:
        InvalidRequest: The name is longer than DNS allows.
    """
    place = f"{facts.environment.dns_prefix}.{facts.entrance.domain}"
    name = f"{facts.component.name}.{facts.project}.{facts.organization}.{place}"
    if len(name) > _LONGEST_HOSTNAME:
        raise InvalidRequest(
            f"component {facts.component.name} cannot be public in {facts.environment.name}: its "
            f"host name {name} is longer than {_LONGEST_HOSTNAME} characters"
        )
    return name


def url(facts: ReleaseFacts) -> str:
    """Returns where the component answers, empty without a public endpoint."""
    if not facts.public_endpoints:
        return ""
    entrance = facts.entrance
    port = "" if entrance.port == _USUAL_PORTS[entrance.scheme] else f":{entrance.port}"
    shortest = min((each.base_path for each in facts.public_endpoints), key=len)
    return f"{entrance.scheme}://{hostname(facts)}{port}{facts.path_prefix}{shortest}"


def _rule_template(facts: ReleaseFacts, template: dict[str, Any]) -> dict[str, Any]:
    """Returns what the class says about each rule, such as time limits and filters."""
    rules = template.get("rules") or [{}]
    if not isinstance(rules, list) or len(rules) != 1 or not isinstance(rules[0], dict):
        raise InvalidRequest(
            f"{facts.class_said}: spec.routeTemplate.rules must have one rule, which is used for "
            "every endpoint"
        )
    _refuse(facts, "routeTemplate.rules[0]", set(rules[0]) & _RULE_FILLED)
    return rules[0]


def _refuse(facts: ReleaseFacts, where: str, fields: set[str]) -> None:
    if fields:
        raise InvalidRequest(
            f"{facts.class_said}: spec.{where}.{min(fields)} is filled in from the component and "
            "cannot be set by a class"
        )
