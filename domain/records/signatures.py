"""Signed heads of chains: what is signed, and what a signature says about a chain. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from pydantic import Field

from domain.deliveries.wire import Wire
from domain.records.chain import ChainedFact, ChainHead, ChainVerifier, FaultKind, Verification

HEADS_AT_ONCE = 500
"""How many heads one signing takes; the rest is signed by the next one."""


class SigningRequest(Wire):
    """What is to be signed: the heads of all chains, so many at once."""

    limit: int = Field(HEADS_AT_ONCE, ge=1, le=HEADS_AT_ONCE)


class UnsignedHeads(Wire):
    """Heads of chains that grew since they were signed."""

    heads: tuple[ChainHead, ...] = Field(default=(), max_length=HEADS_AT_ONCE)


class HeadSignature(Wire):
    """A signature under one row of a chain, and so under all rows before it."""

    organization: str
    sequence: int
    hash: str
    key: str
    """Name and version of the key, such as ``pavane-audit:1``."""
    public_key: str
    """PEM. It tells by which key; whether that key is to be trusted is known elsewhere."""
    signature: str
    """Base64 of the ECDSA signature (P-256, SHA-256, DER) of ``signed_text``."""
    at: datetime

    @property
    def head(self) -> ChainHead:
        """The row that was signed."""
        return ChainHead(organization=self.organization, sequence=self.sequence, hash=self.hash)


class SignedHeads(Wire):
    """What became of unsigned heads."""

    signatures: tuple[HeadSignature, ...] = Field(default=(), max_length=HEADS_AT_ONCE)


class HeadsSigned(Wire):
    """How a signing ended."""

    signed: int = 0
    """How many signatures are new."""


def signed_text(head: ChainHead) -> bytes:
    """Returns exactly what is signed: it can be taken for nothing else, and for no other row."""
    return f"pavane audit head 1\n{head.organization}\n{head.sequence}\n{head.hash}\n".encode()


class SignedChainVerifier:
    """Looks at a chain as ``ChainVerifier`` does, and at the signatures under it."""

    def __init__(
        self,
        organization: str,
        signatures: Iterable[HeadSignature],
        refuted: Callable[[HeadSignature], str],
    ) -> None:
        """Begins.

        Args:
            organization: Whose chain it is.
            signatures: All there are under it.
            refuted: Tells why a signature proves nothing; empty = it stands.
        """
        self._chain = ChainVerifier(organization)
        self._open = {each.sequence: each for each in signatures}
        self._refuted = refuted
        self._last: HeadSignature | None = None

    def feed(self, row: ChainedFact) -> None:
        """Looks at the next row."""
        self._chain.feed(row)
        signature = self._open.pop(row.sequence, None)
        if signature is None:
            return
        if why := self._refuted(signature):
            self._chain.blame(row.sequence, FaultKind.UNSIGNED, why)
        elif signature.hash != row.hash:
            detail = (
                f"it was signed as {signature.hash[:12]} at {signature.at:%Y-%m-%d %H:%M} and is "
                f"{row.hash[:12]}: it, or a row before it, was written anew"
            )
            self._chain.blame(row.sequence, FaultKind.UNSIGNED, detail)
        else:
            self._last = signature

    def finish(self, head: ChainHead | None, *, keys_known: bool) -> Verification:
        """Returns what was found; what was signed and is not there is missing."""
        for sequence, signature in sorted(self._open.items()):
            detail = f"it was signed at {signature.at:%Y-%m-%d %H:%M}, and there is no such row"
            self._chain.blame(sequence, FaultKind.MISSING, detail)
        found = self._chain.finish(head)
        if self._last is None:
            return found.model_copy(update={"keys_known": keys_known})
        signed = {
            "signed": self._last.sequence,
            "signed_at": self._last.at,
            "signing_key": self._last.key,
            "keys_known": keys_known,
        }
        return found.model_copy(update=signed)
