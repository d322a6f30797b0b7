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
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/policy/api"

	"pavane.dev/devstack/policies"
)

const (
	firstPod     = 10000
	firstAddress = 16777217 // identities of addresses are local to a node
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
	judge := policies.NewJudge(logger, known)
	var found answer
	for _, content := range asked.Policies {
		entries, err := policies.Parse(logger, content)
		if err != nil {
			found.Refused = append(found.Refused, err.Error())
			continue
		}
		judge.Add(entries)
	}
	for _, one := range asked.Flows {
		said, err := judged(judge, identities, one)
		if err != nil {
			return answer{Error: err.Error()}
		}
		found.Verdicts = append(found.Verdicts, said)
	}
	return found
}

func judged(
	judge *policies.Judge, identities map[string]*identity.Identity, one flow,
) (verdict, error) {
	from, to := identities[one.From], identities[one.To]
	if from == nil || to == nil {
		return verdict{}, fmt.Errorf("flow from %s to %s: nobody of that name", one.From, one.To)
	}
	egress, ingress, err := judge.Flow(from, to, one.Protocol, one.Port)
	return verdict{Egress: egress, Ingress: ingress}, err
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
		id, array := policies.EntityLabels(one.Entity)
		if array == nil {
			return nil, id, fmt.Errorf("there is no entity %s", one.Entity)
		}
		return array, id, nil
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
		array := policies.PodLabels(one.Namespace, one.NamespaceLabels, one.Labels)
		return array, identity.NumericIdentity(firstPod + number), nil
	}
}
