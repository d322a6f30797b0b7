"""Makes a credential that the target takes, and sees the old one unused."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.secrets.rotations import RotationActivities
from domain.errors import Errored, InvalidRequest, PlatformError
from runtime.errors import as_domain_error
from workflows.common.progress import Progress
from workflows.secrets.steps import Steps
from workflows.secrets.turning import Turning

_VALUES = 3
"""How many values are made when the target refuses them."""
_LONGEST_USE = timedelta(days=30)
"""How long others may go on using the old credential before the rotation is undone."""


async def prove(turning: Turning, steps: Steps) -> None:
    """Makes a new value, gives it to the target and logs in with it.

    Raises:
        InvalidRequest: The target refused every value.
        Denied: The target took it and does not let it log in.
    """

    async def create() -> None:
        turning.turn = await turning.do(
            RotationActivities.create_version, "make and write a new value"
        )

    async def give() -> None:
        await turning.do(RotationActivities.give_to_target, "make the target take it")

    async def test() -> None:
        await turning.do(RotationActivities.test_version, "log in with it")

    attempt = 0
    while True:
        attempt += 1
        turning.begin(attempt)
        await steps.do("create", create)
        try:
            await steps.do("set", give)
        except (FailureError, PlatformError) as failure:
            refused = as_domain_error(failure)
            if not isinstance(refused, InvalidRequest) or attempt == _VALUES:
                raise
            await turning.insist(RotationActivities.withdraw_new, "destroy the new credential")
            continue
        await steps.do("test", test)
        return


class Observation:
    """Who still uses the old credential."""

    def __init__(self) -> None:
        self.users: tuple[str, ...] = ()

    async def ended(self, turning: Turning, steps: Steps, progress: Progress) -> None:
        """Returns when the old credential was seen unused for as long as the plan wants.

        Who uses one that leaked is not waited for: it is locked with whoever has it.

        Raises:
            Errored: Somebody goes on using it; the message says who.
        """
        quiet = timedelta(seconds=turning.turn.plan.quiet_seconds)

        async def unused() -> None:
            given_up = workflow.now() + _LONGEST_USE + quiet
            while workflow.now() < given_up:
                seen = await turning.old_users()
                self.users = seen.users
                if seen.unused or turning.turn.plan.leaked:
                    return
                progress.awaits(f"{', '.join(seen.users)} to let go of the old credential")
            raise Errored(f"the old credential is still used by {', '.join(self.users)}")

        awaiting = f"the old credential to be unused for {quiet}"
        await steps.do("observe", unused, awaiting=awaiting, until=workflow.now() + quiet)
