"""What procedures about secrets are asked and answer. References only: never a value."""

from __future__ import annotations

from pydantic import Field

from domain.deliveries.wire import Trigger, Wire


class VaultPlace(Wire):
    """Where something of an organization may run."""

    project: str
    environment: str


class EnsureVaultTenant(Wire):
    """Sets up an organization in Vault or OpenBao, or brings it up to date."""

    organization: str
    places: tuple[VaultPlace, ...] = Field((), max_length=2000)
    """All places it has. What runs in a place may read what is of that place."""


class VaultTenant(Wire):
    """What an organization has in Vault or OpenBao."""

    mount: str = ""
    """Its KV v2 engine."""
    login: str = ""
    """Where its own AppRoles sign in."""
    policies: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """Roles by which pods sign in with the token of their service account."""
    removed: tuple[str, ...] = ()
    """Roles of places there no longer are."""
    skipped: str = ""
    """Why nothing was set up; empty = it was."""


class SecretVolume(Wire):
    """What of a consumer's secrets the Secrets Store CSI driver brings into its pods."""

    provider: str
    """``openbao`` or ``vault``."""
    sign_in: str
    """Where its pods sign in, below ``auth/``."""
    files: tuple[str, ...]
    """Keys that are files of the volume; never empty."""
    variables: tuple[str, ...] = ()
    """Keys that are wanted as variables and stand in a Kubernetes Secret."""


class SecretConsumer(Wire):
    """A workload whose pods find a secret in a Kubernetes Secret beside them."""

    organization: str
    project: str
    environment: str
    component: str
    namespace: str
    kind: str
    name: str
    secret: str
    """Name of the Kubernetes Secret."""
    keys: dict[str, str] = Field({})
    """Key of the Kubernetes Secret -> vault key it is filled from."""
    store: str = ""
    """ClusterSecretStore by which External Secrets fills it; empty = Pavane fills it."""
    registry: str = ""
    """Host of the registry that nodes pull its images from with it; empty = it is for its pods."""
    volume: SecretVolume | None = None
    """How the Secrets Store CSI driver brings it; None = it does not."""
    reads: bool = False
    """Its pods read OpenBao themselves: nothing is brought to them, and they are not replaced."""
    account: str = ""
    """Service account by which they do."""

    @property
    def shown(self) -> str:
        """For people."""
        where = f" in {self.environment}" if self.environment else ""
        how = " (pulls)" if self.registry else " (reads OpenBao itself)" if self.reads else ""
        return f"{self.component}{where}{how}"

    @property
    def restarts(self) -> bool:
        """Tells whether pods run all the time, so that they must be replaced to see a change.

        A node looks at what it pulls with whenever it pulls.
        """
        return self.kind == "Deployment" and not self.registry and not self.reads


class FindConsumers(Wire):
    """Asks a plane who uses a secret."""

    organization: str
    path: str
    project: str = ""
    """Any secret of this project instead. Empty = that of the path."""
    readers: tuple[str, ...] = Field((), max_length=100)
    """Service accounts that read it themselves, as ``NAMESPACE/NAME``: Deployments that run as one
    are told too."""


class SecretConsumers(Wire):
    """Who uses a secret on one plane."""

    items: tuple[SecretConsumer, ...] = ()


class DeliverSecret(Wire):
    """Asks a plane to fill the Kubernetes Secret of a consumer."""

    consumer: SecretConsumer


class SecretDelivered(Wire):
    """What a consumer's Kubernetes Secret holds now, by number: never a value."""

    changed: bool = False
    versions: dict[str, int] = Field({})
    """Path -> version it was filled from."""


class RestartConsumer(Wire):
    """Asks a plane to replace the pods of a consumer."""

    consumer: SecretConsumer
    versions: dict[str, int] = Field({})
    """What the new pods begin with: equal versions are the same restart."""


class ConsumerRestarted(Wire):
    """Whether pods are being replaced; False = they began with these versions already."""

    restarted: bool = False


class SecretChange(Wire):
    """What a person did with a secret: written down, and brought to everyone who uses it."""

    organization: str
    path: str
    action: str
    """``secret.set``, ``secret.asked`` (is about to be set) or ``secret.shown``."""
    version: int = 0
    delivers: bool = False
    """Brings the version in use to the Kubernetes Secrets of its consumers."""
    restarts: bool = False
    """And has their pods begin anew."""
    reason: str = ""
    trigger: Trigger = Trigger()


class SecretChanged(Wire):
    """What became of it."""

    consumers: tuple[str, ...] = ()


class PlaneQueues(Wire):
    """The task queues of the planes of an organization."""

    queues: tuple[str, ...] = ()
