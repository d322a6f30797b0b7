"""As whom, and by whose workers, what measures and keeps logs is asked."""

from __future__ import annotations

from pydantic import Field

from domain.deliveries.wire import Wire
from domain.resources.observability import ObservabilityPlane


class AskedAs(Wire):
    """Who the platform is to a system; what proves it is read where it is used."""

    credentials: str = Field("", max_length=512)
    """Path of a secret of the organization. Empty = anonymous."""
    tenant: str = Field("", max_length=150, pattern=r"^[\x21-\x7e]*$")
    """Whose data is asked for. Empty = it is not said."""

    @classmethod
    def of(cls, plane: ObservabilityPlane) -> AskedAs | None:
        """Returns what an ObservabilityPlane says; None = nothing of it."""
        known = plane.spec.credentials
        if known is None and not plane.spec.tenant:
            return None
        return cls(credentials=known.vault_path if known else "", tenant=plane.spec.tenant)


class Observer(Wire):
    """A plane whose worker asks."""

    plane: str
    task_queue: str


class Observers(Wire):
    """Who asks an ObservabilityPlane."""

    planes: tuple[Observer, ...] = ()
    """Empty = no plane uses it."""
