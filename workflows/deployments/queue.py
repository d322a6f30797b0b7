"""The queue of one place: what runs, what waits, what was asked before."""

from __future__ import annotations

from domain.deliveries import DeployRequest, Enqueued
from domain.policies.queue import admit, is_answered, withdraw

_REMEMBERED = 100


class DeployQueue:
    """Keeps the state the queueing policy decides about. Lives inside one workflow run."""

    def __init__(self) -> None:
        self._waiting: tuple[DeployRequest, ...] = ()
        self._running: DeployRequest | None = None
        self._done: list[str] = []
        self._superseded: list[tuple[DeployRequest, DeployRequest]] = []
        self._rendered = 0

    @property
    def waiting(self) -> tuple[str, ...]:
        """Ids of the requests that wait, in order."""
        return tuple(request.request_id for request in self._waiting)

    @property
    def running(self) -> str:
        """Id of the request that is carried out; empty when none is."""
        return self._running.request_id if self._running else ""

    def add(self, request: DeployRequest) -> Enqueued:
        """Gives a request its place; one that was carried out in this run already has none."""
        if request.request_id in self._done or is_answered(request, self._rendered):
            return Enqueued(position=0, duplicate=True)
        admission = admit(self._waiting, self._running, request)
        self._waiting = admission.waiting
        self._superseded += [(older, request) for older in admission.superseded]
        return Enqueued(position=admission.position, duplicate=admission.duplicate)

    def renders(self, generation: int) -> None:
        """Takes out the requests that the running deployment answers: it renders what they ask."""
        self._rendered = max(self._rendered, generation)
        self._waiting = tuple(
            request for request in self._waiting if not is_answered(request, self._rendered)
        )

    def rest(self) -> DeployRequest | None:
        """Returns the next request with all that wait behind it, for a queue that goes on anew."""
        if not self._waiting:
            return None
        first, *others = self._waiting
        return first.model_copy(update={"behind": tuple(others)})

    def take(self) -> DeployRequest | None:
        """Ends the running request and returns the next one, None when nobody waits."""
        if self._running is not None:
            self._done = [*self._done[1 - _REMEMBERED :], self._running.request_id]
        self._running, self._waiting = (
            (self._waiting[0], self._waiting[1:]) if self._waiting else (None, ())
        )
        return self._running

    def take_superseded(self) -> list[tuple[DeployRequest, DeployRequest]]:
        """Returns the requests that gave way since it was asked last, each with the newer one."""
        taken, self._superseded = self._superseded, []
        return taken

    def withdraw(self, request_id: str) -> bool:
        """Takes a waiting request out; False when it does not wait."""
        before = self._waiting
        self._waiting = withdraw(before, request_id)
        return len(self._waiting) < len(before)
