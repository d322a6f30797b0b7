"""etcd, the Kubernetes API server and its controllers, on this machine and without a node."""

from collections.abc import Sequence
from datetime import timedelta

from devstack.certificates import Request
from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext
from devstack.pki import Certificate, write_kubeconfig

_LOOPBACK = "127.0.0.1"


def parts(context: StackContext) -> Sequence[Part]:
    """The control plane; writes its certificates and kubeconfigs."""
    admin = context.pki.issue("admin", Request("pavane-admin", ("system:masters",)))
    server = f"https://{_LOOPBACK}:{context.ports['kube-apiserver']}"
    write_kubeconfig(context.state.kubeconfig, server, admin, name=f"pavane-{context.name}")
    return [_etcd(context), _apiserver(context, admin), _controllers(context, server)]


def environment(context: StackContext) -> dict[str, str]:
    """What connects a process on this machine to the API server as its administrator."""
    kubeconfig = str(context.state.kubeconfig)
    return {"KUBECONFIG": kubeconfig, "PAVANE_KUBERNETES__KUBECONFIG": kubeconfig}


def _etcd(context: StackContext) -> Component:
    client = f"http://{_LOOPBACK}:{context.ports['etcd']}"
    peer = f"http://{_LOOPBACK}:{context.ports['etcd-peer']}"
    return Component(
        name="etcd",
        argv=(
            str(context.programs.path("etcd")),
            "--name=stack",
            f"--data-dir={context.state.data / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=stack={peer}",
            # A lone member elects itself, and this machine's page cache outlives the process.
            "--heartbeat-interval=50",
            "--election-timeout=250",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
        ready=HttpProbe(f"{client}/health"),
    )


def _apiserver(context: StackContext, admin: Certificate) -> Component:
    port, network = context.ports["kube-apiserver"], context.network
    serving = _serving_certificate(context)
    kubelet = context.pki.issue(
        "kube-apiserver-kubelet", Request("kube-apiserver-kubelet-client", ("system:masters",))
    )
    tokens = context.pki.signing_key("service-accounts")
    flags = {
        # A node in a namespace of its own comes in by another interface than loopback.
        "bind-address": "0.0.0.0" if context.is_full else _LOOPBACK,  # noqa: S104 - said above
        "advertise-address": network.host,
        "secure-port": str(port),
        "etcd-servers": f"http://{_LOOPBACK}:{context.ports['etcd']}",
        "service-cluster-ip-range": network.services,
        "tls-cert-file": str(serving.certificate),
        "tls-private-key-file": str(serving.key),
        "client-ca-file": str(context.pki.authority),
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(tokens.public),
        "service-account-signing-key-file": str(tokens.private),
        "kubelet-client-certificate": str(kubelet.certificate),
        "kubelet-client-key": str(kubelet.key),
        "kubelet-certificate-authority": str(context.pki.authority),
        "kubelet-preferred-address-types": "InternalIP",
        **_aggregation(context),
        "profiling": "false",
        "v": "1",
    }
    return Component(
        name="kube-apiserver",
        argv=(str(context.programs.path("kube-apiserver")), *_as_flags(flags)),
        needs=("etcd",),
        ready=HttpProbe(
            f"https://{_LOOPBACK}:{port}/readyz",
            ca=admin.authority,
            certificate=admin.certificate,
            key=admin.key,
        ),
        stop_timeout=timedelta(seconds=15),
    )


def _serving_certificate(context: StackContext) -> Certificate:
    network = context.network
    return context.pki.issue(
        "kube-apiserver",
        Request(
            "kube-apiserver",
            addresses=(_LOOPBACK, network.host, network.api_service),
            names=(
                "localhost",
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
            ),
        ),
    )


def _aggregation(context: StackContext) -> dict[str, str]:
    """Lets the API server speak for its clients to extension servers such as metrics-server."""
    proxy = context.pki.issue("front-proxy", Request("front-proxy-client"), authority="front-proxy")
    return {
        "requestheader-client-ca-file": str(proxy.authority),
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": str(proxy.certificate),
        "proxy-client-key-file": str(proxy.key),
        "enable-aggregator-routing": "true",
    }


def _controllers(context: StackContext, server: str) -> Component:
    identity = context.pki.issue(
        "kube-controller-manager", Request("system:kube-controller-manager", addresses=(_LOOPBACK,))
    )
    kubeconfig = context.state.config / "kube-controller-manager.kubeconfig"
    write_kubeconfig(kubeconfig, server, identity)
    port = context.ports["kube-controller-manager"]
    authority = context.pki.named_authority("stack")
    flags = {
        "kubeconfig": str(kubeconfig),
        "authentication-kubeconfig": str(kubeconfig),
        "authorization-kubeconfig": str(kubeconfig),
        "bind-address": _LOOPBACK,
        "secure-port": str(port),
        "tls-cert-file": str(identity.certificate),
        "tls-private-key-file": str(identity.key),
        "root-ca-file": str(authority.certificate),
        "cluster-signing-cert-file": str(authority.certificate),
        "cluster-signing-key-file": str(authority.key),
        "service-account-private-key-file": str(
            context.pki.signing_key("service-accounts").private
        ),
        "use-service-account-credentials": "true",
        "allocate-node-cidrs": "true",
        "cluster-cidr": context.network.pods,
        "leader-elect": "false",
        # The default of 20 requests a second makes a thousand pods take minutes.
        "kube-api-qps": "300",
        "kube-api-burst": "600",
        "profiling": "false",
        "v": "1",
    }
    return Component(
        name="kube-controller-manager",
        argv=(str(context.programs.path("kube-controller-manager")), *_as_flags(flags)),
        needs=("kube-apiserver",),
        ready=HttpProbe(f"https://{_LOOPBACK}:{port}/healthz", ca=authority.certificate),
    )


def _as_flags(flags: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]
