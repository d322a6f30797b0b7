package policies

import (
	"net/netip"

	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/labels"
)

const (
	cluster        = "default"
	namespaceLabel = "io.kubernetes.pod.namespace"
	namespaceMeta  = "io.cilium.k8s.namespace.labels."
	clusterLabel   = "io.cilium.k8s.policy.cluster"
)

// PodLabels returns by what policies know a pod.
func PodLabels(namespace string, ofNamespace, ofPod map[string]string) labels.LabelArray {
	array := labels.LabelArray{
		labels.NewLabel(namespaceLabel, namespace, labels.LabelSourceK8s),
		labels.NewLabel(clusterLabel, cluster, labels.LabelSourceK8s),
	}
	for key, value := range ofNamespace {
		array = append(array, labels.NewLabel(namespaceMeta+key, value, labels.LabelSourceK8s))
	}
	for key, value := range ofPod {
		array = append(array, labels.NewLabel(key, value, labels.LabelSourceK8s))
	}
	return array.Sort()
}

// AddressLabels returns by what policies know addresses outside the cluster.
func AddressLabels(prefix netip.Prefix) labels.LabelArray {
	return labels.GetCIDRLabels(prefix).LabelArray()
}

// EntityLabels returns by what policies know an entity such as host; nil when there is none.
func EntityLabels(name string) (identity.NumericIdentity, labels.LabelArray) {
	id := identity.GetReservedID(name)
	if id == identity.IdentityUnknown {
		return id, nil
	}
	return id, identity.LookupReservedIdentity(id).LabelArray
}
