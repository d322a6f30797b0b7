"""Who asked for promotions to one place, and what became of those that never began."""

from __future__ import annotations

from domain.deliveries.promotions import PromotionRequest
from domain.policies.promotion.arrivals import Arrival, arrival
from domain.records import FactResult
from workflows.common.facts import Facts
from workflows.promotions.passage import Passage, title

_REMEMBERED = 50


class Requests:
    """The requests that wait for their turn, each counted once."""

    def __init__(self, first: PromotionRequest) -> None:
        self.waiting = [first]
        self._seen = [first.request_id]
        self._gone: list[tuple[PromotionRequest, PromotionRequest]] = []
        """Requests that gave way before they began, and to which."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Of those that wait, in order."""
        return tuple(one.request_id for one in self.waiting)

    def came(self, request: PromotionRequest, current: Passage | None) -> bool:
        """Takes a request in; tells whether what is on its way must give way to it.

        Args:
            request: Equal ones count once.
            current: What is on its way and may still give way; None = nothing.
        """
        if request.request_id in self._seen:
            return False
        self._seen = [*self._seen[1 - _REMEMBERED :], request.request_id]
        yields = False
        if current is not None:
            came = arrival(request, current.request, current.artifact)
            if came is Arrival.JOINS:
                return False
            yields = came is Arrival.SUPERSEDES
        kept = []
        for older in self.waiting:
            came = arrival(request, older)
            if came is Arrival.JOINS:
                return yields
            if came is Arrival.SUPERSEDES:
                self._gone.append((older, request))
            else:
                kept.append(older)
        self.waiting = [*kept, request]
        return yields

    def tell(self, log: Facts, *, cancelled: bool = False) -> None:
        """Adds to the facts what became of requests that never began.

        Args:
            log: Of a promotion that is written down anyway.
            cancelled: All that wait are given up as well.
        """
        for older, newer in self._gone:
            log.add(
                "promotion.superseded",
                step=f"never-began-{older.request_id}",
                result=FactResult.REFUSED,
                actor=older.trigger.actor or older.trigger.kind.value,
                after=older.artifact,
                message=f"gave way to {title(newer)} before it began",
            )
        self._gone = []
        for one in self.waiting if cancelled else ():
            log.add(
                "promotion.cancelled",
                step=f"never-began-{one.request_id}",
                result=FactResult.UNDONE,
                actor=one.trigger.actor or one.trigger.kind.value,
                after=one.artifact,
                message="cancelled before it began: nothing was done",
            )
