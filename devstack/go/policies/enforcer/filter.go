package main

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

const (
	tableName = "pavane-policies"
	// A message of netlink holds 64 KiB; an element takes less than 100 bytes of it.
	elementsPerMessage = 400
	buffer             = 16 << 20
)

// Offsets in the headers of packets.
const (
	sourceAddress, targetAddress = 12, 16
	sourcePort, targetPort       = 0, 2
	addressBytes, portBytes      = 4, 2
)

// way is what one pod may send to, or receive from, a range of others; both ends are included.
type way struct {
	pod                         netip.Addr
	firstPeer, lastPeer         netip.Addr
	firstProtocol, lastProtocol uint8
	firstPort, lastPort         uint16
}

// traffic is all that holds for what pods send, or for what they receive.
type traffic struct {
	// open pods are under no policy; a pod that is neither open nor has a way is closed.
	open map[netip.Addr]struct{}
	ways map[way]struct{}
}

func newTraffic() traffic {
	return traffic{open: map[netip.Addr]struct{}{}, ways: map[way]struct{}{}}
}

// ruleset is what the kernel is to let through.
type ruleset struct {
	egress, ingress traffic
	hosts           map[netip.Addr]struct{}
}

func newRuleset() ruleset {
	return ruleset{newTraffic(), newTraffic(), map[netip.Addr]struct{}{}}
}

// sets are those of the kernel for one direction.
type sets struct {
	open, ports, others *nftables.Set
}

// filter is the part of the packet filter of the node that belongs to this program.
//
// Its rules stay the same; what they let through is in sets, and each change of those is one
// transaction of the kernel. They stay when the program ends.
type filter struct {
	pods            netip.Prefix
	bridge          string
	table           *nftables.Table
	egress, ingress sets
	hosts           *nftables.Set
	written         ruleset
	isThere         bool
}

func newFilter(pods netip.Prefix, bridge string) *filter {
	return &filter{pods: pods, bridge: bridge}
}

// write makes the kernel let through exactly this.
func (one *filter) write(wanted ruleset) error {
	if one.isThere {
		if one.change(wanted) == nil {
			return nil
		}
		// Somebody else changed the sets: begin anew.
		one.isThere = false
	}
	return one.replace(wanted)
}

func connected() (*nftables.Conn, error) {
	return nftables.New(nftables.WithSockOptions(func(conn *netlink.Conn) error {
		if err := conn.SetReadBuffer(buffer); err != nil {
			return err
		}
		return conn.SetWriteBuffer(buffer)
	}))
}

func (one *filter) change(wanted ruleset) error {
	conn, err := connected()
	if err != nil {
		return err
	}
	before := one.written
	for _, pair := range []struct {
		kernel   sets
		was, now traffic
	}{{one.egress, before.egress, wanted.egress}, {one.ingress, before.ingress, wanted.ingress}} {
		if err := difference(conn, pair.kernel, pair.was, pair.now); err != nil {
			return err
		}
	}
	if err := remove(conn, one.hosts, addresses(without(before.hosts, wanted.hosts))); err != nil {
		return err
	}
	if err := add(conn, one.hosts, addresses(without(wanted.hosts, before.hosts))); err != nil {
		return err
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	one.written = wanted
	return nil
}

func difference(conn *nftables.Conn, kernel sets, was, now traffic) error {
	goneWays, newWays := without(was.ways, now.ways), without(now.ways, was.ways)
	for _, step := range []struct {
		set      *nftables.Set
		elements []nftables.SetElement
		do       func(*nftables.Conn, *nftables.Set, []nftables.SetElement) error
	}{
		{kernel.open, addresses(without(was.open, now.open)), remove},
		{kernel.ports, portElements(goneWays), remove},
		{kernel.others, otherElements(goneWays), remove},
		{kernel.open, addresses(without(now.open, was.open)), add},
		{kernel.ports, portElements(newWays), add},
		{kernel.others, otherElements(newWays), add},
	} {
		if err := step.do(conn, step.set, step.elements); err != nil {
			return err
		}
	}
	return nil
}

// replace writes everything anew in one transaction, whatever was there.
func (one *filter) replace(wanted ruleset) error {
	conn, err := connected()
	if err != nil {
		return err
	}
	one.table = &nftables.Table{Name: tableName, Family: nftables.TableFamilyIPv4}
	six := &nftables.Table{Name: tableName, Family: nftables.TableFamilyIPv6}
	for _, table := range []*nftables.Table{one.table, six} {
		conn.AddTable(table)
		conn.DelTable(table)
		conn.AddTable(table)
	}
	if err := one.addSets(conn); err != nil {
		return err
	}
	one.addRules(conn)
	one.closeSix(conn, six)
	empty := newTraffic()
	if err := difference(conn, one.egress, empty, wanted.egress); err != nil {
		return err
	}
	if err := difference(conn, one.ingress, empty, wanted.ingress); err != nil {
		return err
	}
	if err := add(conn, one.hosts, addresses(wanted.hosts)); err != nil {
		return err
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	one.written, one.isThere = wanted, true
	return nil
}

func (one *filter) addSets(conn *nftables.Conn) error {
	host := nftables.TypeIPAddr
	ports := nftables.MustConcatSetType(
		host, host, nftables.TypeInetProto, nftables.TypeInetService)
	others := nftables.MustConcatSetType(host, host, nftables.TypeInetProto)
	// The last field but one and the last take four bytes each, whatever they hold.
	ports.Bytes, others.Bytes = 16, 12
	ranges := func(name string, kind nftables.SetDatatype) *nftables.Set {
		return &nftables.Set{
			Table: one.table, Name: name, KeyType: kind, Interval: true, Concatenation: true,
		}
	}
	plain := func(name string) *nftables.Set {
		return &nftables.Set{Table: one.table, Name: name, KeyType: host}
	}
	one.egress = sets{plain("egress-open"), ranges("egress", ports), ranges("egress-others", others)}
	one.ingress = sets{
		plain("ingress-open"), ranges("ingress", ports), ranges("ingress-others", others),
	}
	one.hosts = plain("node")
	for _, set := range []*nftables.Set{
		one.egress.open, one.egress.ports, one.egress.others,
		one.ingress.open, one.ingress.ports, one.ingress.others, one.hosts,
	} {
		if err := conn.AddSet(set, nil); err != nil {
			return err
		}
	}
	return nil
}

func add(conn *nftables.Conn, set *nftables.Set, elements []nftables.SetElement) error {
	for chunk := range slices.Chunk(elements, elementsPerMessage) {
		if err := conn.SetAddElements(set, chunk); err != nil {
			return err
		}
	}
	return nil
}

func remove(conn *nftables.Conn, set *nftables.Set, elements []nftables.SetElement) error {
	for chunk := range slices.Chunk(elements, elementsPerMessage) {
		if err := conn.SetDeleteElements(set, chunk); err != nil {
			return err
		}
	}
	return nil
}

func without[Key comparable](these, those map[Key]struct{}) map[Key]struct{} {
	found := map[Key]struct{}{}
	for one := range these {
		if _, both := those[one]; !both {
			found[one] = struct{}{}
		}
	}
	return found
}

func addresses(these map[netip.Addr]struct{}) []nftables.SetElement {
	var found []nftables.SetElement
	for _, one := range slices.SortedFunc(maps.Keys(these), netip.Addr.Compare) {
		found = append(found, nftables.SetElement{Key: one.AsSlice()})
	}
	return found
}

func portElements(ways map[way]struct{}) []nftables.SetElement {
	var found []nftables.SetElement
	for one := range ways {
		if one.firstPort != 0 {
			found = append(found, nftables.SetElement{
				Key:    one.key(one.firstPeer, one.firstProtocol, &one.firstPort),
				KeyEnd: one.key(one.lastPeer, one.lastProtocol, &one.lastPort),
			})
		}
	}
	return found
}

func otherElements(ways map[way]struct{}) []nftables.SetElement {
	var found []nftables.SetElement
	for one := range ways {
		if one.firstPort == 0 {
			found = append(found, nftables.SetElement{
				Key:    one.key(one.firstPeer, one.firstProtocol, nil),
				KeyEnd: one.key(one.lastPeer, one.lastProtocol, nil),
			})
		}
	}
	return found
}

func (one way) key(peer netip.Addr, protocol uint8, port *uint16) []byte {
	key := append(one.pod.AsSlice(), peer.AsSlice()...)
	key = append(key, protocol, 0, 0, 0)
	if port != nil {
		key = binary.BigEndian.AppendUint16(key, *port)
		key = append(key, 0, 0)
	}
	return key
}

// addRules adds the chains. A packet of an answer is judged as what it answers: by the way of the
// one who asked, so that a way that closes is closed at once, in both directions.
func (one *filter) addRules(conn *nftables.Conn) {
	chain := func(name string) *nftables.Chain {
		return conn.AddChain(&nftables.Chain{Name: name, Table: one.table})
	}
	hook := func(name string, where *nftables.ChainHook) *nftables.Chain {
		accept := nftables.ChainPolicyAccept
		return conn.AddChain(&nftables.Chain{
			Name: name, Table: one.table, Hooknum: where, Type: nftables.ChainTypeFilter,
			Priority: nftables.ChainPriorityFilter, Policy: &accept,
		})
	}
	rule := func(in *nftables.Chain, parts ...[]expr.Any) {
		conn.AddRule(&nftables.Rule{Table: one.table, Chain: in, Exprs: slices.Concat(parts...)})
	}
	sent, received := chain("sent"), chain("received")
	answered, gotAnswer := chain("answered"), chain("got-answer")
	one.judge(rule, sent, one.egress, sourceAddress, targetAddress, targetPort)
	one.judge(rule, received, one.ingress, targetAddress, sourceAddress, targetPort)
	one.judge(rule, gotAnswer, one.egress, targetAddress, sourceAddress, sourcePort)
	one.judge(rule, answered, one.ingress, sourceAddress, targetAddress, sourcePort)
	for _, place := range []struct {
		name               string
		where              *nftables.ChainHook
		questions, answers []*nftables.Chain
	}{
		{"forward", nftables.ChainHookForward,
			[]*nftables.Chain{sent, received}, []*nftables.Chain{answered, gotAnswer}},
		{"input", nftables.ChainHookInput,
			[]*nftables.Chain{sent}, []*nftables.Chain{answered}},
		{"output", nftables.ChainHookOutput,
			[]*nftables.Chain{received}, []*nftables.Chain{gotAnswer}},
	} {
		base := hook(place.name, place.where)
		rule(base, isRelated(), verdict(expr.VerdictAccept, ""))
		for _, target := range place.answers {
			rule(base, isAnswer(), verdict(expr.VerdictJump, target.Name))
		}
		rule(base, isAnswer(), verdict(expr.VerdictAccept, ""))
		for _, target := range place.questions {
			rule(base, verdict(expr.VerdictJump, target.Name))
		}
	}
}

func (one *filter) judge(
	rule func(*nftables.Chain, ...[]expr.Any), chain *nftables.Chain, kernel sets,
	pod, peer, port uint32,
) {
	back := verdict(expr.VerdictReturn, "")
	mask := make([]byte, addressBytes)
	binary.BigEndian.PutUint32(mask, ^uint32(0)<<(32-one.pods.Bits()))
	rule(chain, address(pod, 1), []expr.Any{
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: addressBytes, Mask: mask,
			Xor: make([]byte, addressBytes),
		},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: one.pods.Masked().Addr().AsSlice()},
	}, back)
	// The node itself, and what it asks of its pods: probes of the kubelet.
	rule(chain, address(pod, 1), lookup(one.hosts), back)
	if kernel.ports == one.ingress.ports {
		rule(chain, address(peer, 1), lookup(one.hosts), back)
	}
	rule(chain, address(pod, 1), lookup(kernel.open), back)
	parties := slices.Concat(address(pod, unix.NFT_REG32_00), address(peer, unix.NFT_REG32_01),
		[]expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: unix.NFT_REG32_02}})
	for _, protocol := range []byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_SCTP} {
		rule(chain, []expr.Any{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		}, parties, []expr.Any{
			&expr.Payload{
				DestRegister: unix.NFT_REG32_03, Base: expr.PayloadBaseTransportHeader,
				Offset: port, Len: portBytes,
			},
		}, lookup(kernel.ports), back)
	}
	rule(chain, parties, lookup(kernel.others), back)
	rule(chain, []expr.Any{&expr.Counter{}}, verdict(expr.VerdictDrop, ""))
}

// closeSix closes the other version of the protocol, in which pods have addresses but no network.
func (one *filter) closeSix(conn *nftables.Conn, table *nftables.Table) {
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, one.bridge)
	accept := nftables.ChainPolicyAccept
	for _, place := range []struct {
		name  string
		where *nftables.ChainHook
	}{{"forward", nftables.ChainHookForward}, {"input", nftables.ChainHookInput}} {
		chain := conn.AddChain(&nftables.Chain{
			Name: place.name, Table: table, Hooknum: place.where, Type: nftables.ChainTypeFilter,
			Priority: nftables.ChainPriorityFilter, Policy: &accept,
		})
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: slices.Concat([]expr.Any{
			&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: name},
		}, verdict(expr.VerdictDrop, ""))})
	}
}

func address(offset, register uint32) []expr.Any {
	return []expr.Any{&expr.Payload{
		DestRegister: register, Base: expr.PayloadBaseNetworkHeader,
		Offset: offset, Len: addressBytes,
	}}
}

func lookup(set *nftables.Set) []expr.Any {
	return []expr.Any{&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID}}
}

func verdict(kind expr.VerdictKind, chain string) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: kind, Chain: chain}}
}

func isRelated() []expr.Any {
	related := make([]byte, 4)
	binary.NativeEndian.PutUint32(related, expr.CtStateBitRELATED)
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: 4, Mask: related, Xor: make([]byte, 4),
		},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

func isAnswer() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyDIRECTION, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{1}},
	}
}
