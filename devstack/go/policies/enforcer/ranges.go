package main

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// part is a stretch of addresses, and the narrowest range that holds it.
type part struct {
	prefix      netip.Prefix
	first, last netip.Addr
}

// divided returns the stretches of all addresses but those taken, each within one narrowest range.
func divided(ranges, taken map[netip.Prefix]bool) []part {
	edges := map[uint64]bool{}
	for _, each := range []map[netip.Prefix]bool{ranges, taken} {
		for prefix := range each {
			first, last := bounds(prefix)
			edges[first], edges[last+1] = true, true
		}
	}
	var starts []uint64
	for edge := range edges {
		starts = append(starts, edge)
	}
	slices.Sort(starts)
	var found []part
	for number := 0; number+1 < len(starts); number++ {
		first, last := starts[number], starts[number+1]-1
		if _, is := narrowest(taken, first); is {
			continue
		}
		if prefix, is := narrowest(ranges, first); is {
			found = append(found, part{prefix, addressOf(first), addressOf(last)})
		}
	}
	return found
}

func narrowest(ranges map[netip.Prefix]bool, number uint64) (netip.Prefix, bool) {
	var found netip.Prefix
	is := false
	for prefix := range ranges {
		if prefix.Contains(addressOf(number)) && (!is || prefix.Bits() > found.Bits()) {
			found, is = prefix, true
		}
	}
	return found, is
}

func bounds(prefix netip.Prefix) (first, last uint64) {
	first = numberOf(prefix.Masked().Addr())
	return first, first + 1<<(32-prefix.Bits()) - 1
}

func numberOf(address netip.Addr) uint64 {
	return uint64(binary.BigEndian.Uint32(address.AsSlice()))
}

func addressOf(number uint64) netip.Addr {
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], uint32(number))
	return netip.AddrFrom4(bytes)
}
