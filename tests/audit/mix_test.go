// Package audit holds that every request leaves one valid event: under load, under
// attack, and when the handler is killed.
package audit

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/tests/lab"
)

const callers = 8

// mix makes requests, a third of them hostile, and keeps what their client saw.
type mix struct {
	*lab.Lab
	tokens map[string]string
	client *http.Client

	mu    sync.Mutex
	codes map[string]int    // by code
	seen  map[string]string // code, by correlation id
}

func newMix(t *testing.T, l *lab.Lab) *mix {
	t.Helper()
	many := make([]string, 0, 300)
	for i := range 300 {
		many = append(many, fmt.Sprintf("Role\x1b[31m\n{\"class_uid\":6003}=cmd|<%d>", i))
	}
	app := func(k issuer.Token) string { return l.Token(t, k) }
	transport := &http.Transport{MaxIdleConnsPerHost: callers}
	t.Cleanup(transport.CloseIdleConnections)
	return &mix{Lab: l, client: &http.Client{Transport: transport, Timeout: time.Minute}, codes: map[string]int{}, seen: map[string]string{}, tokens: map[string]string{
		"good":     app(issuer.Token{API: "orders", Roles: []string{"DataReader", "DataWriter"}}),
		"giant":    app(issuer.Token{API: "orders", Roles: append(many, "DataReader"), Undeclared: true}),
		"expired":  app(issuer.Token{API: "orders", Roles: []string{"DataReader"}, Lifetime: -time.Hour}),
		"stranger": app(issuer.Token{API: "orders", Roles: []string{"DataReader"}, Key: "stranger"}),
		"other":    app(issuer.Token{API: "invoices", Roles: []string{"InvoiceReader"}}),
		"weak":     app(issuer.Token{API: "orders", Roles: []string{"Nothing"}, Undeclared: true}),
	}}
}

// one makes the n-th request.
func (m *mix) one(t *testing.T, n int64) {
	method, path, token := "GET", fmt.Sprintf("/orders/n%d?secret=%d", n, n), m.tokens["good"]
	var body io.Reader
	switch n % 18 {
	case 0:
		method, path, body = "POST", "/orders", strings.NewReader(fmt.Sprintf(`{"n":%d}`, n))
	case 1:
		path, token = "/orders/health", ""
	case 2:
		token = ""
	case 3:
		method = "DELETE"
	case 4:
		token = m.tokens["weak"]
	case 5:
		token = m.tokens["giant"]
	// From here on nobody honest.
	case 12:
		token = m.tokens[[]string{"expired", "stranger", "other"}[n/18%3]]
	case 13:
		token = "eyJ" + strings.Repeat("x\t", 50)
	case 14:
		path = fmt.Sprintf("/orders%%2f..%%2f%d%%0a%%7b%%22event%%22:%%22decision%%22%%7d", n)
	case 15:
		path = fmt.Sprintf("/%d/%s${jndi:ldap://x}=cmd<script>", n, strings.Repeat("a", int(n%3000)))
	case 16:
		m.raw(t, fmt.Sprintf("GET /orders/%d HTTP/1.1\r\nHost: a\r\nHost: b\r\nX-\x1b: \n\r\n\r\n", n))
		return
	case 17:
		m.raw(t, fmt.Sprintf("BREW\x00 /%s HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", strings.Repeat("<", int(n%500))))
		return
	}
	m.send(t, n, method, path, token, body)
}

func (m *mix) send(t *testing.T, n int64, method, path, token string, body io.Reader) {
	r, err := http.NewRequestWithContext(t.Context(), method, m.URL+path, body)
	if err != nil {
		t.Error(err)
		return
	}
	if token != "" {
		r.Header["Authorization"] = []string{"Bearer " + token}
	}
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", n/250%250, n%250)) // so that the flood guard has nothing to count
	resp, err := m.client.Do(r)
	if err != nil {
		if m.Host == nil {
			t.Error(err)
		}
		return
	}
	m.note(t, resp)
}

// raw sends bytes that no client library would.
func (m *mix) raw(t *testing.T, text string) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(m.URL, "http://"))
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(conn, text)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Errorf("%q: %v", text[:20], err)
		return
	}
	m.note(t, resp)
}

// note keeps what the client saw.
func (m *mix) note(t *testing.T, resp *http.Response) {
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	id := resp.Header.Get("X-Correlation-Id")
	if err != nil || id == "" {
		if m.Host == nil {
			t.Errorf("got %s without an id (%v)", resp.Status, err)
		}
		return
	}
	var problem struct{ Code string }
	code := audit.Granted
	if resp.StatusCode >= 400 {
		if err := json.Unmarshal(text, &problem); err != nil || problem.Code == "" || len(text) >= 1<<10 {
			t.Errorf("got %s with %.200q, want a problem of less than 1 KiB", resp.Status, text)
		}
		code = problem.Code
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.codes[code]++
	m.seen[id] = code
}

// load sends n requests by several callers.
func (m *mix) load(t *testing.T, n int64) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := next.Add(1); i <= n && t.Context().Err() == nil; i = next.Add(1) {
				m.one(t, i)
			}
		})
	}
	all.Wait()
}

func TestTenThousandRequestsLeaveTenThousandEvents(t *testing.T) {
	const total = 10_000
	l := lab.InProcess(t, filepath.Join(lab.Root(t), "contracts"))
	m := newMix(t, l)
	m.load(t, total)
	deadline := time.After(20 * time.Second)
	for len(l.Events()) < total { // an event is written after its answer
		select {
		case <-deadline:
			t.Fatalf("got %d events, want %d", len(l.Events()), total)
		case <-time.After(10 * time.Millisecond):
		}
	}
	events, codes, apis := l.Events(), map[string]int{}, map[string]bool{"": true}
	for _, api := range l.Local.Plan.APIs {
		apis[api.Name] = true
	}
	for _, e := range events {
		codes[e.Code]++
		if m.seen[e.Correlation] != e.Code {
			t.Errorf("got the event %s of a call that was answered with %q", e.Code, m.seen[e.Correlation])
		}
		if !apis[e.API] || strings.ContainsAny(e.Path, "?") || len(e.Path) > 1100 {
			t.Errorf("got API %q and path %.100q: no caller makes up names, and no query is kept", e.API, e.Path)
		}
	}
	if len(events) != total || !maps.Equal(codes, m.codes) {
		t.Errorf("got %d events %v,\nwant %d and what the client saw: %v", len(events), codes, total, m.codes)
	}
	t.Logf("%v", codes)
}
