"""What the drift procedure is asked, passes on and answers."""

from __future__ import annotations

from datetime import datetime

from domain.deliveries.deployments import Bundle
from domain.deliveries.wire import Wire


class DriftedField(Wire):
    """One field that the release wants and that is different or absent on the plane."""

    object: str
    """``Kind/name``."""
    field: str = ""
    """Path such as ``spec.replicas``; empty = the whole object is gone."""
    wanted: str = ""
    """As shown to people; never a secret."""
    live: str = ""
    """As shown to people; empty = it is absent."""
    manager: str = ""
    """Field manager that owns it now; empty = unknown, as for what was removed."""


class PutBackNote(Wire):
    """One time that a field was put back."""

    object: str
    field: str = ""
    at: datetime


class Contest(Wire):
    """A field that is changed again each time it was put back, so it is left alone."""

    object: str
    field: str = ""
    manager: str = ""
    since: datetime
    until: datetime
    """When putting back is tried again."""


class DriftMemory(Wire):
    """What was put back lately and what is no longer put back."""

    notes: tuple[PutBackNote, ...] = ()
    contests: tuple[Contest, ...] = ()


class DriftRequest(Wire):
    """Looks whether what runs in one place is as its release wants it."""

    organization: str
    component: str
    environment: str
    seen: str = ""
    """What the watch saw, in words; empty = a sweep looks at everything."""
    memory: DriftMemory = DriftMemory()
    """Carried on by a run that continues as a new one."""


class DriftPlace(Wire):
    """What is known of a place before it is looked at."""

    binding: str = ""
    release: str = ""
    """Release that runs; empty = nothing does, so nothing can drift."""
    busy: bool = False
    """A deployment of the place runs: what is seen meanwhile means nothing."""
    told: bool = False
    """The binding says that it drifted."""
    restore: bool = False
    """Policy of the environment: put back what was changed."""
    limit: int = 3
    """How often an hour one field is put back."""
    task_queue: str = ""
    bundle: Bundle = Bundle()


class InspectRelease(Wire):
    """Asks the plane to compare its objects with those of a release."""

    bundle: Bundle
    organization: str = ""
    """Whose namespace it must be; empty = an older caller, who does not say."""


class Inspection(Wire):
    """What differs on the plane."""

    drifted: tuple[DriftedField, ...] = ()
    objects: int = 0
    """How many objects were compared."""


class DriftRecord(Wire):
    """Asks to write down on the binding what differs; nothing clears what was written."""

    request: DriftRequest
    place: DriftPlace
    drifted: tuple[DriftedField, ...] = ()
    reason: str = ""
    message: str = ""


class PutBackRequest(Wire):
    """Asks the plane to make drifted objects as their release wants them."""

    bundle: Bundle
    objects: tuple[str, ...]
    """``Kind/name`` of the objects; those that did not drift are left alone."""
    organization: str = ""
    take_over: bool = False
    """Take drifted fields over from the managers that changed them, and from nobody else."""


class DriftReport(Wire):
    """Result of the drift procedure: how the place was when it was last looked at."""

    organization: str
    component: str
    environment: str
    release: str = ""
    drifted: tuple[DriftedField, ...] = ()
    put_backs: int = 0
    """How many deployments that put back this run asked for."""
    contested: bool = False
