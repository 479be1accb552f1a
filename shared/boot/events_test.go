package boot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/shared/audit"
)

// monitor stands in for the identity endpoint and for both receivers of events.
type monitor struct {
	mu     sync.Mutex
	status int
	events map[string]int // by the receiver
}

func (m *monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.URL.Path == "/identity":
		fmt.Fprintf(w, `{"access_token":"t","token_type":"Bearer","expires_on":"%d"}`, time.Now().Add(time.Hour).Unix())
		return
	case r.Header.Get("Authorization") != "Bearer t":
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var list []json.RawMessage
	_ = json.Unmarshal(body, &list) // nothing is counted of what is no list
	if m.status < 300 {
		name, _, _ := strings.Cut(r.URL.Path[1:], "/")
		m.events[name] += len(list)
	}
	w.WriteHeader(m.status)
}

func watched(t *testing.T, status int) (*monitor, *running) {
	t.Helper()
	m := &monitor{status: status, events: map[string]int{}}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	backend, _ := counted(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up") }))
	s := settings(t, IdentityEndpoint, server.URL+"/identity", IdentityHeader, "h")
	s[Contracts] = estate(t, "http://127.0.0.1:1", backend)
	file := filepath.Join(s[Contracts], "environments/test.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(text)+"audit:\n  logs: { endpoint: "+server.URL+", rule: dcr-0123456789abcdef0123456789abcdef, stream: Custom-T }\n  eventHub: { namespace: "+server.URL+", name: siem }\n")
	return m, run(t, s)
}

// printed reads all that the gateway prints until it ends.
func (r *running) printed(t *testing.T) (events int, losses []string) {
	t.Helper()
	text, err := io.ReadAll(r.out)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		switch {
		case audit.Is(line):
			events++
		case strings.HasPrefix(line, `{"event":"audit_loss"`):
			losses = append(losses, line)
		}
	}
	return events, losses
}

func TestEventsGoWhereTheEnvironmentSays(t *testing.T) {
	m, gateway := watched(t, http.StatusCreated)
	done := make(chan struct{})
	var events int
	go func() { defer close(done); events, _ = gateway.printed(t) }()
	for range 7 {
		get(t, "http://"+gateway.address+"/orders/health")
	}
	gateway.stop() // what waits is sent before it ends
	<-done
	m.mu.Lock()
	defer m.mu.Unlock()
	if events != 7 || m.events["dataCollectionRules"] != 7 || m.events["siem"] != 7 {
		t.Errorf("got %d events printed and %v sent, want 7 everywhere", events, m.events)
	}
}

func TestWhatAReceiverNeverTakesIsToldInTheStream(t *testing.T) {
	_, gateway := watched(t, http.StatusBadRequest)
	done := make(chan struct{})
	var losses []string
	go func() { defer close(done); _, losses = gateway.printed(t) }()
	for range 5 {
		get(t, "http://"+gateway.address+"/orders/health")
	}
	gateway.stop()
	<-done
	all := strings.Join(losses, "")
	for _, outlet := range []string{"Azure Monitor", "Event Hubs"} {
		if want := `{"event":"audit_loss","outlet":"` + outlet + `","lost":5,"total":5}`; !strings.Contains(all, want) {
			t.Errorf("got %s, want %s", all, want)
		}
	}
}

func TestEachOutletsLossIsALineOfItsOwn(t *testing.T) {
	var out, errs strings.Builder
	one, two := &audit.Loss{Outlet: "a", Lost: 4, Since: 2, Total: 9}, &audit.Loss{Outlet: "b", Lost: 1, Since: 1, Total: 1, Over: true}
	reporter(newLog(&out, &errs))(fmt.Errorf("events are lost: %w", errors.Join(one, errors.Join(two))))
	want := `{"event":"audit_loss","outlet":"a","lost":2,"total":9}` + "\n" + `{"event":"audit_loss","outlet":"b","lost":1,"total":1,"over":true}` + "\n"
	if out.String() != want {
		t.Errorf("got %s, want %s", out.String(), want)
	}
}
