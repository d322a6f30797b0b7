"""What is remembered of a component in an environment: what may run there, what must not.

Only the workflow that holds it writes it, so nobody who can edit resources can forge a pass
(docs/decisions/0012).
"""

from __future__ import annotations

from datetime import datetime

from domain.deliveries.wire import Wire


class Pass(Wire):
    """The exact objects that passed every gate of a place."""

    release: str
    """Content name of the objects."""
    hash: str
    """SHA-256 of the objects, whole: names are cut."""
    artifact: str
    image: str = ""
    version: str = ""
    promotion: str = ""
    """Workflow id of what let it pass."""
    run_id: str = ""
    by: str = ""
    """Who asked for it; empty = automation."""
    at: datetime
    hotfix: bool = False
    verified: datetime | None = None
    """When it was seen to do well there; None = never."""


class Hold(Wire):
    """Nothing comes to the place by itself until a person lifts it."""

    reason: str
    by: str = ""
    """Who placed it; empty = automation."""
    since: datetime
    until: datetime | None = None
    """When it ends by itself; None when only a person ends it."""


class Pin(Wire):
    """Only one artifact may come to the place, whoever asks, until a person lifts it."""

    artifact: str
    reason: str
    by: str = ""
    since: datetime
    until: datetime | None = None
    """When it ends by itself; None when only a person ends it."""


class Veto(Wire):
    """An artifact that must not come to the place until a person lifts it."""

    artifact: str
    image: str = ""
    reason: str
    by: str = ""
    since: datetime


class RollbackNote(Wire):
    """One rollback that was carried out."""

    id: str
    bad: str
    """Release that was taken away."""
    to: str
    """Release that was brought back."""
    at: datetime
    automatic: bool = False


class Standing(Wire):
    """All that is remembered of a place."""

    organization: str
    component: str
    environment: str
    passes: tuple[Pass, ...] = ()
    """Oldest first."""
    hold: Hold | None = None
    pin: Pin | None = None
    vetoes: tuple[Veto, ...] = ()
    rollbacks: tuple[RollbackNote, ...] = ()
    """Oldest first."""
    done: tuple[str, ...] = ()
    """Keys of the changes made last, so that one that is sent twice counts once."""

    @property
    def is_empty(self) -> bool:
        """Tells whether nothing is remembered."""
        return not (self.passes or self.hold or self.pin or self.vetoes or self.rollbacks)


class StandingChange(Wire):
    """Asks to remember something about a place, or to forget it. Whatever is empty is left."""

    organization: str
    component: str
    environment: str
    key: str
    """Equal changes have equal keys; the second one changes nothing."""
    passed: Pass | None = None
    revoked: str = ""
    """Release whose pass is taken back."""
    verified: str = ""
    """Release that was seen to do well."""
    hold: Hold | None = None
    lift_hold: bool = False
    pin: Pin | None = None
    lift_pin: bool = False
    veto: Veto | None = None
    lift_veto: str = ""
    """Artifact."""
    rolled_back: RollbackNote | None = None
    not_rolled_back: str = ""
    """Id of a rollback that was undone."""
    forget: bool = False
    """The component or the environment is deleted: nothing of it is remembered."""
    at: datetime
    by: str = ""
    """Person who asked for it directly; empty = a procedure, which writes facts of its own."""
    reason: str = ""
    """Why that person did."""
