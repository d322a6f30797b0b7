#!/bin/sh
# Stands in for `k3s server`: one Kubernetes node in a container, of the stack's own programs.
# Understands --tls-san; ignores the rest. Data, certificates and images live in the same folder.
set -eu
home=/var/lib/rancher/k3s
pki=$home/pki
names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
names=$names,IP:127.0.0.1,IP:10.43.0.1
for argument in "$@"; do
  case $argument in --tls-san=*) names=$names,DNS:${argument#--tls-san=} ;; esac
done
address=$(hostname -i | cut -d' ' -f1)
mkdir -p "$pki" "$home/etcd" "$home/agent/images" /run/k3s /etc/cni/net.d /opt

certificate() { # name, subject, alternative names
  [ -s "$pki/$1.crt" ] && [ -z "${4:-}" ] && return 0
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$pki/$1.key" \
    -subj "$2" -out "$pki/$1.csr" 2>/dev/null
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3" >"$pki/$1.ext"
  openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial \
    -days 365 -extfile "$pki/$1.ext" -out "$pki/$1.crt" 2>/dev/null
}
kubeconfig() { # name, file
  cat >"$2.new" <<FILE
apiVersion: v1
kind: Config
current-context: default
clusters:
  - name: default
    cluster:
      server: https://127.0.0.1:6443
      certificate-authority-data: $(base64 -w0 "$pki/ca.crt")
contexts: [{name: default, context: {cluster: default, user: default}}]
users:
  - name: default
    user:
      client-certificate-data: $(base64 -w0 "$pki/$1.crt")
      client-key-data: $(base64 -w0 "$pki/$1.key")
FILE
  chmod "${K3S_KUBECONFIG_MODE:-600}" "$2.new"
  mv "$2.new" "$2"
}

if [ ! -s "$pki/ca.crt" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=k3s \
    -keyout "$pki/ca.key" -out "$pki/ca.crt" 2>/dev/null
  openssl genrsa -out "$pki/tokens.key" 2048 2>/dev/null
  openssl rsa -in "$pki/tokens.key" -pubout -out "$pki/tokens.pub" 2>/dev/null
fi
# The address of a container changes, the node keeps its name.
certificate server /CN=kube-apiserver "$names,IP:$address" always
certificate admin /O=system:masters/CN=system:admin DNS:admin
certificate manager /CN=system:kube-controller-manager DNS:manager
certificate scheduler /CN=system:kube-scheduler DNS:scheduler
certificate proxy /CN=system:kube-proxy DNS:proxy
certificate kubelet /O=system:nodes/CN=system:node:k3s "DNS:k3s,IP:$address" always
for each in manager scheduler proxy kubelet; do kubeconfig "$each" "/run/k3s/$each.kubeconfig"; done

cat >/etc/cni/net.d/10-pods.conflist <<FILE
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.42.0.0/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
FILE
cat >/run/k3s/containerd.toml <<FILE
version = 2
root = "$home/containerd"
state = "/run/k3s/containerd"
[grpc]
address = "/run/k3s/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "registry.example.test/pause:1"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "/etc/cni/net.d"
FILE
cat >/run/k3s/kubelet.yaml <<FILE
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
containerRuntimeEndpoint: unix:///run/k3s/containerd.sock
evictionHard: {}
failCgroupV1: false
failSwapOn: false
imageGCHighThresholdPercent: 100
tlsCertFile: $pki/kubelet.crt
tlsPrivateKeyFile: $pki/kubelet.key
FILE

# Pods need groups of their own, and mounts that they see.
[ -e /dev/kmsg ] || mknod /dev/kmsg c 1 11
mount --make-rshared /
mount -o remount,bind,rw /sys/fs/cgroup 2>/dev/null || true
for hierarchy in /sys/fs/cgroup/*; do
  if mountpoint -q "$hierarchy"; then mount -o remount,bind,rw "$hierarchy"; fi
done
mount -o remount,bind,rw /sys

trap 'kill $(jobs -p) 2>/dev/null; wait; exit 0' TERM INT
etcd --data-dir="$home/etcd" --log-level=warn &
until etcdctl_answer=$(wget -qO- http://127.0.0.1:2379/health 2>/dev/null); do sleep 0.2; done
: "$etcdctl_answer"
kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 \
  --service-cluster-ip-range=10.43.0.0/16 --advertise-address="$address" \
  --tls-cert-file="$pki/server.crt" --tls-private-key-file="$pki/server.key" \
  --client-ca-file="$pki/ca.crt" --authorization-mode=Node,RBAC --allow-privileged=true \
  --enable-admission-plugins=NodeRestriction --kubelet-preferred-address-types=InternalIP \
  --kubelet-client-certificate="$pki/admin.crt" --kubelet-client-key="$pki/admin.key" \
  --kubelet-certificate-authority="$pki/ca.crt" \
  --service-account-issuer=https://kubernetes.default.svc \
  --service-account-key-file="$pki/tokens.pub" \
  --service-account-signing-key-file="$pki/tokens.key" --v=0 &
kubeconfig admin "${K3S_KUBECONFIG_OUTPUT:-/run/k3s/admin.yaml}"
until kubectl --kubeconfig="$K3S_KUBECONFIG_OUTPUT" get --raw=/readyz >/dev/null 2>&1; do
  sleep 0.5
done
kubectl --kubeconfig="$K3S_KUBECONFIG_OUTPUT" apply --server-side -f /definitions >/dev/null
kube-controller-manager --kubeconfig=/run/k3s/manager.kubeconfig --leader-elect=false \
  --root-ca-file="$pki/ca.crt" --service-account-private-key-file="$pki/tokens.key" \
  --use-service-account-credentials=true --v=0 &
kube-scheduler --kubeconfig=/run/k3s/scheduler.kubeconfig --leader-elect=false --v=0 &
rm -rf /run/k3s/containerd
containerd --config /run/k3s/containerd.toml --log-level warn &
until ctr --address /run/k3s/containerd.sock version >/dev/null 2>&1; do sleep 0.2; done
for image in /images/*.tar; do
  # By tag and by digest: what Pavane deploys is named by digest.
  ctr --address /run/k3s/containerd.sock --namespace k8s.io images import --digests \
    --base-name "registry.example.test/$(basename "$image" -1.tar)" "$image" >/dev/null
done
kubelet --config=/run/k3s/kubelet.yaml --kubeconfig=/run/k3s/kubelet.kubeconfig \
  --hostname-override=k3s --node-ip="$address" --v=0 &
kube-proxy --kubeconfig=/run/k3s/proxy.kubeconfig --hostname-override=k3s --cluster-cidr=10.42.0.0/16 \
  --proxy-mode=iptables --conntrack-max-per-core=0 --v=0 &
wait
