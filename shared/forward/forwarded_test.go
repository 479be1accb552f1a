package forward

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheBackendHearsWhereACallComesFrom(t *testing.T) {
	for _, c := range []struct {
		public, client string
		want           http.Header
	}{
		{"https://api.example", "203.0.113.7", http.Header{"X-Forwarded-For": {"203.0.113.7"}, "X-Forwarded-Host": {"api.example"}, "X-Forwarded-Proto": {"https"},
			"Forwarded": {"for=203.0.113.7;host=api.example;proto=https"}}},
		{"http://localhost:8080", "2001:db8::7", http.Header{"X-Forwarded-For": {"2001:db8::7"}, "X-Forwarded-Host": {"localhost:8080"}, "X-Forwarded-Proto": {"http"},
			"Forwarded": {`for="[2001:db8::7]";host="localhost:8080";proto=http`}}},
		{"https://[2001:db8::1]", "", http.Header{"X-Forwarded-Host": {"[2001:db8::1]"}, "X-Forwarded-Proto": {"https"}, "Forwarded": {`for=unknown;host="[2001:db8::1]";proto=https`}}},
		{"", "203.0.113.7", http.Header{"X-Forwarded-For": {"203.0.113.7"}, "Forwarded": {"for=203.0.113.7"}}},
		{"", "", http.Header{"Forwarded": {"for=unknown"}}},
	} {
		client, _ := netip.ParseAddr(c.client) // "" is unknown
		got := http.Header{}
		newForwarding(c.public).add(got, client)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q from %q (-want +got):\n%s", c.public, c.client, diff)
		}
	}
}

// element reads a forwarded-element by RFC 7239 §4: pairs of a token and a token or quoted string.
func element(s string) (map[string]string, error) {
	pair := regexp.MustCompile("^([a-z]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|\"((?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t -~])*)\")(;|$)")
	out := map[string]string{}
	for s != "" {
		m := pair.FindStringSubmatch(s)
		if m == nil {
			return nil, fmt.Errorf("no pair at %q", s)
		}
		if _, twice := out[m[1]]; twice {
			return nil, fmt.Errorf("%s is there twice", m[1])
		}
		out[m[1]] = m[2] + regexp.MustCompile(`\\(.)`).ReplaceAllString(m[3], "$1")
		if s = s[len(m[0]):]; s == "" && m[4] == ";" {
			return nil, fmt.Errorf("it ends with a semicolon")
		}
	}
	return out, nil
}

// A strict reader finds the same address, host and scheme in what was written.
func FuzzForwarded(f *testing.F) {
	f.Add([]byte{203, 0, 113, 7}, "api.example", true)
	f.Add(netip.MustParseAddr("2001:db8::7").AsSlice(), "localhost:8080", false)
	f.Add([]byte(nil), "[2001:db8::1]:443", true)
	f.Add([]byte{1}, `a"b`, true)
	f.Fuzz(func(t *testing.T, address []byte, host string, https bool) {
		client, _ := netip.AddrFromSlice(address)
		client = client.Unmap()
		public := map[bool]string{true: "https", false: "http"}[https]
		way, got := newForwarding(public+"://"+host), http.Header{}
		if way.host == nil || way.host[0] != host || strings.ContainsFunc(host, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
			return // not an address that a contract could hold
		}
		way.add(got, client)
		e, err := element(got.Get("Forwarded"))
		if err != nil {
			t.Fatalf("got Forwarded: %s: %v", got.Get("Forwarded"), err)
		}
		want := "unknown"
		if client.IsValid() {
			want = client.String()
		}
		if client.Is6() {
			want = "[" + want + "]"
		}
		if e["for"] != want || e["host"] != host || e["proto"] != public || len(e) != 3 {
			t.Errorf("got %v, want %s, %s and %s", e, want, host, public)
		}
		if back, err := netip.ParseAddr(got.Get("X-Forwarded-For")); client.IsValid() && (err != nil || back != client) {
			t.Errorf("got X-Forwarded-For %q, want %s", got.Get("X-Forwarded-For"), client)
		}
	})
}
