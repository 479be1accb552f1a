package credentials

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/localrun/backend"
	"tollgate/localrun/faults"
	"tollgate/localrun/host"
	"tollgate/tests/lab"
	"tollgate/tests/scenarios"
)

// page is all that the handler ever printed.
type page struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *page) add(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(&p.b, line)
}

func (p *page) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// marks are texts that prove the gateway, in every form that they travel in,
// and where they come from.
func marks(l *lab.Lab, seen []backend.Seen) map[string]string {
	out := map[string]string{l.Header: "the identity endpoint's header"}
	for name, value := range l.Vault.Values() {
		out[value] = "the secret " + name
		out[base64.StdEncoding.EncodeToString([]byte("svc-gateway:"+value))] = "basic credentials with " + name
		if len(value) > 200 { // of a long one, any part
			out[value[100:164]] = "part of " + name
		}
	}
	for _, token := range l.Identity.Minted() {
		out[token] = "a token of the managed identity"
		out[token[strings.LastIndexByte(token, '.')+1:]] = "its signature"
	}
	for _, s := range seen {
		if _, token, bearer := strings.Cut(s.Header.Get("Authorization"), "Bearer "); bearer {
			out[token] = "the token that the backend saw"
		}
	}
	return out
}

// Every scenario, every kind of credential, and every fault of their sources,
// with the real handler: nothing that proves the gateway is printed, told in an
// event, or answered. The echo's own body is the backend's record of a granted
// call, and is left out.
func TestNothingThatProvesTheGatewayIsToldAnywhere(t *testing.T) {
	contracts := filepath.Join(lab.Root(t), "contracts")
	printed := &page{}
	l := lab.Hosted(t, contracts, lab.StageApp(t), func(o *host.Options) {
		log := o.Log
		o.Log = func(line host.Line) { printed.add(line.Text); log(line) }
	})
	scenarios.Run(t, l, "../scenarios")
	var seen []backend.Seen
	told := &page{}
	try := func(k kind) {
		a := call(t, l, k)
		seen = append(seen, a.seen...)
		told.add(fmt.Sprint(a.Status, a.Header))
		if a.StatusCode != http.StatusOK {
			told.add(a.body)
		}
		told.add(fmt.Sprintf("%+v", a.event))
	}
	for _, k := range kinds() {
		for _, source := range k.sources(l) {
			for _, f := range []faults.Fault{{Kind: faults.Status}, {Kind: faults.Garbage}, {Kind: faults.Refuse}} {
				source.Fail(f)
				try(k)
				source.Heal()
			}
		}
	}
	for _, k := range kinds() {
		deadline := time.Now().Add(time.Minute)
		for before := len(seen); len(seen) == before && time.Now().Before(deadline); { // until its sources are asked again
			try(k)
		}
	}
	if len(seen) < len(kinds()) {
		t.Errorf("got %d granted calls, want one of each kind", len(seen))
	}
	all := printed.text() + told.text()
	for mark, what := range marks(l, seen) {
		if len(mark) < 12 || strings.Contains(all, mark) {
			t.Errorf("%s is told, or too short to tell", what)
		}
	}
}
