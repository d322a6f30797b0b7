package main

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/policy/types"
	"github.com/cilium/cilium/pkg/u8proto"

	"pavane.dev/devstack/policies"
)

const (
	firstPod      = 10000
	firstAddress  = 16777217 // identities of addresses are local to a node
	lastPort      = 65535
	anyOther      = u8proto.U8proto(254) // a protocol that no policy can name
	dnsPort       = 53
	gatewayLabels = "kubernetes.io/metadata.name"
)

// network is where things are in a local stack.
type network struct {
	pods    netip.Prefix
	machine netip.Addr
	// dns answers names at an address of the node, in the place of the pods it usually is.
	dns netip.Addr
	// gateway is the namespace that the gateway would run in; it runs on the machine.
	gateway string
}

// pod is one that runs on the node.
type pod struct {
	address         netip.Addr
	namespace       string
	labels          map[string]string
	namespaceLabels map[string]string
	ports           map[string]uint16 // by protocol and name
}

// snapshot is all that is decided from.
type snapshot struct {
	network  network
	hosts    map[netip.Addr]struct{}
	pods     []pod
	policies []policies.Entries
}

// peer is an identity at a range of addresses; some answer at certain ports only.
type peer struct {
	id                  identity.NumericIdentity
	first, last         netip.Addr
	firstPort, lastPort uint16
}

// subject is a pod whose policy is decided; pods of the same identity and ports share it.
type subject struct {
	id        *identity.Identity
	ports     map[string]uint16
	addresses []netip.Addr
}

// decision is being made.
type decision struct {
	logger           *slog.Logger
	known            identity.IdentityMap
	byLabels         map[string]identity.NumericIdentity
	subjects         map[string]*subject
	senders, targets map[identity.NumericIdentity][]peer
}

// decide answers, by Cilium's code, what every pod may send and receive.
func decide(logger *slog.Logger, now snapshot) (ruleset, error) {
	one := decision{
		logger:   logger,
		known:    identity.IdentityMap{},
		byLabels: map[string]identity.NumericIdentity{},
		subjects: map[string]*subject{},
		senders:  map[identity.NumericIdentity][]peer{},
		targets:  map[identity.NumericIdentity][]peer{},
	}
	for _, each := range now.pods {
		one.addPod(each)
	}
	one.addPlaces(now)
	one.addOutside(now)
	judge := policies.NewJudge(logger, one.known)
	for _, entries := range now.policies {
		judge.Add(entries)
	}
	found := newRuleset()
	found.hosts = now.hosts
	for _, each := range one.subjects {
		verdicts, err := judge.Of(each.id, each.ports)
		if err != nil {
			return found, err
		}
		one.collect(each, verdicts, types.EgressKey(), one.targets, found.egress)
		one.collect(each, verdicts, types.IngressKey(), one.senders, found.ingress)
	}
	return found, nil
}

func (one *decision) identify(
	array labels.LabelArray, first identity.NumericIdentity,
) identity.NumericIdentity {
	key := array.String()
	if id, is := one.byLabels[key]; is {
		return id
	}
	id := first + identity.NumericIdentity(len(one.byLabels))
	one.byLabels[key] = id
	one.known[id] = array
	return id
}

func (one *decision) addPod(each pod) {
	array := policies.PodLabels(each.namespace, each.namespaceLabels, each.labels)
	id := one.identify(array, firstPod)
	whole := peer{id: id, first: each.address, last: each.address, firstPort: 1, lastPort: lastPort}
	one.senders[id] = append(one.senders[id], whole)
	one.targets[id] = append(one.targets[id], whole)
	key := array.String() + namesOf(each.ports)
	if one.subjects[key] == nil {
		one.subjects[key] = &subject{
			id: identity.NewIdentityFromLabelArray(id, array), ports: each.ports,
		}
	}
	one.subjects[key].addresses = append(one.subjects[key].addresses, each.address)
}

func namesOf(ports map[string]uint16) string {
	var names []string
	for name, port := range ports {
		names = append(names, name+string(rune(port)))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// addPlaces adds what a local stack has in the place of pods and nodes of a cluster.
func (one *decision) addPlaces(now snapshot) {
	host, ofHost := policies.EntityLabels("host")
	one.known[host] = ofHost
	dns := one.identify(policies.PodLabels("kube-system",
		map[string]string{gatewayLabels: "kube-system"},
		map[string]string{"k8s-app": "kube-dns"}), firstPod)
	for each := range now.hosts {
		// What the node sends to its pods is let through without asking.
		add := func(id identity.NumericIdentity, first, last uint16) {
			one.targets[id] = append(one.targets[id],
				peer{id: id, first: each, last: each, firstPort: first, lastPort: last})
		}
		if each != now.network.dns {
			add(host, 1, lastPort)
			continue
		}
		add(host, 1, dnsPort-1)
		add(dns, dnsPort, dnsPort)
		add(host, dnsPort+1, lastPort)
	}
	machine := now.network.machine
	whole := peer{first: machine, last: machine, firstPort: 1, lastPort: lastPort}
	_, ingress := policies.EntityLabels("ingress")
	gateway := append(policies.PodLabels(now.network.gateway,
		map[string]string{gatewayLabels: now.network.gateway}, nil), ingress...).Sort()
	whole.id = one.identify(gateway, firstPod)
	one.senders[whole.id] = append(one.senders[whole.id], whole)
	_, server := policies.EntityLabels("kube-apiserver")
	outside := append(policies.AddressLabels(netip.PrefixFrom(machine, 32)), server...).Sort()
	whole.id = one.identify(slices.CompactFunc(outside, func(a, b labels.Label) bool {
		return a.Equals(&b)
	}), firstAddress)
	one.targets[whole.id] = append(one.targets[whole.id], whole)
}

// addOutside divides all other addresses by the ranges that policies speak of.
func (one *decision) addOutside(now snapshot) {
	all := netip.MustParsePrefix("0.0.0.0/0")
	ranges := map[netip.Prefix]bool{all: true}
	for _, entries := range now.policies {
		for _, each := range policies.Ranges(entries) {
			if each.Addr().Is4() {
				ranges[each.Masked()] = true
			}
		}
	}
	taken := map[netip.Prefix]bool{now.network.pods: true}
	for each := range now.hosts {
		taken[netip.PrefixFrom(each, 32)] = true
	}
	taken[netip.PrefixFrom(now.network.machine, 32)] = true
	for _, part := range divided(ranges, taken) {
		id := one.identify(policies.AddressLabels(part.prefix), firstAddress)
		outside := peer{id: id, first: part.first, last: part.last, firstPort: 1, lastPort: lastPort}
		one.senders[id] = append(one.senders[id], outside)
		one.targets[id] = append(one.targets[id], outside)
	}
}

// protocols whose ports policies speak of; what is said of all protocols holds for the others.
var protocols = []u8proto.U8proto{u8proto.TCP, u8proto.UDP, u8proto.SCTP}

// collect finds the ways of one subject in one direction.
func (one *decision) collect(
	each *subject, verdicts policies.Verdicts, direction types.Key,
	peers map[identity.NumericIdentity][]peer, found traffic,
) {
	starts := map[u8proto.U8proto]map[uint16]bool{}
	for _, protocol := range protocols {
		starts[protocol] = map[uint16]bool{1: true}
	}
	asked := map[identity.NumericIdentity]bool{}
	everybody, denies, open := false, false, false
	for key, entry := range verdicts.Entries() {
		if key.TrafficDirection() != direction.TrafficDirection() {
			continue
		}
		if entry.IsDeny() {
			denies = true
		} else if key.Identity == 0 {
			everybody = true
			open = open || (key.Nexthdr == 0 && key.PortPrefixLen() == 0)
		} else {
			asked[key.Identity] = true
		}
		for _, protocol := range protocols {
			if key.Nexthdr == protocol && key.PortPrefixLen() != 0 {
				starts[protocol][max(key.DestPort, 1)] = true
				if end := key.EndPort(); end != lastPort {
					starts[protocol][end+1] = true
				}
			}
		}
	}
	if open && !denies {
		for _, address := range each.addresses {
			found.open[address] = struct{}{}
		}
		return
	}
	for id, places := range peers {
		if everybody || asked[id] {
			one.collectPeer(each, verdicts, direction.WithIdentity(id), places, starts, found)
		}
	}
	for _, address := range each.addresses {
		itself := peer{first: address, last: address, firstPort: 1, lastPort: lastPort}
		for _, protocol := range protocols {
			found.add(address, itself, protocol, 1, lastPort)
		}
	}
}

func (one *decision) collectPeer(
	each *subject, verdicts policies.Verdicts, key types.Key, places []peer,
	starts map[u8proto.U8proto]map[uint16]bool, found traffic,
) {
	for _, protocol := range protocols {
		for _, ports := range allowed(verdicts, key, protocol, starts[protocol]) {
			for _, place := range places {
				for _, address := range each.addresses {
					if place.first != address {
						found.add(address, place, protocol, ports[0], ports[1])
					}
				}
			}
		}
	}
	if !verdicts.Allows(key.WithPortProto(anyOther, 1)) {
		return
	}
	for _, place := range places {
		for _, address := range each.addresses {
			found.addOthers(address, place)
		}
	}
}

// allowed returns the ranges of ports that are let through. The answer is the same between two
// ports at which an entry begins or ends.
func allowed(
	verdicts policies.Verdicts, key types.Key, protocol u8proto.U8proto, starts map[uint16]bool,
) [][2]uint16 {
	var firsts []uint16
	for port := range starts {
		firsts = append(firsts, port)
	}
	slices.Sort(firsts)
	var found [][2]uint16
	for number, first := range firsts {
		last := uint16(lastPort)
		if number+1 < len(firsts) {
			last = firsts[number+1] - 1
		}
		if !verdicts.Allows(key.WithPortProto(protocol, first)) {
			continue
		}
		if count := len(found); count > 0 && found[count-1][1]+1 == first {
			found[count-1][1] = last
			continue
		}
		found = append(found, [2]uint16{first, last})
	}
	return found
}

func (found traffic) add(
	address netip.Addr, place peer, protocol u8proto.U8proto, first, last uint16,
) {
	first, last = max(first, place.firstPort), min(last, place.lastPort)
	if first > last {
		return
	}
	found.ways[way{
		pod: address, firstPeer: place.first, lastPeer: place.last,
		firstProtocol: uint8(protocol), lastProtocol: uint8(protocol),
		firstPort: first, lastPort: last,
	}] = struct{}{}
}

// addOthers lets the protocols through that have no ports.
func (found traffic) addOthers(address netip.Addr, place peer) {
	if place.firstPort != 1 {
		return // a place is added once, whatever its ports
	}
	for _, between := range [][2]uint8{{0, 5}, {7, 16}, {18, 131}, {133, 255}} {
		found.ways[way{
			pod: address, firstPeer: place.first, lastPeer: place.last,
			firstProtocol: between[0], lastProtocol: between[1],
		}] = struct{}{}
	}
}
