"""How it must end, whatever broke meanwhile."""

from __future__ import annotations

from tests.faults.organization import Organization
from tests.faults.people import Operation, told

DEPLOYED_ONCE = "the deployment goes on by itself and is made once"
BUILT_ONCE = "the build goes on by itself; there is one artifact"


async def deployed_once(org: Organization, done: Operation) -> None:
    """Asserts that the deployment succeeded and is there exactly once, everywhere."""
    assert done["phase"] == "Succeeded", told(done)
    assert done["retrying"] == [], told(done)
    assert await org.seen.running() == ["hello"]
    assert await org.seen.recorded() == ["Succeeded"]
    assert await org.seen.rollouts() == {"web": "1"}


async def built_once(org: Organization, done: Operation) -> None:
    """Asserts that the build succeeded and left one artifact, from one run."""
    assert done["phase"] == "Succeeded", told(done)
    assert len(await org.seen.artifacts()) == 1
    assert await org.seen.procedures("build") == 1
    assert len(await org.seen.argo_workflows()) == 1
