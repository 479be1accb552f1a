package adversarial

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tollgate/localrun/host"
)

// addresses lets some clients at the API public, by their address.
func addresses(source string) edit {
	return edit{
		"claimsContract: 1\n", "claimsContract: 1\nclientAddress: { source: " + source + " }\n",
		"path: /public\n", "path: /public\naddresses: { allow: [203.0.113.0/24, \"2001:db8::/32\"], deny: [203.0.113.66/32, \"2001:db8:66::/48\"] }\n",
	}
}

// addressed is a gateway that takes client addresses from source.
func addressed(t *testing.T, source string) *bench {
	t.Helper()
	return inProcess(t, addresses(source))
}

// behindHost is E95 through the host, which takes the caller's own chain away
// and tells the one address that the platform saw.
func behindHost(t *testing.T, app string) {
	b := hosted(t, app, addresses("host"), func(o *host.Options) {
		o.FrontEnd = &host.FrontEnd{ClientAddr: func(r *http.Request) string { return r.Header.Get("X-Test-Client") }}
		o.Variants.ForwardedHeaders = true
	})
	seen := func(client string, lines ...string) string {
		return ask("GET /public/x", append(lines, "X-Test-Client: "+client)...)
	}
	b.run(t, []row{
		{id: "E95", name: "an address that is let in", request: seen("203.0.113.7:4711"), want: inside},
		{id: "E95", name: "one that isn't", request: seen("1.2.3.4:4711"), want: outside},
		{id: "E95", name: "one that isn't, with a forged chain", request: seen("1.2.3.4:4711", "X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7", "X-Real-IP: 203.0.113.7"), want: outside},
		{id: "E95", name: "one that is denied, with a forged chain", request: seen("203.0.113.66:1", "X-Forwarded-For: 203.0.113.7, 203.0.113.7"), want: outside},
		{id: "E95", name: "one that is let in, with 50 others before it", request: seen("203.0.113.7:4711", "X-Forwarded-For: "+strings.Repeat("1.2.3.4, ", 50)+"::1"), want: inside},
		{id: "E95", name: "an IPv6 address", request: seen("[2001:db8::7]:4711"), want: inside},
		{id: "E95", name: "an address of the platform", request: seen("10.0.128.4:4711"), want: outside},
	})
}

const (
	inside  = "200"
	outside = "403 address_not_allowed"
)

// from is a public request with these X-Forwarded-For lines, and every other
// header in which a caller could claim to be let in.
func from(chain ...string) string {
	lines := []string{"X-Real-IP: 203.0.113.7", "Client-IP: 203.0.113.7", "X-Client-IP: 203.0.113.7", "True-Client-IP: 203.0.113.7", "CF-Connecting-IP: 203.0.113.7", "Forwarded: for=203.0.113.7", "X_Forwarded_For: 203.0.113.7"}
	for _, c := range chain {
		lines = append(lines, "X-Forwarded-For: "+c)
	}
	return ask("GET /public/x", lines...)
}

// E95: one proxy of ours stands before the handler: the last entry is true.
func TestE95TheAddressIsTheLastOfOneHop(t *testing.T) {
	b := addressed(t, "forwarded, hops: 1")
	var rows []row
	for chain, want := range map[string]string{
		"203.0.113.7": inside, "1.2.3.4, 203.0.113.7": inside, "203.0.113.7, 1.2.3.4": outside, "203.0.113.7,1.2.3.4": outside, "203.0.113.66": outside, "1.2.3.4": outside, "203.0.113.7:4711": inside, "203.0.113.66:4711": outside,
		"2001:db8::7": inside, "[2001:db8::7]:4711": inside, "[2001:db8::7]": inside, "2001:DB8:0:0::7": inside, "2001:db8:66::1": outside, "::ffff:203.0.113.7": inside, "::ffff:203.0.113.66": outside, "::ffff:1.2.3.4": outside, "2001:db9::1": outside,
		strings.Repeat("203.0.113.7, ", 50) + "1.2.3.4": outside, strings.Repeat("1.2.3.4, ", 50) + "203.0.113.7": inside, "garbage, 203.0.113.7": inside, "203.0.113.7, garbage": outside, "garbage": outside, "": outside, ",": outside, "203.0.113.7,": outside, "203.0.113.7, ": outside,
		"unknown": outside, "_hidden": outside, `"203.0.113.7"`: outside, "203.0.113.7 1.2.3.4": outside, "203.0.113.7;1.2.3.4": outside, "203.0.113": outside, "203.0.113.007": outside, "3405803783": outside, "0xcb007107": outside, "203.0.113.7/24": outside, "203.0.113.256": outside, "203.0.113.7.": outside,
		"127.0.0.1": outside, "::1": outside, "10.0.0.1": outside, "169.254.169.254": outside, "0.0.0.0": outside, "::": outside, "fe80::1%eth0": outside, "2001:db8::7%eth0": outside, "localhost": outside, "203.0.113.7:99999": outside, "203.0.113.7:x": outside, "[2001:db8::7": outside,
	} {
		rows = append(rows, row{id: "E95", name: "from " + visible(chain), request: from(chain), want: want})
	}
	b.run(t, append(rows,
		row{id: "E95", name: "no chain", request: from(), want: outside},
		row{id: "E95", name: "two lines, the true one last", request: from("1.2.3.4", "203.0.113.7"), want: inside},
		row{id: "E95", name: "two lines, the true one first", request: from("203.0.113.7", "1.2.3.4"), want: outside},
		row{id: "E95", name: "an address that is let in needs a token all the same", request: ask("GET /manage/x", "X-Forwarded-For: 203.0.113.7"), want: "401 token_missing"}))
}

// E95: the N-th from the right, and none where there are fewer.
func TestE95TheAddressIsTheNthFromTheRight(t *testing.T) {
	b := addressed(t, "forwarded, hops: 2")
	var rows []row
	for chain, want := range map[string]string{
		"203.0.113.7, 10.0.0.1": inside, "1.2.3.4, 203.0.113.7, 10.0.0.1": inside, "203.0.113.7, 1.2.3.4, 10.0.0.1": outside, "203.0.113.7": outside, "10.0.0.1, 203.0.113.7": outside, "203.0.113.7, garbage": inside, "garbage, 10.0.0.1": outside, "203.0.113.66, 10.0.0.1": outside, ", 203.0.113.7": outside, "[2001:db8::7]:1, 10.0.0.1": inside,
	} {
		rows = append(rows, row{id: "E95", name: "two hops, from " + chain, request: from(chain), want: want})
	}
	b.run(t, rows)
}

// E95: what the host says is one address; a chain isn't the host's.
func TestE95TheHostsAddressIsOne(t *testing.T) {
	b := addressed(t, "host")
	b.run(t, []row{
		{id: "E95", name: "the host's address", request: from("203.0.113.7"), want: inside},
		{id: "E95", name: "the host's address, outside", request: from("1.2.3.4"), want: outside},
		{id: "E95", name: "the host's address, denied", request: from("203.0.113.66"), want: outside},
		{id: "E95", name: "an address inside the platform", request: from("10.0.128.4"), want: outside},
		{id: "E95", name: "no address", request: from(), want: outside},
	})
}

// E95: behind Front Door only its own headers count.
func TestE95BehindFrontDoorTheChainCountsForNothing(t *testing.T) {
	b := addressed(t, "frontDoor")
	b.run(t, []row{
		{id: "E95", name: "a chain without Front Door's headers", request: from("203.0.113.7"), want: outside},
		{id: "E95", name: "Front Door's headers without its id", request: ask("GET /public/x", "X-Azure-ClientIP: 203.0.113.7", "X-Azure-SocketIP: 203.0.113.7"), want: outside},
	})
}

// E95: what a backend hears of the way is what the gateway knows of it.
func TestE95TheBackendHearsTheGatewaysOwnChain(t *testing.T) {
	b := addressed(t, "forwarded, hops: 1")
	lies := []string{"X-Forwarded-For: 6.6.6.6, 203.0.113.7", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: gopher", "X-Forwarded-Port: 666", "X-Forwarded-Prefix: /evil", "Forwarded: for=6.6.6.6;host=evil.example;proto=gopher"}
	b.run(t, []row{{id: "E95", name: "a forged chain", request: ask("GET /public/x", lies...), want: inside, check: func(t *testing.T, b *bench, _ answer) {
		if got := heard(b, "X-Forwarded-For"); len(got) != 1 || got[0] != "203.0.113.7" {
			t.Errorf("got X-Forwarded-For %q at the backend, want the client's address alone", got)
		}
		if got := strings.Join(heard(b, "Forwarded"), "; "); !strings.Contains(got, "for=203.0.113.7") {
			t.Errorf("got Forwarded %q at the backend, want for=203.0.113.7", got)
		}
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded"} {
			if got := strings.Join(heard(b, name), " "); strings.Contains(got, "evil") || strings.Contains(got, "6.6.6") || strings.Contains(got, "gopher") || strings.Contains(got, "666") {
				t.Errorf("got %s %q at the backend, want nothing that the caller said", name, got)
			}
		}
	}}, {id: "E95", name: "an IPv6 address", request: ask("GET /public/x", "X-Forwarded-For: [2001:db8::7]:4711"), want: inside, check: func(t *testing.T, b *bench, _ answer) {
		if got := strings.Join(heard(b, "Forwarded"), "; "); !strings.Contains(got, `for="[2001:db8::7]"`) { // RFC 7239 §6
			t.Errorf("got Forwarded %q at the backend, want the address in brackets and quotes", got)
		}
	}}})
}

// E95: a trace that is no trace is replaced (W3C Trace Context §3.2).
func TestE95ATraceThatIsNoneIsReplaced(t *testing.T) {
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	shape := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	trace := func(sameTrace bool) func(*testing.T, *bench, answer) {
		return func(t *testing.T, b *bench, _ answer) {
			got := heard(b, "traceparent")
			if len(got) != 1 || !shape.MatchString(got[0]) || strings.HasPrefix(got[0], "00-"+strings.Repeat("0", 32)) || strings.Contains(got[0], good[3:35]) != sameTrace {
				t.Errorf("got the traceparent %q at the backend, want one, of the caller's trace: %v", got, sameTrace)
			}
			if state := heard(b, "tracestate"); len(state) > 0 && !sameTrace {
				t.Errorf("got the tracestate %q without its trace, want none", state)
			}
		}
	}
	rows := []row{{id: "E95", name: "a good trace", request: ask("GET /public/x", "traceparent: "+good), want: inside, check: trace(true)}}
	for _, bad := range []string{"", "x", strings.ToUpper(good), "ff" + good[2:], "00-" + strings.Repeat("0", 32) + good[35:], good[:36] + strings.Repeat("0", 16) + "-01", good + "-x", good[:54], good + ", " + good, "00" + good[3:]} {
		rows = append(rows, row{id: "E95", name: "the trace " + visible(bad), request: ask("GET /public/x", "traceparent: "+bad, "tracestate: a=b"), want: inside, check: trace(false)})
	}
	inProcess(t, nil).run(t, rows)
}
