"""Brings the version in use to everyone who uses a secret, and has their pods begin anew."""

from __future__ import annotations

from datetime import timedelta

from activities.planes.rollouts import RolloutActivities
from activities.secrets.delivery import SecretDelivery
from domain.deliveries import Bundle, FollowRollout
from domain.deliveries.rotations import PlaneConsumers
from domain.deliveries.secrets import (
    DeliverSecret,
    FindConsumers,
    RestartConsumer,
    SecretConsumer,
)
from domain.rendering.labels import COMPONENT
from workflows.common.calls import QUICK, WRITE, call, watch
from workflows.secrets.turning import PATIENT

_READY = 600
"""Seconds the pods of one consumer have to become ready."""


class Consumers:
    """Who uses one secret, on all planes. Lives inside one workflow run."""

    def __init__(
        self,
        organization: str,
        path: str,
        *,
        even_if_cancelled: bool = False,
        readers: tuple[str, ...] = (),
    ) -> None:
        self._organization = organization
        self._path = path
        self._readers = readers
        self._undoing = even_if_cancelled
        self._write = PATIENT if even_if_cancelled else WRITE
        self.found: tuple[PlaneConsumers, ...] = ()

    async def find(self, planes: tuple[str, ...]) -> None:
        """Asks each plane."""
        self.found = tuple([await self._on(queue) for queue in planes])

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, for people."""
        return tuple(one.shown for plane in self.found for one in plane.items)

    @property
    def readers(self) -> tuple[str, ...]:
        """The service accounts of those that read OpenBao themselves."""
        own = (one for plane in self.found for one in plane.items if one.reads)
        return tuple(sorted({f"{one.namespace}/{one.account}" for one in own}))

    async def deliver(self) -> None:
        """Brings the version in use to each that does not read OpenBao itself."""
        for plane in self.found:
            for one in plane.items:
                if one.reads:
                    continue
                await call(
                    SecretDelivery.deliver_secret,
                    DeliverSecret(consumer=one),
                    f"deliver {self._path} to {one.shown}",
                    queue=plane.queue,
                    options=self._write,
                    even_if_cancelled=self._undoing,
                )

    async def restart(self, version: int) -> None:
        """Has the pods of each begin anew, one consumer after the other, each until it is ready.

        Raises:
            RolloutFailed: One did not become ready; those after it were left alone.
        """
        for plane in self.found:
            for one in plane.items:
                if one.restarts:
                    await self._restart(plane.queue, one, version)

    async def _on(self, queue: str) -> PlaneConsumers:
        found = await call(
            SecretDelivery.find_consumers,
            FindConsumers(organization=self._organization, path=self._path, readers=self._readers),
            f"who uses {self._path} on {queue}",
            queue=queue,
            options=self._write if self._undoing else QUICK,
            even_if_cancelled=self._undoing,
        )
        return PlaneConsumers(queue=queue, items=found.items)

    async def _restart(self, queue: str, one: SecretConsumer, version: int) -> None:
        done = await call(
            SecretDelivery.restart_consumer,
            RestartConsumer(consumer=one, versions={self._path: version}),
            f"replace the pods of {one.shown}",
            queue=queue,
            options=self._write,
            even_if_cancelled=self._undoing,
        )
        if not done.restarted:
            return
        meta = {"name": one.name, "namespace": one.namespace, "labels": {COMPONENT: one.component}}
        obj = {"apiVersion": "apps/v1", "kind": one.kind, "metadata": meta}
        await call(
            RolloutActivities.follow_rollout,
            FollowRollout(
                bundle=Bundle(namespace=one.namespace, objects=(obj,)), deadline_seconds=_READY
            ),
            f"await that {one.shown} is ready",
            queue=queue,
            options=watch(timedelta(seconds=_READY)),
            even_if_cancelled=self._undoing,
        )
