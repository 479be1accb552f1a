package boot

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/forward"
	"tollgate/shared/pipeline"
	"tollgate/shared/wire"
)

// secure is a backend over TLS that says which protocol it was asked by.
func secure(t *testing.T, cert tls.Certificate, h2 bool, adjust ...func(*tls.Config)) (address string, heard *atomic.Int64) {
	t.Helper()
	heard = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard.Add(1)
		w.Header().Set("Trailer", "X-End")
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, r.Proto+" "+r.Header.Get("User-Agent")+r.Header.Get("Accept-Encoding"))
		w.Header().Set("X-End", "whole")
	}))
	server.TLS, server.EnableHTTP2 = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10}, h2
	for _, a := range adjust {
		a(server.TLS)
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, heard
}

// asked is what a caller gets of an API with that backend: status, body, trailer, and the refusal's cause.
func asked(t *testing.T, address string, b contract.PlannedBackend) (status int, body, trailer, cause string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	b.Targets, b.Timeout = []contract.PlannedTarget{{URL: u, Weight: 1, Rule: "backend.url"}}, 10*time.Second
	api := contract.PlannedAPI{Name: "a", MaxBody: 1 << 20, Backend: b}
	rt := newBackends(Outside{Getenv: os.Getenv}).transport(api)
	t.Cleanup(rt.(interface{ CloseIdleConnections() }).CloseIdleConnections)
	w := httptest.NewRecorder()
	call := &pipeline.Call{Request: httptest.NewRequestWithContext(t.Context(), "GET", "/a", nil), Path: "/a"}
	refused := forward.At(api, nil, rt, time.Now).To(contract.PlannedOperation{})(t.Context(), w, call)
	if refused != nil {
		return refused.Kind.Status(), "", "", refused.Cause()
	}
	return w.Code, w.Body.String(), w.Result().Trailer.Get("X-End"), ""
}

func TestAPrivateAuthorityIsTrustedAndNoOther(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	hour := time.Now().Add(time.Hour)
	for _, h2 := range []bool{false, true} {
		for name, c := range map[string]struct {
			cert  tls.Certificate
			ca    string
			cause string // "": 200
		}{
			"ours":               {ours.of(t, hour, "127.0.0.1"), ours.pem, ""},
			"ours, of two":       {ours.of(t, hour, "127.0.0.1"), theirs.pem + ours.pem, ""},
			"another authority":  {theirs.of(t, hour, "127.0.0.1"), ours.pem, "unknown authority"},
			"the system's alone": {ours.of(t, hour, "127.0.0.1"), "", "unknown authority"},
			"expired":            {ours.of(t, time.Now().Add(-time.Hour), "127.0.0.1"), ours.pem, "expired"},
			"another name":       {ours.of(t, hour, "backend.example", "127.0.0.2"), ours.pem, "127.0.0.1"},
		} {
			t.Run(name, func(t *testing.T) {
				at, heard := secure(t, c.cert, h2)
				status, body, trailer, cause := asked(t, at, contract.PlannedBackend{CA: c.ca, HTTP2: h2})
				if c.cause == "" && (status != 200 || trailer != "whole") {
					t.Errorf("got %d %q (%s), want 200 with its trailer", status, body, cause)
				}
				if c.cause != "" && (status != 502 || !strings.Contains(cause, c.cause) || heard.Load() != 0) {
					t.Errorf("got %d because %q and %d calls, want 502, %q and none", status, cause, heard.Load(), c.cause)
				}
			})
		}
	}
}

func TestNothingOlderThanTLS12(t *testing.T) {
	ours := newAuthority(t, "ours")
	for version, want := range map[uint16]int{tls.VersionTLS10: 502, tls.VersionTLS11: 502, tls.VersionTLS12: 200, tls.VersionTLS13: 200} {
		for _, h2 := range []bool{false, true} {
			at, _ := secure(t, ours.of(t, time.Now().Add(time.Hour), "127.0.0.1"), h2, func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version })
			status, _, _, cause := asked(t, at, contract.PlannedBackend{CA: ours.pem, HTTP2: h2})
			if status != want || want == 502 && !strings.Contains(cause, "protocol version") {
				t.Errorf("%s, HTTP/2 %v: got %d (%s), want %d", tls.VersionName(version), h2, status, cause, want)
			}
		}
	}
}

func TestHTTP2IsSpokenWhereTheContractSaysSo(t *testing.T) {
	ours := newAuthority(t, "ours")
	cert := ours.of(t, time.Now().Add(time.Hour), "127.0.0.1")
	overTLS, _ := secure(t, cert, true)
	clear := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto+" "+r.Header.Get("User-Agent")+r.Header.Get("Accept-Encoding"))
	}))
	clear.Config.Protocols = new(http.Protocols)
	clear.Config.Protocols.SetUnencryptedHTTP2(true)
	clear.Start()
	t.Cleanup(clear.Close)
	for _, c := range []struct {
		at, want string
		h2       bool
	}{{overTLS, "HTTP/2.0 ", true}, {clear.URL, "HTTP/2.0 ", true}, {overTLS, "HTTP/1.1 ", false}} {
		if status, body, _, cause := asked(t, c.at, contract.PlannedBackend{CA: ours.pem, HTTP2: c.h2}); status != 200 || body != c.want {
			t.Errorf("%s, HTTP/2 %v: got %d and %q (%s), want %q and nothing added", c.at, c.h2, status, body, cause, c.want)
		}
	}
	oldTLS, _ := secure(t, cert, false)
	oldClear, _ := counted(t, http.NotFoundHandler())
	deaf := httptest.NewUnstartedServer(http.NotFoundHandler()) // TLS without ALPN
	deaf.Listener = tls.NewListener(deaf.Listener, &tls.Config{Certificates: []tls.Certificate{cert}})
	deaf.Config.ErrorLog = log.New(io.Discard, "", 0)
	deaf.Start()
	t.Cleanup(deaf.Close)
	for _, at := range []string{oldTLS, oldClear, "https" + strings.TrimPrefix(deaf.URL, "http")} {
		if status, body, _, cause := asked(t, at, contract.PlannedBackend{CA: ours.pem, HTTP2: true}); status != 502 || cause == "" {
			t.Errorf("%s: got %d %q (%s), want 502: HTTP/2 means HTTP/2", at, status, body, cause)
		}
	}
}

func TestAnUnreachableBackendWasNeverSentAnything(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	wrong, _ := secure(t, theirs.of(t, time.Now().Add(time.Hour), "127.0.0.1"), true)
	broken := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	broken.Config.ErrorLog = log.New(io.Discard, "", 0)
	broken.Config.Protocols = new(http.Protocols)
	broken.Config.Protocols.SetHTTP1(true)
	broken.Config.Protocols.SetUnencryptedHTTP2(true)
	broken.Start()
	t.Cleanup(broken.Close)
	for _, h2 := range []bool{false, true} {
		rt := newBackends(Outside{Getenv: os.Getenv}).transport(contract.PlannedAPI{Backend: contract.PlannedBackend{CA: ours.pem, HTTP2: h2}})
		t.Cleanup(rt.(interface{ CloseIdleConnections() }).CloseIdleConnections)
		for at, want := range map[string]bool{"http://127.0.0.1:1": true, "https://127.0.0.1:1": true, wrong: true, broken.URL: false} {
			r, err := http.NewRequestWithContext(t.Context(), "POST", at, strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := rt.RoundTrip(r)
			if err == nil {
				_ = resp.Body.Close()
				t.Fatalf("%s: got %s, want an error", at, resp.Status)
			}
			if got := errors.Is(err, wire.ErrNotSent); got != want {
				t.Errorf("%s, HTTP/2 %v: got %v, never sent %v, want %v", at, h2, err, got, want)
			}
		}
	}
}

// resets is a backend that resets every stream, and counts them.
func resets(t *testing.T) (address string, streams *atomic.Int64) {
	t.Helper()
	streams = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		streams.Add(1)
		panic(http.ErrAbortHandler) // RST_STREAM
	}))
	server.Config.ErrorLog, server.Config.Protocols = log.New(io.Discard, "", 0), new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, streams
}

func TestAResetStreamIsNotSentAgain(t *testing.T) {
	at, streams := resets(t)
	rt := newBackends(Outside{Getenv: os.Getenv}).transport(contract.PlannedAPI{Backend: contract.PlannedBackend{HTTP2: true}})
	t.Cleanup(rt.(interface{ CloseIdleConnections() }).CloseIdleConnections)
	for n, method := range []string{"GET", "POST", "PATCH", "PUT", "DELETE"} {
		r, err := http.NewRequestWithContext(t.Context(), method, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Idempotency-Key"] = []string{"1"} // net/http takes this for leave to repeat
		if resp, err := rt.RoundTrip(r); err == nil {
			t.Errorf("%s: got %s, want an error", method, resp.Status)
		}
		if got := streams.Load(); got != int64(n+1) {
			t.Errorf("got %d streams after %s, want %d: one for each request", got, method, n+1)
		}
	}
}

// A caller who sends a large head must not open the breaker for the others.
func TestAHeadThatTheBackendDoesntTakeIsNoFailureOfIt(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.Protocols, server.Config.MaxHeaderBytes = new(http.Protocols), 4<<10 // said in SETTINGS
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	rt := newBackends(Outside{Getenv: os.Getenv}).transport(contract.PlannedAPI{Backend: contract.PlannedBackend{HTTP2: true}})
	t.Cleanup(rt.(interface{ CloseIdleConnections() }).CloseIdleConnections)
	for _, c := range []struct {
		size int
		want bool
	}{{1, false}, {32 << 10, true}, {1, false}} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Large", strings.Repeat("x", c.size))
		resp, err := rt.RoundTrip(r)
		if err == nil {
			_ = resp.Body.Close()
		}
		if got := errors.Is(err, wire.ErrUnsendable); got != c.want || errors.Is(err, wire.ErrNotSent) {
			t.Errorf("%d bytes: got %v, want it unsendable: %v", c.size, err, c.want)
		}
	}
}

func TestAPIsWithoutSpecialNeedsShareTheirConnections(t *testing.T) {
	of := newBackends(Outside{Getenv: os.Getenv}).transport
	plain, special := contract.PlannedAPI{Name: "a"}, contract.PlannedAPI{Name: "b", Backend: contract.PlannedBackend{CA: newAuthority(t, "ours").pem}}
	if of(plain) != of(contract.PlannedAPI{Name: "c"}) || of(plain) == of(special) || of(special) == of(special) {
		t.Error("want one transport for all, but for those with an authority or a protocol of their own")
	}
}

func TestNoProxySeesTheIdentitysHeader(t *testing.T) {
	var heard atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard.Add(1) }))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	base := http.DefaultTransport.(*http.Transport)
	before := base.Proxy
	t.Cleanup(func() { base.Proxy = before })
	base.Proxy = http.ProxyURL(address)
	environment := map[string]string{IdentityEndpoint: "http://127.0.0.1:1/msi/token", IdentityHeader: "secret"}
	sources := newBackends(Outside{Getenv: func(name string) string { return environment[name] }}).sources
	if _, err := sources.Tokens.Token(t.Context(), "", "api://x/.default"); err == nil || heard.Load() != 0 {
		t.Errorf("got %v, and %d requests to the proxy, want none", err, heard.Load())
	}
}
