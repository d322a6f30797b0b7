"""Made-up tenants: components with endpoints and connections, rendered for one environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hypothesis import strategies as st

from domain.rendering import ReleaseFacts, RenderedRelease, render_release
from domain.rendering.network.judging import Call, Party, judge_call, party_of
from domain.rendering.offline import Shelf, assemble
from domain.resources import Resource, parse

ENVIRONMENT = "dev"
_VISIBILITIES = ("project", "organization", "public")
Declared = tuple[str, str, str]
"""Caller, callee, endpoint."""


@dataclass(frozen=True)
class Topology:
    """What one organization declares."""

    components: dict[str, str]
    """Name -> project."""
    endpoints: dict[str, tuple[tuple[str, int, str], ...]]
    """Component -> name, port, visibility of each endpoint."""
    calls: frozenset[Declared]
    """Only those that may be declared."""
    policies: str = "Kubernetes"
    organization: str = "acme"
    api_servers: tuple[str, ...] = ()
    """Addresses of the cluster's API server."""

    def without(self, call: Declared) -> Topology:
        """The same without one connection."""
        return replace(self, calls=self.calls - {call})

    def resources(self) -> Iterator[Resource]:
        """Everything as it would be applied."""
        network = {"policies": self.policies, "apiServerAddresses": self.api_servers}
        yield self._made("DataPlane", "local", {"network": network})
        yield self._made("Environment", ENVIRONMENT, {"dataPlaneRef": "local"})
        yield self._made("ServiceClass", "standard-service", {})
        for name, project in self.components.items():
            yield self._made("Component", name, {"componentOwner": {"projectRef": project}})
            endpoints = [
                {"name": one, "port": port, "visibility": visibility, "basePath": f"/{one}"}
                for one, port, visibility in self.endpoints[name]
            ]
            yield self._made("Workload", name, {"componentRef": name, "endpoints": endpoints})
        for caller, callee, endpoint in sorted(self.calls):
            target = {"componentRef": callee, "endpoint": endpoint}
            spec = {"componentRef": caller, "target": target}
            yield self._made("Connection", f"{caller}-{callee}-{endpoint}", spec)

    @cached_property
    def facts(self) -> dict[str, ReleaseFacts]:
        """Component -> what it is rendered from."""
        shelf = Shelf(self.resources())
        return {name: assemble(shelf, name, ENVIRONMENT) for name in self.components}

    def release(self, component: str) -> RenderedRelease:
        """What a component becomes."""
        return self._releases[component]

    @cached_property
    def _releases(self) -> dict[str, RenderedRelease]:
        return {name: render_release(facts) for name, facts in self.facts.items()}

    @cached_property
    def _parties(self) -> dict[str, Party]:
        found = {name: party_of(one.objects) for name, one in self._releases.items()}
        return {name: one for name, one in found.items() if one is not None}

    def party(self, component: str) -> Party:
        """The pods of a component."""
        return self._parties[component]

    def pairs(self) -> Iterator[tuple[str, str, int, bool]]:
        """Caller, callee, port, whether it is declared: for all there are."""
        for source in sorted(self.components):
            for target in sorted(self.components):
                for endpoint, port, _ in self.endpoints[target]:
                    yield source, target, port, (source, target, endpoint) in self.calls

    def opened_by(self, call: Declared) -> set[tuple[str, str, int]]:
        """Pairs that only this connection opens."""
        caller, callee, endpoint = call
        return {
            (caller, callee, port) for name, port, _ in self.endpoints[callee] if name == endpoint
        }

    def allowed(self) -> set[tuple[str, str, int]]:
        """Pairs that our own judgement lets through."""
        return {
            (source, target, port)
            for source, target, port, _ in self.pairs()
            if judge_call(self.party(source), self.party(target), Call(port=port)).allowed
        }

    def _made(self, kind: str, name: str, spec: dict[str, Any]) -> Resource:
        return parse(
            {
                "apiVersion": "choreo.dev/v1alpha1",
                "kind": kind,
                "metadata": {"name": name, "namespace": self.organization},
                "spec": spec,
            }
        )


@st.composite
def topologies(draw: st.DrawFn, largest: int = 8, organization: str = "acme") -> Topology:
    """Three components or more in up to three projects, with any connections they may declare."""
    count = draw(st.integers(3, largest))
    names = [f"c{number}" for number in range(count)]
    components = {name: draw(st.sampled_from(["shop", "finance", "ops"])) for name in names}
    ports = st.lists(st.integers(1024, 1030), min_size=0, max_size=3, unique=True)
    endpoints = {
        name: tuple(
            (f"e{port}", port, draw(st.sampled_from(_VISIBILITIES))) for port in draw(ports)
        )
        for name in names
    }
    possible = [
        (caller, callee, endpoint)
        for caller in names
        for callee in names
        for endpoint, _, visibility in endpoints[callee]
        if components[caller] == components[callee] or visibility != "project"
    ]
    calls = draw(st.sets(st.sampled_from(possible), max_size=2 * count)) if possible else set()
    policies = draw(st.sampled_from(["Kubernetes", "Cilium"]))
    return Topology(components, endpoints, frozenset(calls), policies, organization)
