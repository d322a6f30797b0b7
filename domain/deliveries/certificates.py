"""What the renewal of certificates at gateways is asked, passes on and answers. Never a key."""

from __future__ import annotations

from pydantic import Field

from domain.deliveries.wire import Wire


class RenewalRequest(Wire):
    """Renews the certificates at gateways that OpenBao signed."""

    organizations: tuple[str, ...] = ()
    """Only of these. Empty = of all."""


class CertificatePlane(Wire):
    """A plane whose gateway shows certificates that OpenBao signs."""

    organization: str
    plane: str
    task_queue: str


class CertificatePlanes(Wire):
    """All such planes."""

    items: tuple[CertificatePlane, ...] = ()


class RenewCertificates(Wire):
    """Asks a plane to renew what needs it, of one organization."""

    organization: str


class CertificateTrouble(Wire):
    """A certificate that could not be renewed, and why."""

    organization: str
    namespace: str
    message: str


class RenewedCertificates(Wire):
    """What a plane did."""

    renewed: tuple[str, ...] = ()
    """Namespaces whose certificate is a new one."""
    refused: tuple[CertificateTrouble, ...] = ()


class Renewal(Wire):
    """What one look came to; the next one begins with it."""

    renewed: int = 0
    refused: tuple[CertificateTrouble, ...] = Field((), max_length=20_000)
    """What people were told of."""
    unanswered: tuple[str, ...] = ()
    """Planes that did not answer: the next look tries again."""
