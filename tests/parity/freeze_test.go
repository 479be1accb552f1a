package parity_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/localrun/lambda"
	"tollgate/tests/lab"
)

// spell is how long the rounds of freeze and thaw go on: TOLLGATE_FREEZE=10m.
func spell(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("TOLLGATE_FREEZE")
	if text == "" {
		return 12 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// perUser is what each user may call, ever: whatever instance serves it.
const perUser = 6

// hasty are the example's contracts with lifetimes of seconds.
func hasty(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "contracts")
	if err := os.CopyFS(dir, os.DirFS(contracts(t))); err != nil {
		t.Fatal(err)
	}
	for file, change := range map[string][2]string{
		"gateway.yaml": {"clockSkew: 60s\n  keys: { refresh: 1h, refetch: 60s, maxStale: 24h }", "clockSkew: 1s\n  keys: { refresh: 1s, refetch: 1s, maxStale: 24h }"},
		"orders.yaml":  {`  - { name: per-tenant, rate: 60000/minute, by: "claim:tid", whenUnavailable: refuse }`, fmt.Sprintf("  - { name: each, quota: %d/day, by: \"claim:oid\", whenUnavailable: refuse }", perUser)},
	} {
		name := filepath.Join(dir, file)
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), change[0]) {
			t.Fatalf("%s doesn't hold %q (%v)", file, change[0], err)
		}
		if err := os.WriteFile(name, []byte(strings.Replace(string(text), change[0], change[1], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// cold is a function that is frozen between calls, and a second instance that isn't.
type cold struct {
	*lab.Lab
	function *one
	other    string // the second instance
	spans    atomic.Int64
}

func freezing(t *testing.T) *cold {
	t.Helper()
	c := &cold{Lab: lab.Surrounded(t, hasty(t))}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil && r.URL.Path == "/v1/traces" {
			c.spans.Add(1)
		}
	}))
	t.Cleanup(collector.Close)
	c.other = c.Bare(t)
	c.function = deployOne(t, c.Lab, lambda.URL, func(o *lambda.Options) { o.Settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.URL })
	return c
}

// call asks the frozen function, and returns when it is frozen again. By then
// everything about the call must have left the process.
func (c *cold) call(t *testing.T, token string) (status int, code string) {
	t.Helper()
	spans, correlation := c.spans.Load(), ""
	c.function.settled(t, func() { status, code, correlation = outcome(t, c.function.URL()+"/orders/42", token) })
	if e := c.Event(t, correlation); e.Status != status { // the pipe's reader may be late, the process can't
		t.Errorf("got the event %+v, want one of status %d", e, status)
	}
	if c.spans.Load() == spans {
		t.Errorf("got no span of call %s before the process was frozen", correlation)
	}
	return status, code
}

func outcome(t *testing.T, url, token string) (status int, code, correlation string) {
	t.Helper()
	resp := get(t, url, token)
	var said struct{ Code string }
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = json.Unmarshal(body, &said)
	}
	if err != nil {
		t.Fatalf("got %d %q: %v", resp.StatusCode, body, err)
	}
	return resp.StatusCode, said.Code, resp.Header.Get("X-Correlation-Id")
}

// A round: a user's first calls, then the process is frozen while its token
// expires, the issuer's key is replaced, and another instance spends what the
// user had left. Awake again, the process must know all of it.
func TestWhatHappensWhileItIsFrozenIsKnownOnceItThaws(t *testing.T) {
	t.Parallel() // it waits most of the time
	c := freezing(t)
	end, rounds := time.Now().Add(spell(t)), 0
	for ; rounds < 2 || time.Now().Before(end); rounds++ {
		user := fmt.Sprintf("00000000-0000-4000-8000-%012d", rounds)
		short := issuer.Token{API: "orders", Scopes: []string{"Orders.Read"}, User: user, Lifetime: 3 * time.Second}
		old, spent := c.Token(t, short), 0
		for range 2 {
			if status, code := c.call(t, old); status != http.StatusOK {
				t.Fatalf("round %d: got %d %s for a new token, want 200", rounds, status, code)
			}
			spent++
		}
		stale := c.Token(t, issuer.Token{API: "orders", Scopes: []string{"Orders.Read"}, User: user})
		if _, err := c.Issuer.Rotate("", false); err != nil {
			t.Fatal(err)
		}
		fresh := c.Token(t, issuer.Token{API: "orders", Scopes: []string{"Orders.Read"}, User: user})
		spent += drain(t, c.other, fresh)
		<-time.After(4200 * time.Millisecond) // frozen: the token's three seconds, the skew's one
		if status, code := c.call(t, old); status != http.StatusUnauthorized || code != "token_expired" && code != "unknown_key" {
			t.Errorf("round %d: got %d %s for a token that expired while it was frozen, want 401", rounds, status, code)
		}
		if status, code := c.call(t, stale); status != http.StatusUnauthorized || code != "unknown_key" {
			t.Errorf("round %d: got %d %s for a key that was withdrawn while it was frozen, want 401 unknown_key", rounds, status, code)
		}
		for status := http.StatusOK; status == http.StatusOK; {
			var code string
			if status, code = c.call(t, fresh); status == http.StatusOK {
				spent++
			} else if status != http.StatusTooManyRequests || code != "quota_exceeded" {
				t.Errorf("round %d: got %d %s, want 429 quota_exceeded", rounds, status, code)
			}
			if spent > perUser {
				t.Fatalf("round %d: got %d calls granted, want %d at the most", rounds, spent, perUser)
			}
		}
		if spent != perUser {
			t.Errorf("round %d: got %d calls granted by both, want %d", rounds, spent, perUser)
		}
	}
	t.Logf("%d rounds, %d thaws, one process", rounds, c.function.frozen.Load())
}

// drain spends at the other instance until nothing is left for it.
func drain(t *testing.T, url, token string) (granted int) {
	t.Helper()
	for {
		status, code, _ := outcome(t, url+"/orders/42", token)
		if status != http.StatusOK {
			if code != "quota_exceeded" {
				t.Fatalf("got %d %s at the other instance, want 429 quota_exceeded", status, code)
			}
			return granted
		}
		granted++
	}
}
