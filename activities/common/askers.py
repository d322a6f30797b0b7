"""Who a worker of a plane is to what measures and keeps logs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from clients.vault import SecretStore
from clients.web import ANONYMOUS, Asker, asker_of
from domain.deliveries.observing import AskedAs
from domain.errors import Denied, Errored, InvalidRequest, NotFound
from domain.secrets.places import is_of_observability


class Askers:
    """Reads credentials for one question each, and keeps none."""

    def __init__(self, store: SecretStore | None = None) -> None:
        """None = this worker has no role in OpenBao, and asks as nobody in particular."""
        self._store = store

    async def of(self, organization: str, asked_as: AskedAs | None) -> Asker:
        """Returns who asks; a new version of the credentials is used at once.

        Raises:
            InvalidRequest: There are no such credentials, or they are none.
            Denied: It is not the secret of an ObservabilityPlane.
            Errored: This worker may not read them.
            DependencyUnavailable: OpenBao does not answer.
        """
        if asked_as is None:
            return ANONYMOUS
        path = asked_as.credentials
        if not path:
            return asker_of({}, asked_as.tenant)
        if not is_of_observability(path):
            raise Denied(f"{path} is no secret of an ObservabilityPlane")
        if self._store is None:
            raise Errored(
                f"who asks is in the secret {path}, which this worker has no role in OpenBao to "
                "read (PAVANE_VAULT__ADDRESS, PAVANE_VAULT__PLANE__SECRET_ID_FILE)"
            )
        try:
            fields = await asyncio.to_thread(_read, self._store, organization, path)
        except NotFound:
            raise InvalidRequest(
                f"the secret {path} is not there: `pavane secret set {path} token` sets it"
            ) from None
        try:
            return asker_of(fields, asked_as.tenant)
        except InvalidRequest as error:
            raise InvalidRequest(f"the secret {path} cannot be used: {error.message}") from None


def _read(store: SecretStore, organization: str, path: str) -> Mapping[str, str]:
    return store.read(organization, path, store.describe(organization, path).active)
