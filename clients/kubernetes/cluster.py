"""Reads and writes the objects of one cluster."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Self

from clients.kubernetes.errors import Expired
from clients.kubernetes.kinds import Kind, Kinds
from clients.kubernetes.listing import Listing
from clients.kubernetes.races import unconditional
from clients.kubernetes.session import Session
from clients.kubernetes.watch import Object, WatchEvent, resource_version, watch
from domain.errors import Conflict, InvalidRequest, NotFound
from domain.ids import FIELD_MANAGER

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_PAGE = 500
_PAGES_BEFORE_GIVING_UP = 3
_CONFIDENTIAL = {"Secret"}


class Cluster:
    """One cluster's API. Made by ``connect``, shared by everybody, ended by ``close``.

    Objects are JSON as the API server gives them. All methods raise ``DependencyUnavailable`` when
    there is no answer, ``RateLimited``, ``InvalidRequest`` (fields in ``facts``), ``Denied`` for
    admission and quota, and ``Errored`` when the platform itself lacks a right.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        """For the neighbouring modules that stream; not for callers."""
        self._kinds = Kinds(session)

    @classmethod
    async def connect(
        cls, kubeconfig: Path | None, context: str | None = None, user_agent: str = "pavane"
    ) -> Self:
        """Prepares a connection; the first request opens it.

        Args:
            kubeconfig: File; None = ``KUBECONFIG``, then the pod's service account.
            context: Context in the file; None = its current one.
            user_agent: What the API server's audit log shows.
        """
        return cls(await Session.open(kubeconfig, context, user_agent))

    async def close(self) -> None:
        """Closes all connections; watches and followed logs end with an error."""
        await self.session.close()

    async def ready(self) -> None:
        """Returns when the API server answers, else raises ``DependencyUnavailable``."""
        await self.session.json("GET", "/version", what="API server")

    async def kind_of(self, api_version: str, kind: str) -> Kind:
        """Returns what the API server knows of a kind; asked once, then remembered.

        Raises:
            NotFound: The API server does not have it.
        """
        return await self._kinds.find(api_version, kind)

    async def get(self, kind: Kind, name: str, namespace: str = "") -> Object:
        """Reads one object.

        Raises:
            NotFound: There is none.
        """
        return await self.session.json(
            "GET", kind.path(namespace, name), what=kind.describe(name, namespace)
        )

    async def find(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        """Reads one object, None when there is none."""
        try:
            return await self.get(kind, name, namespace)
        except NotFound:
            return None

    async def list(
        self, kind: Kind, namespace: str = "", labels: str = "", fields: str = ""
    ) -> Listing:
        """Reads all objects that match, page by page, as they were at one moment.

        Empty namespace = all namespaces. Items carry ``apiVersion`` and ``kind``, which API
        servers leave out in lists.
        """
        for _ in range(_PAGES_BEFORE_GIVING_UP):
            try:
                return await self._list(kind, namespace, labels, fields)
            except Expired:
                continue
        raise Expired(f"list of {kind.describe(namespace=namespace)}: changed faster than read")

    async def _list(self, kind: Kind, namespace: str, labels: str, fields: str) -> Listing:
        params = {"limit": str(_PAGE), "labelSelector": labels, "fieldSelector": fields}
        items: list[Object] = []
        while True:
            page = await self.session.json(
                "GET",
                kind.path(namespace),
                what=f"list of {kind.describe(namespace=namespace)}",
                params={name: value for name, value in params.items() if value},
            )
            items += page.get("items") or []
            if not (following := page.get("metadata", {}).get("continue")):
                break
            params["continue"] = following
        for item in items:
            item.setdefault("apiVersion", kind.api_version)
            item.setdefault("kind", kind.kind)
        return Listing(items, resource_version(page))

    async def apply(
        self,
        obj: Object,
        *,
        manager: str = FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
    ) -> Object:
        """Makes the fields of ``obj`` so (server-side apply); the object need not exist.

        Idempotent: equal content leaves the object and its version as they are.

        Raises:
            FieldConflict: Another manager owns some fields; ``facts`` maps fields to managers.
                ``force`` takes them over instead. With ``dry_run`` nothing is written.
        """
        return await self._apply(obj, manager, force=force, dry_run=dry_run)

    async def apply_status(self, obj: Object, *, manager: str = FIELD_MANAGER) -> Object:
        """Makes the fields of ``obj['status']`` so, taking them over from whoever has them.

        Raises:
            NotFound: The object does not exist.
        """
        kept = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "status": obj["status"]}
        meta = obj["metadata"]
        kept["metadata"] = {key: meta[key] for key in ("name", "namespace", "uid") if key in meta}
        return await self._apply(kept, manager, force=True, subresource="status")

    async def _apply(
        self,
        obj: Object,
        manager: str,
        *,
        force: bool,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Object:
        kind, name, namespace = await self._place(obj)
        params = {"fieldManager": manager, "fieldValidation": "Strict"}
        if force:
            params["force"] = "true"
        if dry_run:
            params["dryRun"] = "All"
        with unconditional(obj):
            return await self.session.json(
                "PATCH",
                kind.path(namespace, name, subresource),
                what=kind.describe(name, namespace),
                params=params,
                body=obj,
                content_type=_APPLY,
                confidential=kind.kind in _CONFIDENTIAL,
            )

    async def create(self, obj: Object, *, manager: str = FIELD_MANAGER) -> Object:
        """Creates an object.

        Raises:
            Conflict: One of that name exists.
        """
        kind, name, namespace = await self._place(obj)
        return await self.session.json(
            "POST",
            kind.path(namespace),
            what=kind.describe(name, namespace),
            params={"fieldManager": manager, "fieldValidation": "Strict"},
            body=obj,
            confidential=kind.kind in _CONFIDENTIAL,
        )

    async def replace(
        self, obj: Object, *, manager: str = FIELD_MANAGER, urgent: bool = False
    ) -> Object:
        """Replaces an object if it is still at its ``metadata.resourceVersion``.

        ``urgent`` = the request waits for no other one of this process.

        Raises:
            StaleRevision: It was changed since.
            NotFound: It is gone.
        """
        kind, name, namespace = await self._place(obj)
        return await self.session.json(
            "PUT",
            kind.path(namespace, name),
            what=kind.describe(name, namespace),
            params={"fieldManager": manager},
            body=obj,
            confidential=kind.kind in _CONFIDENTIAL,
            urgent=urgent,
        )

    async def patch(
        self,
        kind: Kind,
        name: str,
        namespace: str,
        merge_patch: dict[str, Any],
        subresource: str = "",
    ) -> Object:
        """Changes the given fields (JSON merge patch); None removes one."""
        with unconditional(merge_patch):
            return await self.session.json(
                "PATCH",
                kind.path(namespace, name, subresource),
                what=kind.describe(name, namespace),
                params={"fieldManager": FIELD_MANAGER},
                body=merge_patch,
                content_type=_MERGE,
                confidential=kind.kind in _CONFIDENTIAL,
            )

    async def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str = "",
        propagation: str = "Background",
        uid: str = "",
    ) -> bool:
        """Asks for deletion and tells whether the object was there.

        With ``uid`` only that very object is deleted, not a later one of the same name.
        """
        body: Object = {"propagationPolicy": propagation}
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            await self.session.json(
                "DELETE",
                kind.path(namespace, name),
                what=kind.describe(name, namespace),
                body=body,
            )
        except NotFound:
            return False
        except Conflict:
            if uid and await self._is_another(kind, name, namespace, uid):
                return False
            raise
        return True

    async def _is_another(self, kind: Kind, name: str, namespace: str, uid: str) -> bool:
        found = await self.find(kind, name, namespace)
        return found is None or found["metadata"]["uid"] != uid

    def watch(
        self,
        kind: Kind,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        """Yields changes after ``resource_version`` over one connection, until the server ends it.

        Bookmarks are among the events. Most callers want ``SharedWatches`` instead.

        Raises:
            Expired: The version is too old; list again.
        """
        return watch(
            self.session,
            kind,
            namespace=namespace,
            labels=labels,
            fields=fields,
            resource_version=resource_version,
        )

    async def _place(self, obj: Object) -> tuple[Kind, str, str]:
        meta = obj.get("metadata") or {}
        name, namespace = str(meta.get("name", "")), str(meta.get("namespace", ""))
        if not (obj.get("apiVersion") and obj.get("kind") and name):
            raise InvalidRequest("an object needs apiVersion, kind and metadata.name")
        kind = await self.kind_of(obj["apiVersion"], obj["kind"])
        if kind.namespaced and not namespace:
            raise InvalidRequest(f"{kind.describe(name)}: metadata.namespace is missing")
        return kind, name, namespace
