package parity_test

import (
	"bufio"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/localrun/lambda"
	"tollgate/tests/lab"
	"tollgate/tests/parity"
	"tollgate/tests/scenarios"
)

func contracts(t *testing.T) string { t.Helper(); return filepath.Join(lab.Root(t), "contracts") }

// The same scenarios through the bootstrap as it is deployed.
func TestTheBootstrapAnswersEveryScenarioAlike(t *testing.T) {
	l := lab.Surrounded(t, contracts(t))
	f := parity.Processes(t, l, lab.StageApp(t), staged(t))
	all := scenarios.Requests(t, l, "../scenarios")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) { f.Play(t, parity.Case{Name: name, Request: all[name]}) })
	}
	f.Report(t)
}

func get(t *testing.T, url, token string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestServerSentEventsComeOneByOne(t *testing.T) {
	l := lab.Surrounded(t, contracts(t))
	f := l.Deployed(t, staged(t), lambda.URLStream)
	token := l.Token(t, issuer.Token{API: "orders", Roles: []string{"DataReader"}})
	resp := get(t, f.URL()+"/orders/events?events=4&every=200ms", token)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %v, want a stream of events", resp.StatusCode, resp.Header)
	}
	var at []time.Time
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		if strings.HasPrefix(s.Text(), "data: ") {
			at = append(at, time.Now())
		}
	}
	if len(at) != 4 {
		t.Fatalf("got %d events, want 4", len(at))
	}
	for i := 1; i < len(at); i++ {
		// Held back, they would come at once. A late one makes the next gap smaller.
		if gap := at[i].Sub(at[0]); gap < time.Duration(i)*100*time.Millisecond {
			t.Errorf("got event %d %s after the first, want it not before it was sent", i+1, gap)
		}
	}
	if e := l.Event(t, resp.Header.Get("X-Correlation-Id")); e.Status != http.StatusOK || e.Verdict != "granted" {
		t.Errorf("got the event %+v, want a granted call", e)
	}
}

// A stream that nobody reads to its end costs its call, not the process.
func TestACallerThatLeavesAStreamLeavesTheProcessWhole(t *testing.T) {
	l := lab.Surrounded(t, contracts(t))
	f := l.Deployed(t, staged(t), lambda.URLStream)
	before := f.PIDs()
	token := l.Token(t, issuer.Token{API: "orders", Roles: []string{"DataReader"}})
	resp := get(t, f.URL()+"/orders/events?events=3&every=50ms", token)
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	l.Event(t, resp.Header.Get("X-Correlation-Id"))
	if resp := get(t, f.URL()+"/orders/42", token); resp.StatusCode != http.StatusOK {
		t.Errorf("got %d from the next call, want 200", resp.StatusCode)
	}
	if after := f.PIDs(); !slices.Contains(after, before[0]) {
		t.Errorf("got the processes %v, want %v to live on", after, before)
	}
}
