// Package policies judges network policies by Cilium's own code.
//
// Two programs stand on it: the oracle, which tests ask about the policies that Pavane generates,
// and the enforcer, which makes the answers hold in a local stack. Neither shares code with what
// generates policies. It knows layers 3 and 4, not rules about requests.
package policies

import (
	"encoding/json"
	"iter"
	"log/slog"
	"math"
	"net/netip"

	"github.com/cilium/cilium/pkg/endpoint/regeneration"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	"github.com/cilium/cilium/pkg/k8s"
	ciliumv2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	networkingv1 "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/types"
	"github.com/cilium/cilium/pkg/policy/utils"
	testidentity "github.com/cilium/cilium/pkg/testutils/identity"
	testpolicy "github.com/cilium/cilium/pkg/testutils/policy"
	"github.com/cilium/cilium/pkg/u8proto"
)

// Entries are the rules of policies as Cilium's agent reads them.
type Entries = types.PolicyEntries

// Parse reads one policy of whatever kind; its error says why an agent would refuse it.
func Parse(logger *slog.Logger, content []byte) (Entries, error) {
	var kind struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(content, &kind); err != nil {
		return nil, err
	}
	switch kind.Kind {
	case "NetworkPolicy":
		var one networkingv1.NetworkPolicy
		if err := json.Unmarshal(content, &one); err != nil {
			return nil, err
		}
		return k8s.ParseNetworkPolicy(logger, cluster, &one)
	case "CiliumClusterwideNetworkPolicy":
		var one ciliumv2.CiliumClusterwideNetworkPolicy
		if err := json.Unmarshal(content, &one); err != nil {
			return nil, err
		}
		rules, err := one.Parse(logger, cluster)
		if err != nil {
			return nil, err
		}
		return utils.RulesToPolicyEntries(rules), nil
	default:
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
}

// Ranges returns every range of addresses that the policies speak of.
func Ranges(entries Entries) []netip.Prefix {
	return policy.GetCIDRPrefixes(entries)
}

// Judge answers for one set of policies and parties.
type Judge struct {
	logger     *slog.Logger
	repository *policy.Repository
	manager    identitymanager.IDManager
}

// NewJudge makes a judge who knows all that may talk.
func NewJudge(logger *slog.Logger, known identity.IdentityMap) *Judge {
	manager := identitymanager.NewIDManager(logger)
	repository := policy.NewPolicyRepository(
		logger, known, nil, nil, manager, testpolicy.NewPolicyMetricsNoop())
	repository.GetSelectorCache().SetLocalIdentityNotifier(testidentity.NewDummyIdentityNotifier())
	repository.UpdateIdentities(known, nil)
	return &Judge{logger: logger, repository: repository, manager: manager}
}

// Add takes the rules of one more policy into account.
func (judge *Judge) Add(entries Entries) {
	judge.repository.MustAddPolicyEntries(entries)
}

// Flow tells whether the sender may send and the receiver may receive.
func (judge *Judge) Flow(
	from, to *identity.Identity, protocol string, port uint16,
) (egress, ingress bool, err error) {
	number, err := u8proto.ParseProtocol(protocol)
	if err != nil {
		return false, false, err
	}
	said, _, _, err := policy.LookupFlow(judge.logger, judge.repository, judge.manager, types.Flow{
		From: from, To: to, Proto: number, Dport: port,
	})
	allowed := types.DecisionAllowed
	return said.Egress == allowed, said.Ingress == allowed, err
}

// Verdicts are all answers about one party. They are the map that an agent gives the kernel.
type Verdicts struct {
	state *policy.EndpointPolicy
}

// Of returns the answers about one party, whose ports may have names.
func (judge *Judge) Of(one *identity.Identity, ports map[string]uint16) (Verdicts, error) {
	judge.manager.Add(one)
	defer judge.manager.Remove(one)
	resolved, _, err := judge.repository.ComputeSelectorPolicy(one)
	if err != nil {
		return Verdicts{}, err
	}
	redirects := map[string]uint16{policy.FallbackRedirectID: math.MaxUint16}
	state := resolved.DistillPolicy(judge.logger, &owner{id: uint64(one.ID), ports: ports}, redirects)
	err = state.Ready()
	state.Detach(judge.logger)
	resolved.Supersede()
	return Verdicts{state: state}, err
}

// Entries returns what the answers follow from.
func (verdicts Verdicts) Entries() iter.Seq2[types.Key, policy.MapStateEntry] {
	return verdicts.state.Entries()
}

// Allows answers; the key names a party and a port, neither may be left open.
func (verdicts Verdicts) Allows(key types.Key) bool {
	entry, _, found := verdicts.state.Lookup(key)
	return found && !entry.IsDeny()
}

// owner is what an agent would have as the endpoint of a pod.
type owner struct {
	id    uint64
	ports map[string]uint16
}

func (one *owner) GetID() uint64 { return one.id }

func (one *owner) GetIngressNamedPort(name string, protocol u8proto.U8proto) uint16 {
	return one.ports[protocol.String()+"/"+name]
}

func (one *owner) PolicyDebug(string, ...any) {}

func (one *owner) IsHost() bool { return false }

func (one *owner) PreviousMapStateSizes() policy.MapStateSizes { return policy.MapStateSizes{} }

func (one *owner) RegenerateIfAlive(*regeneration.ExternalRegenerationMetadata) <-chan bool {
	done := make(chan bool)
	close(done)
	return done
}
