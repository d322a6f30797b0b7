"""How much may be taken up: the quota of an organization, a project or an environment."""

from __future__ import annotations

from pydantic import Field

from domain.resources.model import Model
from domain.resources.types import Quantity


class Quota(Model):
    """Bounds over all components within. A deployment that does not fit is refused."""

    cpu: Quantity = ""
    """Processor time that all pods may request together. Empty = no bound."""
    memory: Quantity = ""
    """Memory that all pods may request together. Empty = no bound."""
    objects: int | None = Field(None, ge=0, le=1_000_000)
    """Objects on planes. Absent = no bound."""
    components: int | None = Field(None, ge=0, le=1_000_000)
    """Components that are deployed, counted once for each environment. Absent = no bound."""

    @property
    def is_open(self) -> bool:
        """Tells whether it bounds nothing."""
        return not (self.cpu or self.memory) and self.objects is None and self.components is None
