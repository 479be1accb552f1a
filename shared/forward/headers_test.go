package forward_test

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/localrun/backend"
	"tollgate/shared/pipeline"
)

// The names below are written from functions-host.md §7, entra-oauth.md §3 and
// cases D79, D82, E97, E98, not from the code.
var (
	identity = []string{"X-User-Id", "X-Tenant-Id", "X-Client-Id", "X-Roles", "X-Scopes"}
	secrets  = []string{"Authorization", "x-functions-key", "Ocp-Apim-Subscription-Key"}
	spoken   = []string{"X-Correlation-Id", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-TlsVersion",
		"X-Forwarded-Uri", "X-Forwarded-User", "X-Forwarded-Server", "Forwarded", "Via", "X-Real-Ip", "True-Client-Ip", "CLIENT-IP", "X-Client-IP", "X-Client-Port", "CF-Connecting-IP",
		"X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-ID", "X-MS-CLIENT-PRINCIPAL-NAME", "X-MS-CLIENT-PRINCIPAL-IDP", "X-MS-TOKEN-AAD-ID-TOKEN", "X-MS-TOKEN-AAD-ACCESS-TOKEN", "X-MS-TOKEN-AAD-REFRESH-TOKEN", "X-MS-TOKEN-AAD-EXPIRES-ON",
		"X-ARR-ClientCert", "X-ARR-SSL", "X-ARR-LOG-ID", "X-Azure-FDID", "X-Azure-ClientIP", "X-Azure-SocketIP", "X-Azure-Ref", "X-Azure-RequestChain", "DISGUISED-HOST", "WAS-DEFAULT-HOSTNAME",
		"X-SITE-DEPLOYMENT-ID", "X-AppService-Proto", "Max-Forwards", "X-Original-URL", "X-Rewrite-URL", "X-WAWS-Unencoded-URL", "X-Envoy-Original-Path", "X-Envoy-Internal",
		"x-ms-platform-internal", "x-ms-site-restricted-token", "x-ms-site-token", "X-MS-COLDSTART", "X-FUNCTION-SCALEOUT", "X-Azure-Functions-InvocationId", "X-Azure-Functions-HostVersion", "x-ms-invocation-id",
		"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "Traceparent", "Tracestate"}
	hops = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Alt-Svc"}
)

func forbidden() []string { return slices.Concat(identity, secrets, spoken, hops) }

// disguise spells a name another way that a lenient backend takes for the same.
func disguise(name string, random *rand.Rand) string {
	var b strings.Builder
	for _, c := range name {
		switch {
		case c == '-':
			b.WriteByte("-_."[random.IntN(3)])
		case random.IntN(2) == 0:
			b.WriteString(strings.ToUpper(string(c)))
		default:
			b.WriteString(strings.ToLower(string(c)))
		}
	}
	return b.String()
}

// attack is a request in which names lie in every place that a request has.
func attack(names []string, random *rand.Rand) string {
	var head, named []string
	for _, n := range names {
		if c := fold(n); c == "transfer-encoding" || c == "trailer" { // net/http reads these itself, in their own spelling
			n = strings.ReplaceAll(n, "-", "_") + "_"
		}
		for range 1 + random.IntN(3) {
			head = append(head, disguise(n, random)+": evil")
		}
		if random.IntN(8) == 0 { // rarely: a name that Connection lists is dropped for that alone
			named = append(named, disguise(n, random))
		}
	}
	random.Shuffle(len(head), func(i, j int) { head[i], head[j] = head[j], head[i] })
	head = append(head, "X-Kept: yes", "Connection: "+strings.Join(named, []string{",", ", ", " ,\t", ",,"}[random.IntN(4)]), "Connection:")
	trailer := strings.Join(head[:min(len(head), 5)], "\r\n")
	return "POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-User-Id, X-Kept-Not\r\n" + strings.Join(head, "\r\n") + "\r\n\r\n" +
		"2\r\nhi\r\n0\r\nX-User-Id: evil\r\nX-Kept-Not: evil\r\n" + trailer + "\r\n\r\n"
}

// ownWords is what the gateway says of every call: here, of one from an unknown
// address, without a public URL, whose trace begins with it.
func ownWords() http.Header {
	return http.Header{"X-Correlation-Id": {correlation}, "Forwarded": {"for=unknown"}, "Traceparent": {"00-a6f7ef47ee8dc84af9056a3051ddc302-f19581a96eb7e12f-00"}}
}

// assertSilenced: the backend hears under each name what the gateway says, or nothing.
func assertSilenced(t *testing.T, got, who http.Header) {
	t.Helper()
	for _, name := range forbidden() {
		want := who.Values(name)
		if own := ownWords().Values(name); own != nil {
			want = own
		}
		if diff := cmp.Diff(want, heard(got, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// FuzzNoDisguiseReachesTheBackend draws disguises of the names from seed; extra is one more header name.
func FuzzNoDisguiseReachesTheBackend(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, "X_User-Id", "X-User-Id", true)
	}
	f.Add(uint64(1), "Connection", "close, X-User-Id", false)
	f.Add(uint64(2), "X-User-Id\x00", "a", false)
	f.Fuzz(func(t *testing.T, seed uint64, name, value string, public bool) {
		random := rand.New(rand.NewPCG(seed, 7))
		names := forbidden()
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		r := request(t, attack(names[:1+random.IntN(len(names))], random))
		r.Header[http.CanonicalHeaderKey(name)] = append(r.Header[http.CanonicalHeaderKey(name)], value)
		who := caller()
		if public {
			who = nil
		}
		out := sent(t, r, who)
		assertSilenced(t, out.Header, who)
		if len(out.Trailer) != 0 || len(out.TransferEncoding) != 0 || out.Host != "backend.internal" {
			t.Errorf("got trailers %v, codings %v and host %q, want none and the backend's", out.Trailer, out.TransferEncoding, out.Host)
		}
	})
}

// The same over two real connections: what net/http does on either side is part of it.
func TestNoDisguiseReachesARealBackend(t *testing.T) {
	rec := backend.Record(backend.New())
	s := newStand(t, rec)
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 11))
		names := forbidden()
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		s.front.who = caller()
		if seed%2 == 0 {
			s.front.who = nil // a public operation
		}
		rec.Reset()
		resp := s.dial(t, attack(names[:1+random.IntN(40)], random)).response(t, "POST")
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != 200 || rec.Count() != 1 {
			t.Fatalf("seed %d: got status %d and %d calls, want 200 and one", seed, resp.StatusCode, rec.Count())
		}
		seen := rec.Requests()[0]
		seen.Header.Del("Transfer-Encoding")
		assertSilenced(t, seen.Header, s.front.who)
		if string(seen.Body) != "hi" || len(seen.Trailer) != 0 {
			t.Errorf("seed %d: got body %q and trailers %v, want hi and none", seed, seen.Body, seen.Trailer)
		}
	}
}

// entra-oauth.md §3: Proxy-* ends here. "Proxy" alone becomes HTTP_PROXY in a
// CGI backend, which then calls out through the attacker (httpoxy, CVE-2016-5385).
func TestEveryProxyHeaderEndsHere(t *testing.T) {
	for _, name := range []string{"Proxy-Authentication-Info", "Proxy-Features", "Proxy-Instruction", "Proxy"} {
		t.Run(name, func(t *testing.T) {
			out := sent(t, request(t, "GET /orders HTTP/1.1\r\nHost: a\r\n"+name+": evil\r\n\r\n"), caller())
			if got := heard(out.Header, name); len(got) > 0 {
				t.Errorf("got %s at the backend, want none", got)
			}
		})
	}
	if got := answer(t, &http.Response{StatusCode: 200, Header: http.Header{"Proxy-Authentication-Info": {"x"}}, Body: http.NoBody}); got.Get("Proxy-Authentication-Info") != "" {
		t.Error("got Proxy-Authentication-Info in the answer, want none")
	}
}

// RFC 9110 §7.6.1: a header that Connection lists ends at this connection.
func TestWhatConnectionListsEndsHere(t *testing.T) {
	r := request(t, "GET /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: , X-Hop ,x_other.hop\r\nX-Hop: 1\r\nx_hop: 2\r\nX-Other-Hop: 3\r\nX-Kept: yes\r\n\r\n")
	out := sent(t, r, caller()).Header
	if len(heard(out, "X-Hop")) > 0 || len(heard(out, "X-Other-Hop")) > 0 || out.Get("X-Kept") != "yes" {
		t.Errorf("got %v at the backend, want neither X-Hop nor X-Other-Hop, and X-Kept", out)
	}
}

func TestWhatACallerMaySayArrivesAsItWasSaid(t *testing.T) {
	const text = "GET /orders HTTP/1.1\r\nHost: a\r\nAccept: a\r\nAccept: b\r\nAccept-Encoding: br\r\nCookie: a=1; b=2\r\nBaggage: a=1\r\nX-User: not the header\r\nX-User-Id-2: 3\r\n" +
		"X-MyAzure: 1\r\nIf-None-Match: \"x\"\r\nRange: bytes=1-2\r\nX-Empty:\r\nOrigin: https://o.example\r\n\r\n"
	want := http.Header{"Accept": {"a", "b"}, "Accept-Encoding": {"br"}, "Cookie": {"a=1; b=2"}, "Baggage": {"a=1"}, "X-User": {"not the header"}, "X-User-Id-2": {"3"},
		"X-Myazure": {"1"}, "If-None-Match": {`"x"`}, "Range": {"bytes=1-2"}, "X-Empty": {""}, "Origin": {"https://o.example"},
		"X-User-Id": {"u-1"}, "X-Tenant-Id": {"t-1"}}
	maps.Copy(want, ownWords())
	rec := backend.Record(backend.New())
	s := newStand(t, rec)
	s.dial(t, text).response(t, "GET")
	if diff := cmp.Diff(want, rec.Requests()[0].Header); diff != "" {
		t.Errorf("at the backend (-want +got):\n%s", diff)
	}
}

// answer is what a caller hears of a backend's answer.
func answer(t *testing.T, resp *http.Response) http.Header {
	t.Helper()
	w := httptest.NewRecorder()
	call := &pipeline.Call{Request: request(t, "GET /orders HTTP/1.1\r\nHost: a\r\n\r\n"), Path: "/orders", Correlation: correlation}
	deliver := newFront(api(t, "http://backend.internal"), &captured{answer: resp}).deliver
	if refused := deliver(t.Context(), w, call); refused != nil {
		t.Fatalf("got %+v, want an answer", refused)
	}
	return w.Result().Header
}

func TestNoDisguiseReachesTheCaller(t *testing.T) {
	for seed := range uint64(200) {
		random, h := rand.New(rand.NewPCG(seed, 13)), http.Header{"X-Kept": {"yes"}, "Set-Cookie": {"a", "b"}}
		names := slices.Concat(identity, hops, []string{"Server", "X-Powered-By", "X-AspNet-Version", "X-AspNetMvc-Version", "X-Correlation-Id", "X-Named", "Forwarded", "X-Forwarded-For", "Traceparent", "Tracestate"})
		for _, n := range names {
			h.Add(disguise(n, random), "evil")
			h.Add(n, "evil")
		}
		h["Connection"] = []string{"close", "keep-alive, " + disguise("X-Named", random)}
		got := answer(t, &http.Response{StatusCode: 200, Header: h, Body: http.NoBody, ContentLength: 0})
		got.Del("Trailer")
		got.Del("Content-Type") // nil: net/http must not guess one
		if diff := cmp.Diff(http.Header{"X-Kept": {"yes"}, "Set-Cookie": {"a", "b"}, "X-Correlation-Id": {correlation}}, got); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

// functions-host.md §7: platform control headers are never echoed; a principal in an answer is an identity (E100).
func TestPlatformHeadersDontReachTheCaller(t *testing.T) {
	for _, name := range []string{"x-ms-platform-internal", "x-ms-site-restricted-token", "x-ms-site-token", "X-MS-COLDSTART", "X-FUNCTION-SCALEOUT",
		"X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-NAME", "X-MS-TOKEN-AAD-ACCESS-TOKEN"} {
		h := http.Header{}
		h.Set(name, "secret")
		if got := heard(answer(t, &http.Response{StatusCode: 200, Header: h, Body: http.NoBody}), name); len(got) > 0 {
			t.Errorf("got %s: %s, want none", name, got)
		}
	}
}

func TestTrailersOfAnAnswer(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		names := []string{"X-Checksum", "x_user.id", "X-Tenant-Id", "X-Correlation-Id", "Server", "X-Powered-By", "X-Forwarded-For", "Keep-Alive"}
		for _, n := range names {
			w.Header().Add("Trailer", n)
		}
		_, _ = io.WriteString(w, "ok")
		for _, n := range names {
			w.Header()[http.CanonicalHeaderKey(n)] = []string{"told"}
		}
		w.Header()[http.TrailerPrefix+"X-Unannounced"] = []string{"told"}
		w.Header()[http.TrailerPrefix+"X-Roles"] = []string{"told"}
	}))
	resp := s.dial(t, "GET /orders HTTP/1.1\r\nHost: a\r\n\r\n").response(t, "GET")
	body, err := io.ReadAll(resp.Body)
	resp.Trailer.Del("X-Unannounced") // may pass, or may not
	if diff := cmp.Diff(http.Header{"X-Checksum": {"told"}}, resp.Trailer); diff != "" || string(body) != "ok" || err != nil {
		t.Errorf("got %q, %v and trailers (-want +got):\n%s", body, err, diff)
	}
}

func TestAnAnswerWithoutATypeIsGivenNone(t *testing.T) {
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"], w.Header()["Date"] = nil, nil
		_, _ = fmt.Fprint(w, "<html><script>alert(1)</script>")
	}))
	resp := s.dial(t, "GET /orders HTTP/1.1\r\nHost: a\r\n\r\n").response(t, "GET")
	if got := resp.Header["Content-Type"]; got != nil {
		t.Errorf("got Content-Type %q, which the backend didn't say; want none", got)
	}
}
