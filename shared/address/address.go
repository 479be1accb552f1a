// Package address answers where a call comes from, and whether calls may come
// from there.
//
// Headers can be written by anyone, so there is no guess: the contract names the
// one place that the front end before the gateway fills in itself. What can't be
// read there, to the letter, is unknown: the zero netip.Addr.
package address

import (
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// Of is how the client's address is read from a request's headers; the zero Addr is unknown.
func Of(source contract.ClientSource) func(http.Header) netip.Addr {
	switch source.Source {
	case contract.SourceHost:
		// functions-host.md §7: newer hosts set one address without a port, older ones
		// pass the chain to which the front end appended ip:port. The last is right in both.
		return func(h http.Header) netip.Addr { return fromRight(h["X-Forwarded-For"], 1) }
	case contract.SourceForwarded:
		return func(h http.Header) netip.Addr { return fromRight(h["X-Forwarded-For"], source.Hops) }
	case contract.SourceFrontDoor:
		return frontDoor(folded(source.FrontDoorID))
	}
	return func(http.Header) netip.Addr { return netip.Addr{} }
}

// From is Of with what only an adapter knows: with the source event, the address
// stands beside the request, where no caller can write.
func From(source contract.ClientSource) func(*http.Request) netip.Addr {
	if source.Source == contract.SourceEvent {
		return func(r *http.Request) netip.Addr { return pipeline.Client(r.Context()) }
	}
	of := Of(source)
	return func(r *http.Request) netip.Addr { return of(r.Header) }
}

// fromRight is the n-th entry from the right. Lines of one name are one list, in
// their order (RFC 9110 §5.3). Only the n entries that are needed are looked at.
func fromRight(lines []string, n int) netip.Addr {
	for i := len(lines) - 1; i >= 0; i-- {
		line := lines[i]
		for {
			comma := strings.LastIndexByte(line, ',')
			if n--; n == 0 {
				return parse(line[comma+1:])
			}
			if comma < 0 {
				break
			}
			line = line[:comma]
		}
	}
	return netip.Addr{}
}

// frontDoor believes X-Azure-SocketIP, the peer of Front Door's own connection,
// and not X-Azure-ClientIP, which follows the X-Forwarded-For that a caller sends.
// Anyone can have a Front Door, so its id must be ours (functions-host.md §7).
func frontDoor(id [36]byte) func(http.Header) netip.Addr {
	return func(h http.Header) netip.Addr {
		ids, peers := h["X-Azure-Fdid"], h["X-Azure-Socketip"]
		if len(ids) != 1 || len(peers) != 1 || len(ids[0]) != len(id) {
			return netip.Addr{}
		}
		got := folded(ids[0])
		if subtle.ConstantTimeCompare(got[:], id[:]) != 1 {
			return netip.Addr{}
		}
		return parse(peers[0])
	}
}

// folded is a GUID in lower case.
func folded(id string) (out [36]byte) {
	copy(out[:], id)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// longest is that of [IPv6]:port; the longest text of an IPv6 address has 45 characters.
const longest = len("[]:65535") + 45

// parse reads IPv4, IPv6, IPv4:port, [IPv6] or [IPv6]:port. An IPv4 address in IPv6 form
// is the IPv4 address: one caller must not have two names.
func parse(entry string) netip.Addr {
	entry = strings.Trim(entry, " \t") // RFC 9110 §5.6.3
	if entry == "" || len(entry) > longest {
		return netip.Addr{}
	}
	if inner, bare := strings.CutSuffix(entry, "]"); bare { // an IPv6 address in brackets, without a port
		entry, bare = strings.CutPrefix(inner, "[")
		if !bare || strings.IndexByte(entry, ':') < 0 {
			return netip.Addr{}
		}
	}
	var a netip.Addr
	var err error
	if colon := strings.LastIndexByte(entry, ':'); entry[0] == '[' || colon > 0 && strings.IndexByte(entry, ':') == colon {
		var with netip.AddrPort
		with, err = netip.ParseAddrPort(entry)
		a = with.Addr()
	} else {
		a, err = netip.ParseAddr(entry)
	}
	if err != nil || a.Zone() != "" {
		return netip.Addr{}
	}
	return a.Unmap()
}
