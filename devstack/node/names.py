"""What other parts of the stack call the parts of the node."""

NODE = "node"
EGRESS = "node-egress"
CONTAINERD = "containerd"
KUBELET = "kubelet"
KUBE_PROXY = "kube-proxy"
NODE_READY = "node-ready"
