"""Copies the logs of a component's pods from their plane to where the asker reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.common.heartbeats import heartbeating
from activities.common.kinds import PODS
from activities.common.namespaces import check_owner
from activities.looks.log_copies import LogCopy
from activities.looks.past_logs import PastLogs
from clients.kubernetes.backoff import Backoff
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.logs import lines, pod_logs
from clients.kubernetes.shared import SharedWatch, SharedWatches
from clients.kubernetes.watch import DELETED, Object
from clients.objects import ObjectStore
from domain.deliveries.logs import NO_PODS, CopiedLog, PreparedLog
from domain.errors import InvalidRequest, NotFound, PlatformError, RateLimited, StaleRevision
from domain.policies.log_lines import LogLine, is_newer, second_of
from domain.rendering import labels as names

FOLLOWED_FOR = timedelta(minutes=10)
"""How long one look follows; who goes on reading begins another where it ended."""
_MOST_FOLLOWED = 200
"""Looks that follow at once in one worker: they must not take the turns of deployments."""
_MOST_CONTAINERS = 100
"""Each that is followed is a connection to the API server of the plane."""


class LogActivities:
    """Readings of the pods of one plane."""

    def __init__(
        self,
        cluster: Cluster,
        watches: SharedWatches,
        objects: ObjectStore,
        past: PastLogs | None = None,
    ) -> None:
        self._cluster = cluster
        self._watches = watches
        self._objects = objects
        self._past = past or PastLogs()
        self._followed = 0

    @activity.defn
    async def copy_log(self, order: PreparedLog) -> CopiedLog:
        """Copies what the pods wrote; with ``follow`` also what they write, for ten minutes.

        With ``since`` what pods that are gone wrote comes first, where a log store keeps it.

        Idempotent: a later attempt goes on after the last line that is in the copy. Cancel: at
        once, the copy stays as it is. Heartbeat: how many containers are read.

        Raises:
            NotFound: There are no pods, and it is not followed.
            Denied: The namespace belongs to somebody else.
            RateLimited: Too many logs are followed on this plane.
            DependencyUnavailable: The API server or the object store does not answer.
        """
        request = order.request
        await check_owner(self._cluster, order.namespace, request.organization)
        copy = await LogCopy.open(self._objects, request)
        reading = _Reading(self._cluster, order, copy, self._past)
        async with heartbeating(lambda: len(reading.containers)):
            try:
                if request.follow:
                    await self._follow(reading)
                else:
                    await reading.now()
            finally:
                await copy.close()
            await copy.finish()
        return CopiedLog(containers=len(reading.containers), full=copy.is_full)

    async def _follow(self, reading: _Reading) -> None:
        if self._followed >= _MOST_FOLLOWED:
            raise RateLimited(f"{_MOST_FOLLOWED} logs are followed on this plane already")
        self._followed += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(FOLLOWED_FOR.total_seconds()):
                    await reading.follow(self._watches)
        finally:
            self._followed -= 1


class _Reading:
    """The containers of one component, read into one copy."""

    def __init__(self, cluster: Cluster, order: PreparedLog, copy: LogCopy, past: PastLogs) -> None:
        self._cluster = cluster
        self._past = past
        self._order = order
        self._copy = copy
        self._pods: SharedWatch | None = None
        self.containers: set[str] = set()

    async def now(self) -> None:
        """Copies what has been written so far, pod after pod."""
        request, namespace = self._order.request, self._order.namespace
        label = f"{names.COMPONENT}={request.component}"
        pods = (await self._cluster.list(PODS, namespace, label)).items
        said, gone = await self._gone([str(pod["metadata"]["name"]) for pod in pods])
        if not pods and not gone:
            nothing = (
                f"there are no pods of {request.component} in {request.environment} "
                f"(namespace {namespace} on plane {self._order.plane})"
            )
            told = f"{nothing}; {said}" if said else nothing
            raise NotFound(told, facts={"reason": NO_PODS})
        if said:
            await self._copy.add(LogLine.note("-", "-", said))
        for pod in sorted(pods, key=_created):
            for container in _started(pod):
                self.containers.add(_source(pod, container))
                try:
                    await self._copy_once(pod, container, follow=False)
                except StaleRevision:
                    raise
                except PlatformError as error:
                    await self._note(pod, container, f"the log ends here: {error.message}")
                if self._copy.is_full:
                    return

    async def _gone(self, living: list[str]) -> tuple[str, int]:
        """Copies what pods that are gone wrote; returns why not, and of how many containers."""
        request, store = self._order.request, self._order.store
        if not request.since or request.previous:
            return "", 0
        if store is None:
            return (
                "what pods that are gone wrote is not kept: the DataPlane names no "
                "ObservabilityPlane that has a logsUrl"
            ), 0
        try:
            return "", await self._past.copy_to(self._copy, store, self._order, living)
        except StaleRevision:
            raise
        except PlatformError as error:
            where = f"see `pavane describe observabilityplane {store.name}`"
            return f"what pods that are gone wrote cannot be read: {error.message}; {where}", 0

    async def follow(self, watches: SharedWatches) -> None:
        """Copies what is written, also by pods that come later, until the copy is full."""
        self._pods = watch = watches.of(PODS, labels=names.COMPONENT)
        try:
            async with (
                asyncio.TaskGroup() as group,
                watch.subscribe(self._is_ours) as events,
            ):
                group.create_task(self._until_full())
                async for event in events:
                    for container in _started(event.object) if event.type != DELETED else ():
                        await self._attach(group, event.object, container)
        except ExceptionGroup as ended:
            errors = [one for one in ended.exceptions if not isinstance(one, _Full)]
            if errors:
                raise errors[0] from ended

    async def _attach(self, group: asyncio.TaskGroup, pod: Object, container: str) -> None:
        """Begins to read a container that has started, and again after each restart."""
        instance = f"{_source(pod, container)}/{_restarts(pod, container)}"
        if instance in self.containers:
            return
        self.containers.add(instance)
        if len(self.containers) > _MOST_CONTAINERS:
            await self._note(pod, container, f"not followed: {_MOST_CONTAINERS} others are")
            return
        group.create_task(self._follow_one(pod, container), name=f"log of {instance}")

    async def _follow_one(self, pod: Object, container: str) -> None:
        """Reads to the end of the container, again after each fault on the way to it."""
        backoff, told = Backoff(first=0.5), ""
        while True:
            try:
                await self._copy_once(pod, container, follow=True)
            except StaleRevision:
                raise
            except PlatformError as error:
                if error.message != told:
                    told = error.message
                    await self._note(pod, container, f"interrupted: {told}")
                if not error.retryable:
                    return
            else:
                if not self._runs(pod, container):
                    return
            await backoff.wait()

    async def _copy_once(self, pod: Object, container: str, *, follow: bool) -> None:
        request = self._order.request
        source, label = _source(pod, container), _label(pod, container)
        known = self._copy.seen(source)
        parts = pod_logs(
            self._cluster,
            self._order.namespace,
            str(pod["metadata"]["name"]),
            container,
            follow=follow,
            tail=None if known or request.since else request.tail,
            previous=request.previous,
            timestamps=True,
            since=second_of(known) or request.since,
        )
        try:
            async for content in lines(parts):
                line = LogLine.of(content, source, label)
                if known and not (line.time and is_newer(line.time, known)):
                    continue  # of the second in which the last known line was written
                known = ""
                await self._copy.add(line)
                if self._copy.is_full:
                    return
        except (NotFound, InvalidRequest):
            return  # gone, or not started again yet

    def _runs(self, pod: Object, container: str) -> bool:
        """Tells whether an instance goes on, although its log ended: its node broke it off."""
        meta = pod["metadata"]
        store = self._pods.store if self._pods is not None else {}
        now = store.get((meta["namespace"], meta["name"]), {})
        statuses = now.get("status", {}).get("containerStatuses") or ()
        return now.get("metadata", {}).get("uid") == meta["uid"] and any(
            one["name"] == container
            and "running" in one.get("state", {})
            and one.get("restartCount", 0) == _restarts(pod, container)
            for one in statuses
        )

    async def _note(self, pod: Object, container: str, text: str) -> None:
        await self._copy.add(LogLine.note(_source(pod, container), _label(pod, container), text))

    async def _until_full(self) -> None:
        await self._copy.full.wait()
        raise _Full

    def _is_ours(self, obj: Object) -> bool:
        meta = obj["metadata"]
        labels = meta.get("labels") or {}
        place = (self._order.namespace, self._order.request.component)
        return (meta.get("namespace"), labels.get(names.COMPONENT)) == place


class _Full(Exception):
    """The copy takes no more."""


def _started(pod: Mapping[str, Any]) -> list[str]:
    """Containers of which there is a log."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return [
        str(status["name"])
        for status in statuses
        if {"running", "terminated"} & set(status.get("state", {})) or status.get("lastState")
    ]


def _restarts(pod: Mapping[str, Any], container: str) -> int:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return sum(int(one.get("restartCount", 0)) for one in statuses if one["name"] == container)


def _source(pod: Mapping[str, Any], container: str) -> str:
    return f"{pod['metadata']['uid']}/{container}"


def _label(pod: Mapping[str, Any], container: str) -> str:
    name = str(pod["metadata"]["name"])
    return name if container == "main" else f"{name}/{container}"


def _created(pod: Mapping[str, Any]) -> tuple[str, str]:
    meta = pod["metadata"]
    return str(meta.get("creationTimestamp", "")), str(meta["name"])
