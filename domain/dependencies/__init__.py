"""Who offers what, who calls whom, and whether that can be: pure functions of what is declared."""

from __future__ import annotations

from domain.dependencies.graph import DependencyGraph, Edge, edge_of, reachable
from domain.dependencies.interfaces import Catalogue, Interfaces, dependency_of, interfaces_of
from domain.dependencies.offers import endpoint_problem, offered
from domain.dependencies.resolving import UNUSED_POLICY, Dependency, DependencyState, resolved

__all__ = [
    "UNUSED_POLICY",
    "Catalogue",
    "Dependency",
    "DependencyGraph",
    "DependencyState",
    "Edge",
    "Interfaces",
    "dependency_of",
    "edge_of",
    "endpoint_problem",
    "interfaces_of",
    "offered",
    "reachable",
    "resolved",
]
