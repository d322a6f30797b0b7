"""Signs with keys that never leave OpenBao; for the task queue `secrets` alone."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio import activity

from clients.transit import Signer
from domain.records import HeadSignature, SignedHeads, UnsignedHeads, signed_text


class SigningActivities:
    """Signatures by the transit engine. Blocking: they run in threads."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @activity.defn
    def sign_heads(self, unsigned: UnsignedHeads) -> SignedHeads:
        """Signs each head.

        Idempotent: it writes nothing, and of two signatures under one row the first is kept.
        Cancel: not heeded, it is short.

        Raises:
            DependencyUnavailable: OpenBao does not answer.
            Errored: It refuses this worker; its policy or its secret id is not right.
        """
        signed = []
        for head in unsigned.heads:
            made = self._signer.sign(signed_text(head))
            signed.append(
                HeadSignature(
                    organization=head.organization,
                    sequence=head.sequence,
                    hash=head.hash,
                    key=made.key,
                    public_key=made.public_key,
                    signature=made.signature,
                    at=datetime.now(UTC),
                )
            )
        return SignedHeads(signatures=tuple(signed))
