package gateway

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
)

// reserved are the names under which a backend believes the gateway or the
// platform, written from functions-host.md §7 and cases E89-E98, not from the
// code: the claims contract of these tests, single names, and prefixes with something after
// them.
func reserved(random *rand.Rand) string {
	names := []string{"X-Auth-Sub", "X-Auth-Tenant", "X-Auth-Roles", "X-Correlation-Id", "Authorization", "DPoP", "X-Functions-Key", "Ocp-Apim-Subscription-Key",
		"Forwarded", "Via", "Client-Ip", "X-Client-Ip", "X-Client-Port", "True-Client-Ip", "X-Real-Ip", "CF-Connecting-IP", "Fastly-Client-Ip", "Disguised-Host", "Was-Default-Hostname", "X-Site-Deployment-Id",
		"X-AppService-Proto", "Max-Forwards", "X-Original-Url", "X-Rewrite-Url", "X-WAWS-Unencoded-Url", "X-Http-Method-Override", "X-Method-Override", "X-Http-Method", "X-Function-Scaleout", "X-Ms-Coldstart", "X-Ms-Platform-Internal", "X-Host", "Proxy",
		"X-Original-For", "X-Original-Host", "X-Original-Proto", "X-Original-Prefix", "X-Original-Forwarded-For"}
	prefixes := []string{"X-MS-Client-Principal", "X-MS-Client-Principal-", "X-MS-Token-Aad-", "X-Arr-", "X-Azure-", "X-Envoy-", "X-Forwarded-", "Proxy-", "X-Ms-Site-"}
	n := random.IntN(len(names) + len(prefixes))
	if n < len(names) {
		return names[n]
	}
	return prefixes[n-len(names)] + []string{"Id", "Name", "For", "ClientIP", "x1"}[random.IntN(5)]
}

// disguised is another spelling that some backend takes for the name.
func disguised(name string, random *rand.Rand) string {
	spelt := []byte(name)
	for i, c := range spelt {
		switch {
		case c == '-':
			spelt[i] = "-_."[random.IntN(3)]
		case random.IntN(2) == 0 && (c|0x20) >= 'a' && (c|0x20) <= 'z':
			spelt[i] ^= 0x20
		}
	}
	return string(spelt)
}

// liar is a request that says "evil" under reserved names in every place that a
// request has. It leaves out the names to avoid, which would have it refused.
func liar(random *rand.Rand, line, token string, avoid ...string) string {
	var head, trailer strings.Builder
	var named []string
	for range 8 {
		name := reserved(random)
		if slices.Contains(avoid, name) {
			continue
		}
		for range 1 + random.IntN(2) { // a list to some, two lines to others
			fmt.Fprintf(&head, "%s: evil, evil\r\n", disguised(name, random))
		}
		fmt.Fprintf(&trailer, "%s: evil\r\n", disguised(name, random))
		if random.IntN(3) == 0 {
			named = append(named, disguised(name, random), name)
		}
	}
	if len(named) > 0 {
		fmt.Fprintf(&head, "Connection: %s\r\n", strings.Join(named, ", "))
	}
	return line + " HTTP/1.1\r\nHost: api.example\r\n" + token + head.String() + "X-Kept: yes\r\nTransfer-Encoding: chunked\r\nTrailer: X-Auth-Sub\r\n\r\n" +
		"2\r\nhi\r\n0\r\nX-Auth-Sub: evil\r\n" + trailer.String() + "\r\n"
}

// kept is a backend that keeps what it hears, header and trailers.
type kept struct{ heard []http.Header }

func (k *kept) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	k.heard = append(k.heard, r.Header, r.Trailer)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, err
}

// ask plays one request against the gateway, and gives the header that the backend got.
func (k *kept) ask(t *testing.T, g *Gateway, text string) http.Header {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	k.heard = nil
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != 200 || len(k.heard) != 2 {
		t.Fatalf("got status %d and %d calls, want 200 and one\n%s\n%s", w.Code, len(k.heard)/2, w.Body, text)
	}
	for _, h := range k.heard {
		if said := fmt.Sprint(h); strings.Contains(said, "evil") {
			t.Fatalf("got %v at the backend, want nothing of what the client said under those names in\n%s", h, text)
		}
	}
	return k.heard[0]
}

// E89, E91, E92, E94, E97, E98: whatever a client says under a name that only the
// gateway or the platform may use, and however it spells it, the backend hears
// the gateway's own value, or nothing.
func TestNoDisguiseOfAReservedNameReachesTheBackend(t *testing.T) {
	s, behind := newStand(t, echo()), &kept{}
	s.parts.Backends, s.parts.Events = over(behind), audit.NewLines(io.Discard)
	g := Compile(plan(t, "http://backend.internal"), s.parts)
	token := bearer(mint(t, issuer.Token{API: "orders", Scopes: []string{"orders.write"}, User: reader.User})) + "\r\n"
	for seed := range uint64(500) { // two requests of eight names each
		random := rand.New(rand.NewPCG(seed, 19))
		open := behind.ask(t, g, liar(random, "POST /open/x", "", "X-Functions-Key"))
		if sub := heard(open, "X-Auth-Sub"); sub != "" || open.Get("X-Kept") != "yes" || !strings.HasPrefix(heard(open, "X-Correlation-Id"), "c-") {
			t.Fatalf("seed %d: got %v on a public operation, want no identity, X-Kept and the gateway's id", seed, open)
		}
		known := behind.ask(t, g, liar(random, "POST /orders", token, "X-Functions-Key", "Authorization", "DPoP"))
		if sub, from := heard(known, "X-Auth-Sub"), heard(known, "X-Auth-Tenant"); sub != reader.User || from != tenant || known.Get("X-Kept") != "yes" {
			t.Fatalf("seed %d: got %v, want what the token says and X-Kept", seed, known)
		}
	}
}

// A key on two lines is refused before anything is forwarded; on one it ends here.
func TestNoDisguiseOfTheFunctionsKeyReachesTheBackend(t *testing.T) {
	s, behind := newStand(t, echo()), &kept{}
	s.parts.Backends, s.parts.Events = over(behind), audit.NewLines(io.Discard)
	g := Compile(plan(t, "http://backend.internal"), s.parts)
	for seed := range uint64(50) {
		name := disguised("X-Functions-Key", rand.New(rand.NewPCG(seed, 23)))
		behind.ask(t, g, "POST /open/x HTTP/1.1\r\nHost: a\r\n"+name+": evil\r\nContent-Length: 2\r\n\r\nhi")
	}
}
