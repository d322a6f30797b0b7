"""What the API takes and answers about secrets. Values come in and, when shown, go out: no more."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from pydantic import AwareDatetime, Field, SecretStr

from api.schemas.deliveries import Request, View
from clients.vault import ReadersFound, SecretEntry
from domain.deliveries.rotations import RotationStatus


class SecretVersionView(View):
    """One version."""

    version: int
    created: datetime
    in_use: bool
    state: str = Field(description="readable, deleted or destroyed.")


class SecretView(View):
    """A secret without its values."""

    path: str
    project: str = Field(description="Whose it is; empty = of all projects.")
    environment: str = Field(description="Where; empty = in all environments.")
    version: int = Field(description="Version in use; 0 = none.")
    fields: tuple[str, ...] = Field((), description="Names of its fields.")
    rotating: bool = Field(description="A rotation of it runs: it cannot be set.")
    expires: datetime | None = Field(None, description="When its value works no more, if known.")
    owner: str = Field("", description="Group or person who must replace it then.")
    versions: tuple[SecretVersionView, ...] = ()

    @classmethod
    def of(
        cls, entry: SecretEntry, project: str, environment: str, fields: tuple[str, ...] = ()
    ) -> SecretView:
        """Shows what is known of a secret."""
        versions = tuple(
            SecretVersionView(
                version=one.number,
                created=one.created,
                in_use=one.number == entry.active,
                state=("destroyed" if one.destroyed else "deleted" if one.deleted else "readable"),
            )
            for one in entry.versions
        )
        return cls(
            path=entry.path,
            project=project,
            environment=environment,
            version=entry.active,
            fields=fields,
            rotating=bool(entry.rotation),
            expires=entry.expires,
            owner=entry.owner,
            versions=versions,
        )


class SecretList(View):
    """Paths of secrets."""

    items: tuple[str, ...]


class ExpiringView(View):
    """A secret that expires."""

    path: str
    expires: datetime
    owner: str = Field("", description="Group or person who must replace it. Empty = nobody.")

    @classmethod
    def of(cls, entry: SecretEntry) -> ExpiringView:
        """Shows one of which it is known."""
        return cls.model_validate(
            {"path": entry.path, "expires": entry.expires, "owner": entry.owner}
        )


class ExpiringList(View):
    """Secrets that expire, the first one first."""

    items: tuple[ExpiringView, ...] = ()


class SecretReaderView(View):
    """What one role read of a secret from one address."""

    role: str = Field(description="AppRole, or role by which pods sign in.")
    address: str
    times: int
    refused: int = Field(description="How many of them were refused.")
    first: datetime
    last: datetime


class SecretReaders(View):
    """Who read a secret."""

    path: str
    begins: datetime | None = Field(None, description="Since when the audit log tells.")
    items: tuple[SecretReaderView, ...] = ()

    @classmethod
    def of(cls, path: str, found: ReadersFound) -> SecretReaders:
        """Shows what was found."""
        items = tuple(SecretReaderView.model_validate(asdict(one)) for one in found.readers)
        return cls(path=path, begins=found.begins, items=items)


class SetSecret(Request):
    """Sets fields of a secret; those that are not named stay."""

    path: str = Field(max_length=512)
    values: dict[str, SecretStr] = Field(min_length=1, max_length=50)
    restart: bool = Field(False, description="Have the pods of its consumers begin anew.")
    reason: str = Field("", max_length=1000)
    expires: AwareDatetime | None = Field(
        None,
        description="When it works no more. Absent = what a certificate or a token says, else as "
        "it was.",
    )
    never_expires: bool = Field(False, description="It does not expire any more.")
    owner: str = Field(
        "", max_length=253, description="Group, or person by email, who is told. Empty = as it was."
    )


class SecretSet(View):
    """What was written."""

    path: str
    version: int
    consumers: tuple[str, ...] = Field((), description="Who has it now, as far as was waited for.")
    delivered: bool = Field(description="False = it is still being delivered.")


class ShowSecret(Request):
    """Asks for a value. That somebody saw it is written down."""

    path: str = Field(max_length=512)
    field: str = Field(max_length=63)
    version: int = Field(0, ge=0, description="0 = the one in use.")
    reason: str = Field(min_length=3, max_length=1000)


class SecretShown(View):
    """A value."""

    value: str


class HoldRotation(Request):
    """Holds a rotation, or lets it go on."""

    holds: bool = True
    reason: str = Field(min_length=3, max_length=1000)


class RollBackRotation(Request):
    """Undoes a rotation that has not finished."""

    reason: str = Field(min_length=3, max_length=1000)


class RotationView(View):
    """Where a rotation stands."""

    id: str
    path: str = ""
    before: int = 0
    version: int = 0
    consumers: tuple[str, ...] = ()
    held_by: str = ""
    users_of_old: tuple[str, ...] = ()
    can_roll_back: bool = False

    @classmethod
    def of(cls, workflow_id: str, status: RotationStatus) -> RotationView:
        """Shows the answer of its query."""
        turn = status.turn
        return cls(
            id=workflow_id,
            path=turn.plan.path if turn else "",
            before=turn.before if turn else 0,
            version=turn.reached if turn else 0,
            consumers=tuple(one.shown for plane in status.consumers for one in plane.items),
            held_by=status.paused_by,
            users_of_old=status.users,
            can_roll_back=status.can_roll_back,
        )
