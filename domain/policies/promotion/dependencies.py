"""Whether what a component calls answers where it is to come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from domain.dependencies import Dependency


class Called(BaseModel):
    """How a component that is called does in the target environment."""

    model_config = ConfigDict(frozen=True)

    runs: bool = False
    ready: bool = False
    reason: str = ""
    """Why it is not ready; empty = nobody said."""


def dependencies_hold(
    environment: str,
    dependencies: Sequence[Dependency],
    called: Mapping[str, Called],
    mutual: Collection[str],
) -> tuple[bool, str]:
    """Returns whether all dependencies are there, and why or why not.

    Components that need each other do not wait for each other: none could come first.

    Args:
        environment: The target.
        dependencies: What the component calls.
        called: How each component among them does in the target.
        mutual: Components in a cycle with the one that is promoted.
    """
    if not dependencies:
        return True, "it calls nobody"
    problems = [f"{one.connection}: {one.message}" for one in dependencies if not one.is_found]
    within = [one for one in dependencies if one.is_found and one.component]
    for name in sorted({one.component for one in within} - set(mutual)):
        state = called.get(name, Called())
        if not state.runs:
            problems.append(f"{name} does not run in {environment}")
        elif not state.ready:
            told = f" ({state.reason})" if state.reason else ""
            problems.append(f"{name} is not ready in {environment}{told}")
    if problems:
        return False, "; ".join(problems)
    answering = sorted({one.component for one in within} - set(mutual))
    cyclic = sorted({one.component for one in within} & set(mutual))
    outside = [one.target for one in dependencies if not one.component]
    parts = []
    if answering:
        verb = "answers" if len(answering) == 1 else "answer"
        parts.append(f"{', '.join(answering)} {verb} in {environment}")
    if cyclic:
        parts.append(f"not waited for, as they need each other: {', '.join(cyclic)}")
    if outside:
        parts.append(f"not looked at, as they lie outside: {', '.join(outside)}")
    return True, "; ".join(parts)
