// Package verify runs the probes of infra/verify against the real handler behind the
// stand-in for the Functions host, as it would look from outside, and plants one
// fault after the other.
package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate/infra/verify"
	"tollgate/localrun/backend"
	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/tests/lab"
)

const (
	front    = "api.contoso.example"
	function = "func-contoso.azurewebsites.net"
	account  = "contosogateway.table.core.windows.net"
	safe     = "contoso.vault.azure.net"
	bearer   = "the-deployers-token"
)

// world is a deployed estate as it is seen from outside: names, addresses, and what
// listens there. Each test has its own around one gateway.
type world struct {
	*lab.Lab
	plan  contract.Plan
	names map[string]string       // host: address; a host that isn't there has none
	at    map[string]net.Listener // "address:port"
	mute  map[string]bool         // "address:port" from which nothing comes in time
	cert  tls.Certificate
	roots *x509.CertPool

	// before answers in the gateway's place where it returns true.
	before func(w http.ResponseWriter, r *http.Request) bool
	// tokenFor is nil where no token can be had.
	tokenFor func(ctx context.Context, api *contract.PlannedAPI) (string, error)
	resource func(ctx context.Context, scope string) (string, error)
	events   func(ctx context.Context, ids []string) (map[string]audit.Event, error)
	options  verify.Options
	hsts     string
}

// outside is the estate as it should be: shut.
func outside(t *testing.T, l *lab.Lab) *world {
	t.Helper()
	w := &world{Lab: l, plan: *l.Local.Plan, names: map[string]string{}, at: map[string]net.Listener{}, hsts: "max-age=31536000"}
	w.cert, w.roots = certificate(t)
	w.plan.PublicURL = "https://" + front
	w.plan.APIs = slices.Clone(w.plan.APIs)
	for i := range w.plan.APIs {
		w.plan.APIs[i].Backend.Targets = []contract.PlannedTarget{{URL: &url.URL{Scheme: "https", Host: w.plan.APIs[i].Name + ".internal.contoso.example"}}}
	}
	store := *w.plan.Store
	store.Tables, store.Digest.Vault = "https://"+account, "https://"+safe
	w.plan.Store, w.plan.AssertionKey = &store, nil
	for i := range w.plan.APIs {
		w.plan.APIs[i].Backend.Auth = nil
	}
	w.names["orders.internal.contoso.example"] = "10.1.0.4"
	w.names["catalog.internal.contoso.example"] = "20.0.0.9" // nothing listens there
	w.serve(t, front, "20.0.0.1", http.HandlerFunc(w.public), nil)
	w.serve(t, account, "20.0.0.2", answer(http.StatusForbidden, `{"odata.error":{"code":"AuthorizationFailure"}}`), nil)
	w.serve(t, safe, "20.0.0.3", vault(http.StatusForbidden, `{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByConnection"}}}`), nil)
	w.serve(t, function, "20.0.0.4", forbidden(), nil)
	w.options = verify.Options{Origin: function, Echo: "orders/health"}
	w.tokenFor = func(_ context.Context, api *contract.PlannedAPI) (string, error) {
		return l.Issuer.Mint(issuer.Token{API: api.Name, Roles: api.Roles, Lifetime: time.Hour})
	}
	w.resource = func(context.Context, string) (string, error) { return bearer, nil }
	w.events = w.found
	return w
}

// certificate is for every name of this world.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{front, function, account, safe}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// serve lets something answer at port 443 of a name; adjust changes its TLS.
func (w *world) serve(t *testing.T, name, address string, h http.Handler, adjust func(*tls.Config)) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{w.cert}, MinVersion: tls.VersionTLS12}
	if adjust != nil {
		adjust(s.TLS)
	}
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	w.names[name], w.at[address+":443"] = address, s.Listener
}

// servePlain lets something answer at port 80 of an address.
func (w *world) servePlain(t *testing.T, address string, h http.Handler) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	w.at[address+":80"] = s.Listener
}

// public is the platform's front end before the gateway.
func (w *world) public(out http.ResponseWriter, r *http.Request) {
	if w.hsts != "" {
		out.Header().Set("Strict-Transport-Security", w.hsts)
	}
	if w.before != nil && w.before(out, r) {
		return
	}
	w.through(w.URL).ServeHTTP(out, r)
}

// through hands a request on as it came.
func (w *world) through(to string) http.Handler {
	target, err := url.Parse(to)
	if err != nil {
		panic(err)
	}
	return &httputil.ReverseProxy{ErrorLog: quiet(), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		for _, name := range []string{"X-Forwarded-For", "Forwarded"} {
			if values := r.In.Header[name]; values != nil {
				r.Out.Header[name] = values
			}
		}
	}}
}

func (w *world) resolve(_ context.Context, host string) ([]netip.Addr, error) {
	if a := w.names[host]; a != "" {
		return []netip.Addr{netip.MustParseAddr(a)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if w.mute[address] {
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
	}
	l := w.at[address]
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
}

// found waits for events as the command does: they are written after the answer.
func (w *world) found(ctx context.Context, ids []string) (map[string]audit.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		out := map[string]audit.Event{}
		for _, e := range w.Events() {
			if slices.Contains(ids, e.Correlation) {
				out[e.Correlation] = e
			}
		}
		if len(out) == len(ids) {
			return out, nil
		}
		select {
		case <-ctx.Done():
			return out, nil
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (w *world) run(t *testing.T) *verify.Report {
	t.Helper()
	r, err := verify.Run(t.Context(), &w.plan, w.options, verify.Outside{
		Resolve: w.resolve, Dial: w.dial, Now: time.Now, Roots: w.roots, Token: w.tokenFor, Resource: w.resource, Events: w.events,
	}, "0123456789ab")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// vault asks for a token first, as Key Vault does, and then answers so.
func vault(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+bearer {
			answer(http.StatusUnauthorized, `{"error":{"code":"Unauthorized"}}`)(w, r)
			return
		}
		answer(status, body)(w, r)
	}
}

// forbidden is the platform's answer where public access is off.
func forbidden() http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Ms-Forbidden-Ip", "203.0.113.9")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<html>Error 403 - Forbidden</html>"))
	}
}

var echo = backend.New

func now() time.Time { return time.Now() }

// forwarded are the example contracts, but for where a caller's address is read.
func forwarded(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "contracts")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(lab.Root(t), "contracts"))); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "gateway.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "clientAddress: { source: host }", "clientAddress: { source: forwarded }", 1)
	if changed == string(text) {
		t.Fatal("the example doesn't read the address from the host any more")
	}
	if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
