"""How long the network policies of a thousand components with five connections each take.

python -m benchmarks.policies
"""

from __future__ import annotations

import time
from typing import Any

from domain.rendering.network import component_policy
from domain.rendering.offline import Shelf, assemble
from domain.resources import Resource, parse

COMPONENTS = 1000
CONNECTIONS = 5
BUDGET_SECONDS = 5.0
_ENVIRONMENT = "dev"


def _resource(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    metadata = {"name": name, "namespace": "acme"}
    return parse(
        {"apiVersion": "choreo.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    )


def shelf(count: int, policies: str) -> Shelf:
    """Returns an organization in which each component calls the five after it."""
    found = [
        _resource("DataPlane", "local", {"network": {"policies": policies}}),
        _resource("Environment", _ENVIRONMENT, {"dataPlaneRef": "local"}),
        _resource("ServiceClass", "standard-service", {}),
    ]
    for number in range(count):
        name = f"component-{number}"
        endpoint = {"name": "http", "port": 8080, "visibility": "organization"}
        owner = {"componentOwner": {"projectRef": f"project-{number % 10}"}}
        found.append(_resource("Component", name, owner))
        found.append(_resource("Workload", name, {"componentRef": name, "endpoints": [endpoint]}))
        for step in range(1, CONNECTIONS + 1):
            callee = f"component-{(number + step) % count}"
            spec = {"componentRef": name, "target": {"componentRef": callee}}
            found.append(_resource("Connection", f"{name}-{step}", spec))
    return Shelf(found)


def measure(count: int = COMPONENTS, policies: str = "Cilium") -> float:
    """Returns the seconds of processor time from what is declared to all policies.

    Reading is not among them. Processor time, as others on the machine are not what is measured.
    """
    made = shelf(count, policies)
    component_policy(assemble(made, "component-0", _ENVIRONMENT))  # what is loaded once
    begin = time.process_time()
    for number in range(count):
        component_policy(assemble(made, f"component-{number}", _ENVIRONMENT))
    return time.process_time() - begin


def main() -> int:
    """Prints the times and the budget; returns 1 when it is passed."""
    worst = 0.0
    for policies in ("Kubernetes", "Cilium"):
        took = measure(policies=policies)
        worst = max(worst, took)
        print(
            f"{COMPONENTS} policies for {policies}, {CONNECTIONS} connections each: {took:.2f} s "
            f"of processor time (budget {BUDGET_SECONDS:.0f} s)"
        )
    return 0 if worst < BUDGET_SECONDS else 1


if __name__ == "__main__":
    raise SystemExit(main())
