"""Lists, describes, sets and shows secrets. Values go to OpenBao and nowhere else."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.access import Access, AccessDep
from api.dependencies import ServicesDep, TemporalDep
from api.schemas.secrets import (
    ExpiringList,
    ExpiringView,
    SecretList,
    SecretReaders,
    SecretSet,
    SecretShown,
    SecretView,
    SetSecret,
    ShowSecret,
)
from api.views.expiry import expiry_of
from clients.vault import SecretStore
from clients.vault.kv import ACTIVE, EXPIRES, OWNER
from domain.deliveries import Trigger
from domain.deliveries.secrets import SecretChange
from domain.errors import Conflict, NotFound
from domain.resources import Action
from domain.secrets.places import field, is_of_plane, scope_of
from workflows.secrets.starting import start_change

router = APIRouter(prefix="/v1/secrets", tags=["secrets"])
Path = Annotated[
    str, Query(alias="secret", max_length=512, description="PROJECT/ENVIRONMENT/NAME.")
]
_DELIVERY_SECONDS = 20
"""How long the API waits for consumers; a delivery that takes longer goes on by itself."""


@router.get("/{organization}", summary="List secrets")
async def list_secrets(
    organization: str, access: AccessDep, services: ServicesDep, below: str = ""
) -> SecretList:
    """Lists the paths of the secrets that the caller may read about; never a value."""
    found = await access.organization(organization)
    paths = await asyncio.to_thread(services.secrets().names, organization, below.strip("/"))

    def may_read(path: str) -> bool:
        scope = scope_of(path)
        return access.may(found, Action.READ, project=scope.project, environment=scope.environment)

    return SecretList(items=tuple(path for path in paths if may_read(path)))


@router.get("/{organization}/expiring", summary="Secrets that expire")
async def expiring(
    organization: str,
    access: AccessDep,
    services: ServicesDep,
    within_days: Annotated[int, Query(ge=0, le=3660, description="How soon.")] = 30,
) -> ExpiringList:
    """Lists secrets that expire soon, or have, of which the caller may read; with their owners."""
    found = await access.organization(organization)
    before = datetime.now(UTC) + timedelta(days=within_days)
    entries = await asyncio.to_thread(services.secrets().expiring, organization, before)
    shown = [(entry, scope_of(entry.path)) for entry in entries]
    return ExpiringList(
        items=tuple(
            ExpiringView.of(entry)
            for entry, at in shown
            if access.may(found, Action.READ, project=at.project, environment=at.environment)
        )
    )


@router.get("/{organization}/entry", summary="Describe a secret")
async def describe(
    organization: str, path: Path, access: AccessDep, services: ServicesDep
) -> SecretView:
    """Tells versions, fields and whether it is being rotated; never a value."""
    await _permit(access, organization, path, Action.READ)
    store, scope = services.secrets(), scope_of(path)
    entry = await asyncio.to_thread(store.describe, organization, path)
    return SecretView.of(
        entry, scope.project, scope.environment, await _fields(store, organization, path)
    )


@router.get("/{organization}/readers", summary="Who read a secret")
async def readers(
    *,
    organization: str,
    path: Path,
    access: AccessDep,
    services: ServicesDep,
    days: Annotated[int, Query(ge=1, le=366, description="How far back.")] = 7,
) -> SecretReaders:
    """Tells which roles read it, when and from where, from OpenBao's own audit log."""
    await _permit(access, organization, path, Action.READ)
    since = datetime.now(UTC) - timedelta(days=days)
    found = await asyncio.to_thread(services.audit_log().readers, organization, path, since)
    return SecretReaders.of(path, found)


@router.post("/{organization}/set", summary="Set fields of a secret")
async def set_secret(
    *,
    organization: str,
    order: SetSecret,
    access: AccessDep,
    services: ServicesDep,
    client: TemporalDep,
) -> SecretSet:
    """Writes the next version and brings it to everyone who uses it.

    That it is about to be set is written down before. Refused while a rotation of it runs, and
    when somebody else set it at the same moment.
    """
    await _permit(access, organization, order.path, Action.WRITE)
    values = {field(name): value.get_secret_value() for name, value in order.values.items()}
    change = SecretChange(
        organization=organization,
        path=order.path,
        action="secret.asked",
        reason=order.reason,
        trigger=Trigger(actor=access.actor),
    )
    key = uuid.uuid4().hex
    await (await start_change(client, change, f"asked-{key}")).result()
    notes = _notes(order, values)
    version = await asyncio.to_thread(
        _write, services.secrets(), organization, order.path, values, notes
    )
    told = {"action": "secret.set", "version": version, "delivers": not is_of_plane(order.path)}
    done = change.model_copy(update={**told, "restarts": order.restart})
    delivery = await start_change(client, done, f"set-{key}")
    consumers: tuple[str, ...] = ()
    try:
        async with asyncio.timeout(_DELIVERY_SECONDS):
            consumers = (await delivery.result()).consumers
    except TimeoutError:
        return SecretSet(path=order.path, version=version, delivered=False)
    return SecretSet(path=order.path, version=version, consumers=consumers, delivered=True)


@router.post("/{organization}/show", summary="Show a value")
async def show(
    *,
    organization: str,
    order: ShowSecret,
    response: Response,
    access: AccessDep,
    services: ServicesDep,
    client: TemporalDep,
) -> SecretShown:
    """Returns one value, to administrators of its place. Who saw it and why is written before."""
    await _permit(access, organization, order.path, Action.ADMINISTER)
    store = services.secrets()
    entry = await asyncio.to_thread(store.describe, organization, order.path)
    version = order.version or entry.active
    change = SecretChange(
        organization=organization,
        path=order.path,
        action="secret.shown",
        version=version,
        reason=f"{order.field}: {order.reason}",
        trigger=Trigger(actor=access.actor),
    )
    await (await start_change(client, change, f"shown-{uuid.uuid4().hex}")).result()
    values = await asyncio.to_thread(store.read, organization, order.path, version)
    if order.field not in values:
        raise NotFound(f"secret {order.path} has no field {order.field}")
    response.headers["Cache-Control"] = "no-store"
    return SecretShown(value=values[order.field])


def _notes(order: SetSecret, values: dict[str, str]) -> dict[str, str | None]:
    """What is kept beside a value: a moment that was given, else one that it says itself."""
    notes: dict[str, str | None] = {OWNER: order.owner} if order.owner else {}
    if order.never_expires:
        return {**notes, EXPIRES: None}
    if moment := order.expires or expiry_of(values.values()):
        notes[EXPIRES] = moment.astimezone(UTC).isoformat(timespec="seconds")
    return notes


def _write(
    store: SecretStore,
    organization: str,
    path: str,
    values: dict[str, str],
    notes: dict[str, str | None],
) -> int:
    entry = store.find(organization, path)
    if entry is None or not entry.newest:
        version = store.write(organization, path, values, expected=0)
        if notes:
            store.note(organization, path, notes)
        return version
    if entry.rotation:
        raise Conflict(
            f"secret {path} is being rotated: wait for its end, or roll the rotation back"
        )
    before = {}
    if (active := entry.version(entry.active)) is not None and active.is_readable:
        before = dict(store.read(organization, path, entry.active))
    version = store.write(organization, path, {**before, **values}, expected=entry.newest)
    store.note(organization, path, {**notes, ACTIVE: str(version)})
    return version


async def _fields(store: SecretStore, organization: str, path: str) -> tuple[str, ...]:
    def names() -> tuple[str, ...]:
        entry = store.describe(organization, path)
        active = entry.version(entry.active)
        if active is None or not active.is_readable:
            return ()
        return tuple(sorted(store.read(organization, path, entry.active)))

    return await asyncio.to_thread(names)


async def _permit(access: Access, organization: str, path: str, action: Action) -> None:
    scope = scope_of(path)
    if action is Action.WRITE and is_of_plane(path):
        action = Action.ADMINISTER
    await access.require(organization, action, project=scope.project, environment=scope.environment)
