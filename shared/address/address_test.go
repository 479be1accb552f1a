package address_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"tollgate/shared/address"
	"tollgate/shared/contract"
)

const frontDoorID = "0A1B2C3D-0000-4000-8000-00000000F00D"

func source(name string, hops int) contract.ClientSource {
	return contract.ClientSource{Source: name, Hops: hops, FrontDoorID: frontDoorID}
}

// chain is X-Forwarded-For, one line for each value.
func chain(lines ...string) http.Header { return http.Header{"X-Forwarded-For": lines} }

func assertClient(t *testing.T, s contract.ClientSource, h http.Header, want string) {
	t.Helper()
	got := address.Of(s)(h)
	if want == "" && got.IsValid() || want != "" && got.String() != want {
		t.Errorf("%+v of %q: got %s, want %q", s, h, got, want)
	}
}

func TestWithoutASourceTheAddressIsUnknown(t *testing.T) {
	assertClient(t, contract.ClientSource{}, chain("203.0.113.7"), "")
}

// Row 95: what stands left of the front end's own entry is the caller's to write.
func TestTheHostsSourceIsTheLastEntry(t *testing.T) {
	for want, headers := range map[string][]http.Header{
		"203.0.113.7": {
			chain("203.0.113.7"), chain("203.0.113.7:4711"), chain("1.2.3.4, 203.0.113.7:4711"), chain("1.2.3.4,203.0.113.7"),
			chain("1.2.3.4", "203.0.113.7"), chain("garbage, [::1, 203.0.113.7 "), chain("::ffff:203.0.113.7"), chain("[::ffff:203.0.113.7]:80"),
			chain(strings.Repeat("1.2.3.4, ", 50) + "203.0.113.7"), chain("1.2.3.4,", "\t203.0.113.7"),
		},
		"2001:db8::7": {chain("2001:db8::7"), chain("[2001:db8::7]:4711"), chain("[2001:db8::7]"), chain("1.2.3.4, 2001:DB8:0::7")},
		"": {
			nil, chain(""), chain("203.0.113.7,"), chain("203.0.113.7", ""), chain("unknown"), chain("_hidden"), chain("203.0.113.7:"), chain("203.0.113.7:65536"),
			chain("203.0.113.7:x"), chain("203.0.113.07"), chain("203.0.113"), chain("203.0.113.7/32"), chain("fe80::1%eth0"), chain("[fe80::1%eth0]:80"),
			chain("[203.0.113.7]"), chain("[]"), chain("2001:db8::7]"), chain("[203.0.113.7]:80"), chain("2001:db8::7]:80"), chain(`"203.0.113.7"`), chain("203.0.113.7 1.2.3.4"), chain("203.0.113.7;1.2.3.4"),
			chain("203.0.113.7\x00"), chain("0xcb.0.113.7"), chain("3405803783"), chain(strings.Repeat("1", 1<<20)),
			{"X_forwarded_for": {"203.0.113.7"}, "X-Real-Ip": {"203.0.113.7"}, "Client-Ip": {"203.0.113.7"}},
		},
	} {
		for _, h := range headers {
			assertClient(t, source(contract.SourceHost, 0), h, want)
		}
	}
}

func TestAForwardedChainIsCountedFromTheRight(t *testing.T) {
	h := chain("6.6.6.6, 203.0.113.1", "203.0.113.2:80 ,[2001:db8::3]:443")
	for hops, want := range map[int]string{1: "2001:db8::3", 2: "203.0.113.2", 3: "203.0.113.1", 4: "6.6.6.6", 5: "", 16: ""} {
		assertClient(t, source(contract.SourceForwarded, hops), h, want)
	}
	assertClient(t, source(contract.SourceForwarded, 2), chain("203.0.113.1, , 203.0.113.3"), "")
}

func TestFrontDoorIsBelievedUnderItsIDOnly(t *testing.T) {
	with := func(more ...string) http.Header {
		h := http.Header{"X-Azure-Fdid": {strings.ToLower(frontDoorID)}, "X-Azure-Socketip": {"203.0.113.7"}, "X-Azure-Clientip": {"6.6.6.6"}, "X-Forwarded-For": {"6.6.6.6"}}
		for i := 0; i+1 < len(more); i += 2 {
			h[more[i]] = nil
			if more[i+1] != "" {
				h[more[i]] = strings.Split(more[i+1], "|")
			}
		}
		return h
	}
	for want, headers := range map[string][]http.Header{
		"203.0.113.7": {with(), with("X-Azure-Fdid", frontDoorID)},
		"2001:db8::7": {with("X-Azure-Socketip", "2001:db8::7")},
		"": {
			with("X-Azure-Fdid", ""), with("X-Azure-Fdid", "0a1b2c3d-0000-4000-8000-00000000beef"), with("X-Azure-Fdid", frontDoorID+"|"+frontDoorID),
			with("X-Azure-Fdid", frontDoorID+" "), with("X-Azure-Fdid", frontDoorID[1:]), with("X-Azure-Socketip", ""), with("X-Azure-Socketip", "203.0.113.7|203.0.113.7"),
			with("X-Azure-Socketip", "6.6.6.6, 203.0.113.7"),
		},
	} {
		for _, h := range headers {
			assertClient(t, source(contract.SourceFrontDoor, 0), h, want)
		}
	}
}

// Whatever the headers hold, the result is unknown, or an address that stands at
// its place of the chain.
func FuzzClientAddress(f *testing.F) {
	f.Add("203.0.113.7", "", uint8(1))
	f.Add("1.2.3.4, 203.0.113.7:80", "[2001:db8::1]:443", uint8(2))
	f.Add("::ffff:1.2.3.4,", ",,,", uint8(3))
	f.Add("fe80::1%eth0", "[::1", uint8(1))
	f.Add("0", "[0:aa0::0]", uint8(0))
	f.Fuzz(func(t *testing.T, first, second string, hops uint8) {
		n := int(hops%16) + 1
		h := chain(first, second)
		h["X-Azure-Fdid"], h["X-Azure-Socketip"] = []string{second}, []string{first}
		if got := address.Of(source(contract.SourceFrontDoor, 0))(h); got.IsValid() && !strings.EqualFold(second, frontDoorID) {
			t.Errorf("%q: got %s under the id %q, want none", h, got, second)
		}
		got := address.Of(source(contract.SourceForwarded, n))(h)
		if !got.IsValid() {
			return
		}
		entries := strings.Split(first+","+second, ",")
		if len(entries) < n {
			t.Fatalf("%q: got %s, want unknown: the chain has %d entries, not %d", h, got, len(entries), n)
		}
		entry := strings.Trim(entries[len(entries)-n], " \t")
		bare := entry
		if inner, ok := strings.CutPrefix(entry, "["); ok && strings.HasSuffix(inner, "]") && strings.Contains(inner, ":") {
			bare = strings.TrimSuffix(inner, "]")
		}
		want, err := netip.ParseAddr(bare)
		if with, errWith := netip.ParseAddrPort(entry); err != nil && errWith == nil {
			want, err = with.Addr(), nil
		}
		if err != nil || got != want.Unmap() || got.Zone() != "" {
			t.Errorf("%q: got %s, want what %q says", h, got, entry)
		}
	})
}

func BenchmarkClientAddress(b *testing.B) {
	for name, h := range map[string]http.Header{
		"one address":        chain("203.0.113.7"),
		"chain of 50":        chain(strings.Repeat("1.2.3.4, ", 49) + "[2001:db8::7]:4711"),
		"100 KB to the left": chain(strings.Repeat("x", 100<<10) + ", 203.0.113.7:4711"),
	} {
		of := address.Of(source(contract.SourceHost, 0))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				of(h)
			}
		})
	}
}
