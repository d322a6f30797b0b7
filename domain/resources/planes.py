"""The clusters: where components run and where they are built."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from domain import ids
from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.model import Model, Rule
from domain.resources.plane_parts import OWN_QUEUE, PlaneCredentials, PlaneGateway, PlaneSecrets
from domain.resources.types import (
    DnsNameOrEmpty,
    ImageOrEmpty,
    NameOrEmpty,
    TaskQueueOrEmpty,
    Text,
    exactly_one,
)

_QUEUE = Column("Queue", ".spec.taskQueue", "Task queue of the plane's worker", wide=True)
_Controller = Annotated[str, Field(max_length=253)]
_VERSION = Column(
    "Kubernetes", ".status.capabilities.kubernetesVersion", "Version of its API server"
)


class CredentialReference(Model):
    """Where a credential is kept. The credential itself never stands in a resource."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "a credential is named by exactly one of secretName and vaultPath",
            "secret_name",
            "vault_path",
        ),
    )

    secret_name: DnsNameOrEmpty = ""
    """Secret in the plane's cluster. Empty = vaultPath is given."""
    secret_namespace: NameOrEmpty = ""
    """Namespace of the Secret. Empty = pavane-system."""
    vault_path: str = Field("", max_length=512, pattern=r"^[A-Za-z0-9_./-]*$")
    """Path in Vault or OpenBao. Empty = secretName is given."""


class RegistryAccess(Model):
    """The OCI registry a plane pushes to or pulls from."""

    host: str = Field(
        "", max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?)?$"
    )
    """host[:port] as it stands in image names. Empty = the registry of the installation."""
    repository_prefix: str = Field(
        "", max_length=200, pattern=r"^([a-z0-9]([a-z0-9._/-]*[a-z0-9])?)?$"
    )
    """Put before `<organization>/<project>/<component>`. Empty = nothing."""
    insecure: bool = False
    """Plain HTTP. Only for a registry on the same machine."""
    credentials: CredentialReference | None = None
    """Who nodes of the plane are to the registry. Absent = anonymous. A vaultPath (`username`,
    `password`) makes the pull secret of each component, or of builds; it needs `host`."""


class PlaneCapabilities(Model):
    """What was found on a cluster."""

    model_config = ConfigDict(extra="ignore")

    kubernetes_version: str = Field("", max_length=64)
    """Version of its API server."""
    gateway_api: str = Field("", max_length=32, alias="gatewayAPI")
    """Version of the Gateway API. Empty = it has none: nothing public can be reached."""
    route_kinds: tuple[Annotated[str, Field(max_length=64)], ...] = Field((), max_length=20)
    """Kinds of routes and their listeners it has, as `HTTPRoute/v1`. Empty = unknown."""
    gateway_features: tuple[Annotated[str, Field(max_length=64)], ...] = Field((), max_length=200)
    """What all its gateways say they can do, as HTTPRouteCORS. Empty = they do not say."""
    gateway_controllers: tuple[_Controller, ...] = Field((), max_length=20)
    """What serves its gateways, as traefik.io/gateway-controller. Empty = unknown."""
    gateway_extensions: tuple[Annotated[str, Field(max_length=128)], ...] = Field((), max_length=20)
    """Kinds by which gateways do more than the Gateway API says, such as limits of requests, as
    `Middleware.traefik.io/v1alpha1`. Empty = there are none."""
    cert_manager: str = Field("", max_length=32)
    """Version of cert-manager's Certificate. Empty = it has none."""
    external_secrets: str = Field("", max_length=32)
    """Version of External Secrets' API. Empty = it has none."""
    secrets_store_csi: str = Field("", max_length=32, alias="secretsStoreCSI")
    """Version of the API of the Secrets Store CSI driver. Empty = it has none."""
    cilium: str = Field("", max_length=32)
    """Version of CiliumNetworkPolicy. Empty = it has none: plain network policies."""
    metrics: bool = False
    """Whether pods' use of cpu and memory is measured, which autoscaling needs."""
    autoscaler: bool = False
    """Whether HorizontalPodAutoscalers can scale: their API and metrics are there."""
    argo_workflows: bool = False
    """Whether builds can run."""
    admission_policies: bool = False
    """Whether the API server checks images of organizations itself."""
    storage_classes: tuple[Annotated[str, Field(max_length=253)], ...] = Field((), max_length=50)
    """Classes of volumes, the default one first."""


class PlaneNetwork(Model):
    """How network policies are enforced on a plane, and where its name server is."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.envoy) && self.envoy) || (has(self.policies) && self.policies == 'Cilium')",
            "envoy looks into HTTP for Cilium only: set policies to Cilium",
            lambda network: not network.envoy or network.policies == "Cilium",
        ),
    )

    policies: Literal["Kubernetes", "Cilium"] = "Kubernetes"
    """Kubernetes = NetworkPolicy, which every agent knows. Cilium = CiliumNetworkPolicy, which
    knows host names and, with Envoy, requests."""
    envoy: bool = False
    """Cilium's Envoy runs on every node. Without it a rule about requests would let all through, so
    such rules are refused."""
    cilium_version: str = Field("", max_length=8, pattern=r"^(1\.[0-9]{1,2})?$")
    """Minor version of Cilium, as 1.19, for what it says otherwise from version to version: mutual
    authentication of Connections is demanded from 1.14 to 1.19 (with SPIRE enabled), and refused
    from 1.20 on, which deprecates it. Empty = not known: what depends on it is refused."""
    host_names: Literal["Widen", "Refuse"] = "Widen"
    """What becomes of a Connection to a host name where policies know none. Widen = its port is
    open to every address outside, and `pavane render` says so. Refuse = it is not deployed."""
    dns_namespace: NameOrEmpty = ""
    """Namespace of the cluster's name server. Empty = kube-system."""
    dns_labels: dict[str, Annotated[str, Field(max_length=63)]] = Field(
        default_factory=dict, max_length=8
    )
    """Labels of its pods. Empty = `k8s-app: kube-dns`."""
    dns_addresses: tuple[Annotated[str, Field(max_length=43, pattern=r"^[0-9a-fA-F.:]+$")], ...] = (
        Field((), max_length=8, json_schema_extra={"x-kubernetes-list-type": "set"})
    )
    """Addresses of name servers that are no pods, such as one on each node. Empty = there are
    none."""
    api_server_addresses: tuple[
        Annotated[str, Field(max_length=43, pattern=r"^[0-9a-fA-F.:]+$")], ...
    ] = Field((), max_length=8, json_schema_extra={"x-kubernetes-list-type": "set"})
    """Addresses of the cluster's API server, for Connections to it where policies know no word for
    it. Empty = such a Connection is refused; Cilium needs none."""
    probe_image: ImageOrEmpty = ""
    """Image with `python3` that every organization may run, such as Pavane's own, by whose pods
    connections are tried. Empty = none are, and environments cannot ask for it."""


class PlaneStatus(Status):
    """What is known of a plane."""

    capabilities: PlaneCapabilities = PlaneCapabilities()
    """What was found on the cluster when it was looked at last."""
    checked: AwareDatetime | None = None
    """When that was."""


class DataPlaneSpec(Model):
    """How the cluster that runs components is reached."""

    rules: ClassVar[tuple[Rule, ...]] = (OWN_QUEUE,)

    description: Text = ""
    """Which cluster this is."""
    task_queue: TaskQueueOrEmpty = ""
    """Task queue of the worker that serves the plane; that worker holds the cluster's credentials.
    Empty = plane.<name of this resource>."""
    credentials: PlaneCredentials | None = None
    """Secret by which workers of the control plane reach the cluster. Absent = a worker with
    credentials of its own serves it."""
    gateway: PlaneGateway = PlaneGateway()
    """Where traffic enters."""
    network: PlaneNetwork = PlaneNetwork()
    """How network policies are enforced."""
    secrets: PlaneSecrets = PlaneSecrets()
    """Who brings secrets to the pods of components."""
    registry: RegistryAccess = RegistryAccess()
    """Where nodes pull images from."""
    observability_plane_ref: NameOrEmpty = ""
    """ObservabilityPlane whose Prometheus is asked by the health checks of its environments, and
    whose log store by `pavane logs --since`. Empty = there is none."""


class DataPlane(Resource):
    """A cluster on which components run."""

    kind: ClassVar[str] = "DataPlane"
    plural: ClassVar[str] = "dataplanes"
    short_names: ClassVar[tuple[str, ...]] = ("dp", "dps")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Domain", ".spec.gateway.domain", "Domain under which components answer"),
        _VERSION,
        *READY_COLUMNS,
        _QUEUE,
    )

    spec: DataPlaneSpec = DataPlaneSpec()
    status: PlaneStatus = PlaneStatus()

    @property
    def task_queue(self) -> str:
        """Task queue of the worker that serves it."""
        return queue_of(self)


class BuildPlaneSpec(Model):
    """How the cluster that runs builds is reached."""

    rules: ClassVar[tuple[Rule, ...]] = (OWN_QUEUE,)

    description: Text = ""
    """Which cluster this is."""
    task_queue: TaskQueueOrEmpty = ""
    """Task queue of the worker that serves the plane; that worker holds the cluster's credentials.
    Empty = plane.<name of this resource>."""
    credentials: PlaneCredentials | None = None
    """Secret by which workers of the control plane reach the cluster. Absent = a worker with
    credentials of its own serves it."""
    registry: RegistryAccess = RegistryAccess()
    """Where builds push images to."""
    service_account: NameOrEmpty = "pavane-build"
    """ServiceAccount of build pods, in the namespace of an organization's builds."""


class BuildPlane(Resource):
    """A cluster on which components are built."""

    kind: ClassVar[str] = "BuildPlane"
    plural: ClassVar[str] = "buildplanes"
    short_names: ClassVar[tuple[str, ...]] = ("bp", "bps")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Registry", ".spec.registry.host", "Where builds push images to"),
        _VERSION,
        *READY_COLUMNS,
        _QUEUE,
    )

    spec: BuildPlaneSpec = BuildPlaneSpec()
    status: PlaneStatus = PlaneStatus()

    @property
    def task_queue(self) -> str:
        """Task queue of the worker that serves it."""
        return queue_of(self)


def queue_of(plane: DataPlane | BuildPlane) -> str:
    """Returns the task queue of the worker that serves a plane."""
    if plane.spec.credentials is not None:
        return ids.own_plane_queue(plane.organization, plane.kind, plane.name)
    return plane.spec.task_queue or ids.plane_queue(plane.name)
