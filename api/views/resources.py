"""Reads and writes resources for people: who may, in which order, what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.access import Access
from api.kinds import kind_of
from api.schemas.deliveries import AppliedResource
from api.views.components import all_of
from clients.kubernetes import Cluster, Kind
from domain.errors import Conflict, InvalidRequest, PlatformError
from domain.rendering.labels import ORGANIZATION
from domain.rendering.tenants.access import action_for
from domain.resources import (
    KINDS,
    Action,
    Component,
    DeploymentPipeline,
    Organization,
    Project,
    Resource,
    parse,
)

MANAGER = "pavane-cli"
_NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)
_KEPT_METADATA = ("name", "namespace", "labels", "annotations")
_ORDER = {kind: place for place, kind in enumerate(KINDS)}
_OWNERS = frozenset({"backend_ref", "component_ref", "project_ref"})


class Places:
    """Tells to which project and environment a resource belongs."""

    def __init__(self, components: Iterable[Component]) -> None:
        self._projects = {one.name: one.project for one in components}

    @classmethod
    async def of(cls, cluster: Cluster, organization: str, model: type[Resource]) -> Places:
        """Reads what is needed to place resources of a kind: most kinds need nothing."""
        return cls(await all_of(cluster, Component, organization) if _is_owned(model) else ())

    def of_resource(self, resource: Resource) -> tuple[str, str]:
        """Returns project and environment; empty where the resource has none."""
        if isinstance(resource, Project):
            return resource.name, ""
        if isinstance(resource, Component):
            return resource.project, ""
        spec: Any = getattr(resource, "spec", None)
        backend = getattr(spec, "backend_ref", None)
        component = getattr(backend or spec, "component_ref", "")
        project = getattr(spec, "project_ref", "") or self._projects.get(component, "")
        return project, getattr(spec, "environment_ref", "")


def manifests(body: Any) -> list[dict[str, Any]]:
    """Returns the manifests of a request: one, a JSON array, or a Kubernetes ``List``.

    Raises:
        InvalidRequest: It is none of these.
    """
    if isinstance(body, Mapping) and isinstance(body.get("items"), list):
        body = body["items"]
    found = body if isinstance(body, list) else [body]
    if not found or not all(isinstance(one, dict) for one in found):
        raise InvalidRequest("the body must be a manifest or a list of manifests")
    return sorted(found, key=lambda one: _ORDER.get(str(one.get("kind")), len(_ORDER)))


def tidy(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an object without the bookkeeping that nobody wants to read."""
    metadata = {key: item for key, item in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


async def visible(
    cluster: Cluster,
    access: Access,
    organization: Organization,
    model: type[Resource],
    name: str = "",
) -> list[dict[str, Any]]:
    """Returns the resources of a kind in an organization that the person may see, by name.

    With ``name`` the one of that name, if there is one.
    """
    only = f"metadata.name={name}" if name else ""
    listing = await cluster.list(kind_of(model), organization.name, fields=only)
    places = await Places.of(cluster, organization.name, model)
    return sorted(
        (tidy(item) for item in listing.items if _sees(access, organization, places, item)),
        key=lambda item: str(item["metadata"]["name"]),
    )


def _sees(
    access: Access, organization: Organization, places: Places, item: Mapping[str, Any]
) -> bool:
    try:
        project, environment = places.of_resource(parse(item))
    except InvalidRequest:
        # Written under another version of the schema: shown to those who may see everything.
        project, environment = "", ""
    if not project and not _is_owned(KINDS[str(item["kind"])]):
        return True  # environments, planes, classes: every member needs to know them
    return access.sees(organization, project, environment)


def _is_owned(model: type[Resource]) -> bool:
    """Tells whether resources of a kind belong to a component or a project."""
    spec: Any = model.model_fields["spec"].annotation
    return bool(_OWNERS & set(spec.model_fields))


async def permit(cluster: Cluster, access: Access, resource: Resource, action: Action) -> None:
    """Returns when the person may do that to the resource.

    Raises:
        NotFound: The organization is not theirs to know.
        Denied: They may not.
    """
    if isinstance(resource, Organization):
        access.permit(None, Action.ADMINISTER)
        return
    await access.organization(resource.organization)
    places = await Places.of(cluster, resource.organization, type(resource))
    project, environment = places.of_resource(resource)
    await access.require(resource.organization, action, project=project, environment=environment)


class Application:
    """Applies manifests for one person: all are checked before the first one is written."""

    def __init__(self, cluster: Cluster, access: Access, *, dry_run: bool, force: bool) -> None:
        self._cluster = cluster
        self._access = access
        self._dry_run = dry_run
        self._force = force
        self._founded: set[str] = set()
        """Organizations that this very request brings into being."""

    async def apply(
        self, given: Sequence[dict[str, Any]], organization: str
    ) -> list[AppliedResource]:
        """Applies in the order given; equal content changes nothing.

        Raises:
            InvalidRequest: A manifest is not valid; nothing was written.
            Denied: The person may not write one of them; nothing was written.
            FieldConflict: Another manager owns fields; ``facts`` also tells what was written.
        """
        self._founded = await self._new_organizations(given)
        prepared = [await self._prepared(one, organization) for one in given]
        done: list[AppliedResource] = []
        for manifest, before in prepared:
            try:
                done.append(await self._one(manifest, before))
            except PlatformError as error:
                error.facts["applied"] = ", ".join(f"{one.kind}/{one.name}" for one in done)
                raise
        return done

    async def _new_organizations(self, given: Sequence[dict[str, Any]]) -> set[str]:
        names = {
            str(one["metadata"].get("name", ""))
            for one in given
            if one.get("kind") == Organization.kind and isinstance(one.get("metadata"), dict)
        }
        kind = kind_of(Organization)
        return {name for name in names if name and not await self._cluster.find(kind, name)}

    async def _prepared(
        self, raw: dict[str, Any], organization: str
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Returns what is applied and what is there now."""
        manifest = _manifest(raw, organization)
        resource = parse(manifest)
        if isinstance(resource, DeploymentPipeline) and (problems := resource.problems()):
            raise InvalidRequest(f"DeploymentPipeline {resource.name}: {'; '.join(problems)}")
        action = action_for(type(resource))
        if resource.organization in self._founded:
            self._access.permit(None, Action.ADMINISTER)
            return manifest, None
        await permit(self._cluster, self._access, resource, action)
        before = await self._cluster.find(
            kind_of(type(resource)), resource.name, resource.namespace
        )
        if before is not None:
            # The present object may belong to another project than the manifest says.
            await permit(self._cluster, self._access, parse(before), action)
        return manifest, before

    async def _one(
        self, manifest: dict[str, Any], before: dict[str, Any] | None
    ) -> AppliedResource:
        if manifest["kind"] == Organization.kind and not self._dry_run:
            await ensure_namespace(self._cluster, manifest["metadata"]["name"])
        namespace = manifest["metadata"].get("namespace", "")
        outcome = "created"
        if not (self._dry_run and namespace in self._founded):
            after = await self._cluster.apply(
                manifest, manager=MANAGER, force=self._force, dry_run=self._dry_run
            )
            outcome = _outcome(before, after)
        return AppliedResource(
            kind=manifest["kind"],
            name=manifest["metadata"]["name"],
            namespace=namespace,
            outcome=outcome,
        )


async def ensure_namespace(cluster: Cluster, organization: str) -> None:
    """Makes the namespace in which the resources of an organization live.

    Idempotent. It is there before the Organization, so that what is applied next finds it.

    Raises:
        Conflict: There is a namespace of that name that no organization owns.
    """
    found = await cluster.find(_NAMESPACES, organization)
    if found is None:
        metadata = {"name": organization, "labels": {ORGANIZATION: organization}}
        await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    elif await cluster.find(kind_of(Organization), organization) is None and (
        found["metadata"].get("labels", {}).get(ORGANIZATION) != organization
    ):
        raise Conflict(
            f"namespace {organization} exists and belongs to no organization: label it "
            f"{ORGANIZATION}={organization} to give it to this one"
        )


def _manifest(raw: dict[str, Any], organization: str) -> dict[str, Any]:
    """Returns the part of a manifest that people decide about, in the right namespace."""
    model = KINDS.get(str(raw.get("kind")))
    given = raw.get("metadata")
    metadata = {
        key: given[key] for key in _KEPT_METADATA if isinstance(given, dict) and given.get(key)
    }
    if model is not None and model.scope == "Namespaced" and "namespace" not in metadata:
        if not organization:
            raise InvalidRequest(
                f"{model.kind} {metadata.get('name', '')}: metadata.namespace is missing and the "
                "request names no organization"
            )
        metadata["namespace"] = organization
    content = {"apiVersion": raw.get("apiVersion", ""), "kind": raw.get("kind", "")}
    unknown = set(raw) - {"apiVersion", "kind", "metadata", "spec", "status"}
    if unknown:
        raise InvalidRequest(f"{content['kind']}: unknown field {', '.join(sorted(unknown))}")
    return {**content, "metadata": metadata, "spec": raw.get("spec") or {}}


def _outcome(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    if before is None:
        return "created"
    same = before["metadata"].get("generation") == after["metadata"].get("generation") and all(
        before["metadata"].get(part) == after["metadata"].get(part)
        for part in ("labels", "annotations")
    )
    return "unchanged" if same else "configured"
