package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/cilium/cilium/pkg/u8proto"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"pavane.dev/devstack/policies"
)

var (
	podKind       = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	namespaceKind = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	policyKinds   = []schema.GroupVersionResource{
		{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
		{Group: "cilium.io", Version: "v2", Resource: "ciliumnetworkpolicies"},
		{Group: "cilium.io", Version: "v2", Resource: "ciliumclusterwidenetworkpolicies"},
	}
)

// cluster is what the API server knows of pods and policies.
type cluster struct {
	logger *slog.Logger
	client dynamic.Interface
	stores map[schema.GroupVersionResource]cache.SharedIndexInformer
	// read remembers what a policy said, by its identity and version.
	read map[string]policies.Entries
}

func newCluster(logger *slog.Logger, config *rest.Config, node string, changed func()) (*cluster, error) {
	config.QPS, config.Burst = 50, 100
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	one := &cluster{
		logger: logger, client: client, read: map[string]policies.Entries{},
		stores: map[schema.GroupVersionResource]cache.SharedIndexInformer{},
	}
	for _, kind := range append([]schema.GroupVersionResource{podKind, namespaceKind}, policyKinds...) {
		fields := ""
		if kind == podKind {
			fields = "spec.nodeName=" + node
		}
		one.stores[kind] = one.informer(kind, fields)
		if err := one.stores[kind].SetTransform(stripped); err != nil {
			return nil, err
		}
		_, err := one.stores[kind].AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { changed() },
			UpdateFunc: func(any, any) { changed() },
			DeleteFunc: func(any) { changed() },
		})
		if err != nil {
			return nil, err
		}
	}
	return one, nil
}

func (one *cluster) informer(
	kind schema.GroupVersionResource, fields string,
) cache.SharedIndexInformer {
	return cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(
			ctx context.Context, options metav1.ListOptions,
		) (runtime.Object, error) {
			options.FieldSelector = fields
			return one.client.Resource(kind).List(ctx, options)
		},
		WatchFuncWithContext: func(
			ctx context.Context, options metav1.ListOptions,
		) (watch.Interface, error) {
			options.FieldSelector = fields
			return one.client.Resource(kind).Watch(ctx, options)
		},
	}, &unstructured.Unstructured{}, 0, cache.Indexers{})
}

// stripped forgets what nobody asks for.
func stripped(found any) (any, error) {
	if object, is := found.(*unstructured.Unstructured); is {
		object.SetManagedFields(nil)
	}
	return found, nil
}

// start begins to follow, and returns when everything that there was is known.
func (one *cluster) start(ctx context.Context) bool {
	for _, store := range one.stores {
		go store.RunWithContext(ctx)
	}
	for _, store := range one.stores {
		if !cache.WaitForCacheSync(ctx.Done(), store.HasSynced) {
			return false
		}
	}
	return true
}

// pods returns those that have an address, and who they are.
func (one *cluster) pods(addresses map[netip.Addr]key) []pod {
	var found []pod
	for address, name := range addresses {
		object, is := one.get(podKind, name.namespace+"/"+name.name)
		if !is {
			continue
		}
		space, is := one.get(namespaceKind, name.namespace)
		if !is {
			continue
		}
		found = append(found, pod{
			address: address, namespace: name.namespace, labels: object.GetLabels(),
			namespaceLabels: space.GetLabels(), ports: portsOf(object),
		})
	}
	return found
}

func (one *cluster) get(
	kind schema.GroupVersionResource, name string,
) (*unstructured.Unstructured, bool) {
	object, is, err := one.stores[kind].GetStore().GetByKey(name)
	if err != nil || !is {
		return nil, false
	}
	return object.(*unstructured.Unstructured), true
}

// portsOf returns the ports of a pod that have names, by protocol and name.
func portsOf(object *unstructured.Unstructured) map[string]uint16 {
	found := map[string]uint16{}
	containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "containers")
	for _, container := range containers {
		content, is := container.(map[string]any)
		if !is {
			continue
		}
		ports, _, _ := unstructured.NestedSlice(content, "ports")
		for _, each := range ports {
			port, is := each.(map[string]any)
			if !is {
				continue
			}
			name, _ := port["name"].(string)
			number, _ := port["containerPort"].(int64)
			protocol, _ := port["protocol"].(string)
			if parsed, err := u8proto.ParseProtocol(protocol); err == nil && name != "" {
				found[parsed.String()+"/"+name] = uint16(number)
			}
		}
	}
	return found
}

// policies returns the rules of all policies that are as an agent takes them.
func (one *cluster) policies() []policies.Entries {
	var found []policies.Entries
	read := map[string]policies.Entries{}
	for _, kind := range policyKinds {
		for _, each := range one.stores[kind].GetStore().List() {
			object := each.(*unstructured.Unstructured)
			version := string(object.GetUID()) + "/" + object.GetResourceVersion()
			entries, is := one.read[version]
			if !is {
				entries = one.parsed(object)
			}
			read[version] = entries
			if entries != nil {
				found = append(found, entries)
			}
		}
	}
	one.read = read
	return found
}

func (one *cluster) parsed(object *unstructured.Unstructured) policies.Entries {
	name := object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
	content, err := json.Marshal(object.Object)
	if err == nil {
		var entries policies.Entries
		if entries, err = policies.Parse(one.logger, content); err == nil {
			for _, field := range []string{`"toFQDNs"`, `"http"`, `"icmps"`} {
				if strings.Contains(string(content), field) {
					one.logger.Warn("not enforced as it says", "policy", name, "field", field)
				}
			}
			return entries
		}
	}
	one.logger.Warn("refused", "policy", name, "error", err)
	return nil
}

// tell writes the condition Valid of Cilium's policies, as its agents do.
func (one *cluster) tell(ctx context.Context) {
	for _, kind := range policyKinds[1:] {
		for _, each := range one.stores[kind].GetStore().List() {
			object := each.(*unstructured.Unstructured)
			version := string(object.GetUID()) + "/" + object.GetResourceVersion()
			entries, is := one.read[version]
			if !is {
				continue
			}
			status, message := "True", "Policy validation succeeded"
			if entries == nil {
				status, message = "False", "the policy is refused; the log of the enforcer says why"
			}
			if told(object) == status {
				continue
			}
			content, _ := json.Marshal(map[string]any{"status": map[string]any{
				"conditions": []map[string]any{{
					"type": "Valid", "status": status, "message": message,
					"lastTransitionTime": metav1.Now().UTC().Format(time.RFC3339),
				}},
			}})
			_, err := one.client.Resource(kind).Namespace(object.GetNamespace()).Patch(
				ctx, object.GetName(), types.MergePatchType, content, metav1.PatchOptions{}, "status")
			if err != nil {
				one.logger.Warn("condition not written", "policy", object.GetName(), "error", err)
			}
		}
	}
}

func told(object *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, each := range conditions {
		condition, is := each.(map[string]any)
		if is && condition["type"] == "Valid" {
			status, _ := condition["status"].(string)
			return status
		}
	}
	return ""
}
