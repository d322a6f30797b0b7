"""The gate about dependencies: what is called must answer where the component is to come."""

from __future__ import annotations

import pytest

from domain.dependencies import Dependency, DependencyState
from domain.policies.promotion.dependencies import Called, dependencies_hold

pytestmark = pytest.mark.unit

BILLING = Dependency(connection="c", state=DependencyState.FOUND, component="billing", port=1)
MAIL = Dependency(connection="m", state=DependencyState.FOUND, host="mail.example", port=443)
GONE = Dependency(
    connection="g", state=DependencyState.MISSING, message="waiting until it is there"
)
WELL = Called(runs=True, ready=True)


@pytest.mark.parametrize(
    ("dependencies", "called", "mutual", "passes", "reason"),
    [
        ((), {}, (), True, "it calls nobody"),
        ((BILLING,), {"billing": WELL}, (), True, "billing answers in prod"),
        ((BILLING,), {}, (), False, "billing does not run in prod"),
        (
            (BILLING,),
            {"billing": Called(runs=True, reason="CrashLoopBackOff")},
            (),
            False,
            "billing is not ready in prod (CrashLoopBackOff)",
        ),
        ((GONE,), {}, (), False, "g: waiting until it is there"),
        ((MAIL,), {}, (), True, "not looked at, as they lie outside: mail.example:443"),
        (
            (BILLING,),
            {},
            ("web", "billing"),
            True,
            "not waited for, as they need each other: billing",
        ),
    ],
)
def test_dependencies_must_answer_in_the_target(
    dependencies: tuple[Dependency, ...],
    called: dict[str, Called],
    mutual: tuple[str, ...],
    passes: bool,
    reason: str,
) -> None:
    assert dependencies_hold("prod", dependencies, called, mutual) == (passes, reason)
