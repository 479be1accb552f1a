package adversarial

import (
	"bufio"
	"bytes"
	"crypto/rsa"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"tollgate/localrun/estate"
	"tollgate/localrun/host"
	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
	"tollgate/tests/lab"
)

// bench is a gateway under attack, with everything around it.
type bench struct {
	*lab.Lab
	t     testing.TB
	forge *forge
	entra *rsa.PublicKey // what the home tenant publishes
	kid   string

	mu      sync.Mutex
	printed []host.Line // what the handler printed
	pid     int
	frames  int // sent so far, see assail
}

// edit replaces text in the contracts: old, new, old, new.
type edit []string

// contracts is a copy of one folder of contracts with the forge's address in it.
func contracts(t testing.TB, folder string, f *forge, e edit) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	files := must(filepath.Glob(filepath.Join(dir, "*.yaml")))
	for at := 0; at < len(e)+2; at += 2 {
		pair := append(e[:len(e):len(e)], "http://localhost", f.url)[at : at+2]
		found := false
		for _, name := range files {
			text := must(os.ReadFile(name))
			changed := bytes.ReplaceAll(text, []byte(pair[0]), []byte(pair[1]))
			found = found || bytes.Contains(text, []byte(pair[0]))
			if err := os.WriteFile(name, changed, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if !found {
			t.Fatalf("no contract holds %q", pair[0])
		}
	}
	return dir
}

// hosted is the real handler behind the stand-in for the Functions host.
func hosted(t testing.TB, app string, e edit, adjust ...func(*host.Options)) *bench {
	t.Helper()
	return hostedOn(t, "contracts", app, e, adjust...)
}

func hostedOn(t testing.TB, folder, app string, e edit, adjust ...func(*host.Options)) *bench {
	t.Helper()
	b := &bench{t: t, forge: newForge(t)}
	watch := func(o *host.Options) {
		log := o.Log
		o.Log = func(line host.Line) {
			b.mu.Lock()
			b.printed = append(b.printed, line)
			b.mu.Unlock()
			log(line)
		}
		o.Events = func(e host.Event) {
			if e.Kind == host.EventStarted {
				b.mu.Lock()
				b.pid = e.PID
				b.mu.Unlock()
			}
		}
	}
	b.Lab = lab.Hosted(t, contracts(t, folder, b.forge, e), app, append(adjust, watch)...)
	return b.meet()
}

// inProcess is the gateway without a host, for what needs many fresh ones.
func inProcess(t testing.TB, e edit) *bench { t.Helper(); return inProcessOn(t, "contracts", e) }

func inProcessOn(t testing.TB, folder string, e edit, adjust ...func(*contract.Plan)) *bench {
	t.Helper()
	b := &bench{t: t, forge: newForge(t)}
	b.Lab = lab.InProcess(t, contracts(t, folder, b.forge, e), func(l *lab.Lab, _ map[string]string) {
		for _, a := range adjust {
			a(l.Local.Plan)
		}
	})
	return b.meet()
}

// direct is the handler's own server with no host before it, for raw sockets.
func direct(t testing.TB) *bench { t.Helper(); return inProcess(t, nil) }

// behind is the row as it ends where a host stands before the handler: it
// resolves some of what is sent, and refuses some itself.
func (r row) behind(b *bench, want, by string) row {
	if b.Host != nil {
		r.want, r.by = want, by
	}
	return r
}

// meet reads the key that the stand-in for Entra publishes: an attacker knows it.
func (b *bench) meet() *bench {
	b.kid = part(b.user(nil), 0)["kid"].(string)
	var set jose.JSONWebKeySet
	fetch(b.t, b.Local.Plan.SignIn+"/"+estate.Tenant()+"/discovery/v2.0/keys", &set)
	b.entra = set.Key(b.kid)[0].Key.(*rsa.PublicKey)
	return b
}

func (b *bench) now() time.Time { return time.Now() }

// lines are what the handler printed so far.
func (b *bench) lines() []host.Line {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]host.Line(nil), b.printed...)
}

// mint is a token of the stand-in for Entra.
func (b *bench) mint(tok issuer.Token) string { b.t.Helper(); return b.Token(b.t, tok) }

// user is a user's token for the API orders, with claims laid over it; nil removes one.
func (b *bench) user(claims map[string]any) string {
	b.t.Helper()
	return b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.read"}, Claims: claims})
}

// headed is the same with members of the JOSE header laid over it.
func (b *bench) headed(header map[string]any) string {
	b.t.Helper()
	return b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.read"}, Header: header})
}

// answer is what came back, whole.
type answer struct {
	*http.Response
	body []byte
}

// send writes a request as it stands and reads one answer.
func (b *bench) send(t testing.TB, request string) answer {
	t.Helper()
	conn := b.Dial(t)
	defer conn.Close()
	written := make(chan struct{})
	go func() { // a server that refuses early reads no more
		defer close(written)
		_, _ = io.WriteString(conn, request)
	}()
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	<-written
	return answer{resp, body}
}

// ask is a request with the given header lines.
func ask(methodAndPath string, lines ...string) string {
	var s strings.Builder
	s.WriteString(methodAndPath + " HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n")
	if !strings.HasPrefix(methodAndPath, "GET ") {
		s.WriteString("Content-Length: 0\r\n")
	}
	for _, l := range lines {
		s.WriteString(l + "\r\n")
	}
	return s.String() + "\r\n"
}

// read asks for one order, which takes the scope orders.read.
func read(token string) string { return bearing("GET /orders/1", token) }

func bearing(methodAndPath, token string) string {
	return ask(methodAndPath, "Authorization: Bearer "+token)
}
