// Judges network policies by Cilium's own code: the flows that it lets through, and the policies
// that it refuses. Reads one question a line as JSON, answers one line each.
//
// It is the tests' judge of the policies Pavane generates and shares no code with them. It knows
// layers 3 and 4, not rules about requests.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"

	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	"github.com/cilium/cilium/pkg/k8s"
	ciliumv2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	networkingv1 "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	"github.com/cilium/cilium/pkg/policy/types"
	"github.com/cilium/cilium/pkg/policy/utils"
	testidentity "github.com/cilium/cilium/pkg/testutils/identity"
	testpolicy "github.com/cilium/cilium/pkg/testutils/policy"
	"github.com/cilium/cilium/pkg/u8proto"
)

const (
	cluster        = "default"
	firstPod       = 10000
	firstAddress   = 16777217 // identities of addresses are local to a node
	namespaceLabel = "io.kubernetes.pod.namespace"
	namespaceMeta  = "io.cilium.k8s.namespace.labels."
	clusterLabel   = "io.cilium.k8s.policy.cluster"
)

type party struct {
	Name            string            `json:"name"`
	Namespace       string            `json:"namespace"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	Labels          map[string]string `json:"labels"`
	Address         string            `json:"address"`
	Host            string            `json:"host"`
	Entity          string            `json:"entity"`
}

type flow struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
}

type question struct {
	Policies []json.RawMessage `json:"policies"`
	Parties  []party           `json:"parties"`
	Flows    []flow            `json:"flows"`
}

type verdict struct {
	Egress  bool `json:"egress"`
	Ingress bool `json:"ingress"`
}

type answer struct {
	Verdicts []verdict `json:"verdicts"`
	Refused  []string  `json:"refused"`
	Error    string    `json:"error"`
}

func main() {
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	questions := bufio.NewReaderSize(os.Stdin, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := questions.ReadBytes('\n')
		if len(line) > 0 {
			if failed := answers.Encode(answered(logger, line)); failed != nil {
				fmt.Fprintln(os.Stderr, failed)
				os.Exit(1)
			}
		}
		if err != nil {
			return
		}
	}
}

func answered(logger *slog.Logger, line []byte) answer {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{Error: err.Error()}
	}
	identities, err := identitiesOf(asked.Parties)
	if err != nil {
		return answer{Error: err.Error()}
	}
	known := identity.IdentityMap{}
	for _, one := range identities {
		known[one.ID] = one.LabelArray
	}
	manager := identitymanager.NewIDManager(logger)
	repository := policy.NewPolicyRepository(
		logger, known, nil, nil, manager, testpolicy.NewPolicyMetricsNoop())
	repository.GetSelectorCache().SetLocalIdentityNotifier(testidentity.NewDummyIdentityNotifier())
	repository.UpdateIdentities(known, nil)
	var found answer
	for _, content := range asked.Policies {
		entries, err := parsed(logger, content)
		if err != nil {
			found.Refused = append(found.Refused, err.Error())
			continue
		}
		repository.MustAddPolicyEntries(entries)
	}
	for _, one := range asked.Flows {
		said, err := judged(logger, repository, manager, identities, one)
		if err != nil {
			return answer{Error: err.Error()}
		}
		found.Verdicts = append(found.Verdicts, said)
	}
	return found
}

func parsed(logger *slog.Logger, content json.RawMessage) (types.PolicyEntries, error) {
	var kind struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(content, &kind); err != nil {
		return nil, err
	}
	if kind.Kind == "NetworkPolicy" {
		var one networkingv1.NetworkPolicy
		if err := json.Unmarshal(content, &one); err != nil {
			return nil, err
		}
		return k8s.ParseNetworkPolicy(logger, cluster, &one)
	}
	var one ciliumv2.CiliumNetworkPolicy
	if err := json.Unmarshal(content, &one); err != nil {
		return nil, err
	}
	rules, err := one.Parse(logger, cluster)
	if err != nil {
		return nil, err
	}
	return utils.RulesToPolicyEntries(rules), nil
}

func judged(
	logger *slog.Logger, repository *policy.Repository, manager identitymanager.IDManager,
	identities map[string]*identity.Identity, one flow,
) (verdict, error) {
	from, to := identities[one.From], identities[one.To]
	if from == nil || to == nil {
		return verdict{}, fmt.Errorf("flow from %s to %s: nobody of that name", one.From, one.To)
	}
	protocol, err := u8proto.ParseProtocol(one.Protocol)
	if err != nil {
		return verdict{}, err
	}
	said, _, _, err := policy.LookupFlow(logger, repository, manager, types.Flow{
		From: from, To: to, Proto: protocol, Dport: one.Port,
	})
	return verdict{
		Egress:  said.Egress == types.DecisionAllowed,
		Ingress: said.Ingress == types.DecisionAllowed,
	}, err
}

func identitiesOf(parties []party) (map[string]*identity.Identity, error) {
	found := map[string]*identity.Identity{}
	for number, one := range parties {
		array, id, err := labelled(one, number)
		if err != nil {
			return nil, err
		}
		found[one.Name] = identity.NewIdentityFromLabelArray(id, array)
	}
	return found, nil
}

func labelled(one party, number int) (labels.LabelArray, identity.NumericIdentity, error) {
	switch {
	case one.Entity != "":
		id := identity.GetReservedID(one.Entity)
		if id == identity.IdentityUnknown {
			return nil, id, fmt.Errorf("there is no entity %s", one.Entity)
		}
		return identity.LookupReservedIdentity(id).LabelArray, id, nil
	case one.Address != "" || one.Host != "":
		address := one.Address
		if address == "" {
			address = fmt.Sprintf("203.0.113.%d", number%250+1)
		}
		parsed, err := netip.ParseAddr(address)
		if err != nil {
			return nil, 0, err
		}
		all := labels.GetCIDRLabels(netip.PrefixFrom(parsed, parsed.BitLen()))
		if one.Host != "" {
			selector := api.FQDNSelector{MatchName: one.Host}
			label := selector.IdentityLabel()
			all[label.Key] = label
		}
		return all.LabelArray(), identity.NumericIdentity(firstAddress + number), nil
	default:
		array := labels.LabelArray{
			labels.NewLabel(namespaceLabel, one.Namespace, labels.LabelSourceK8s),
			labels.NewLabel(clusterLabel, cluster, labels.LabelSourceK8s),
		}
		for key, value := range one.NamespaceLabels {
			array = append(array, labels.NewLabel(namespaceMeta+key, value, labels.LabelSourceK8s))
		}
		for key, value := range one.Labels {
			array = append(array, labels.NewLabel(key, value, labels.LabelSourceK8s))
		}
		return array.Sort(), identity.NumericIdentity(firstPod + number), nil
	}
}
