// Package scenarios holds whole behaviours as literal HTTP, one folder for each
// promise:
//
//	token.json     optional: the token to mint, {{token}} in the request
//	request.http   what the client sends
//	response.http  what it must get
//	backend.http   what the backend must have seen; without it, the backend
//	               must not have been called
//	event.json     optional: what the event must say
//
// Expected headers are those listed: "Name: value" exactly, "Name: *" any
// value, "Name: !value" any but that one, "!Name" absent. Of an expected JSON object the listed members must be there.
package scenarios

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
	"tollgate/tests/lab"
)

// Run plays every scenario of folder against the lab.
func Run(t *testing.T, l *lab.Lab, folder string) {
	t.Helper()
	requests, err := filepath.Glob(filepath.Join(folder, "*/request.http"))
	if err != nil || len(requests) == 0 {
		t.Fatal("no scenarios in "+folder, err)
	}
	// One after the other: they share the backend's record.
	for _, r := range requests {
		s := scenario{l, filepath.Dir(r)}
		t.Run(filepath.Base(s.dir), s.play)
	}
}

// Requests are what the scenarios of folder send, as it stands on the wire, by name.
func Requests(t *testing.T, l *lab.Lab, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*/request.http"))
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios in "+folder, err)
	}
	all := map[string]string{}
	for _, f := range files {
		s := scenario{l, filepath.Dir(f)}
		all[filepath.Base(s.dir)] = wire(s.request(t))
	}
	return all
}

type scenario struct {
	*lab.Lab
	dir string
}

// request is what the client sends, with its token.
func (s scenario) request(t *testing.T) string {
	t.Helper()
	request, _ := s.text(t, "request.http")
	if tok, ok := read[issuer.Token](t, s, "token.json"); ok {
		request = strings.ReplaceAll(request, "{{token}}", s.Token(t, tok))
	}
	return request
}

func (s scenario) play(t *testing.T) {
	s.Backend.Reset()
	request := s.request(t)
	conn := s.Dial(t)
	if _, err := io.WriteString(conn, wire(request)); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	s.assertResponse(t, resp, body)
	s.assertBackend(t)
	s.assertEvent(t, resp.Header.Get("X-Correlation-Id"))
}

func (s scenario) assertResponse(t *testing.T, resp *http.Response, body []byte) {
	t.Helper()
	want, _ := s.text(t, "response.http")
	first, head, wantBody := split(want)
	if got := resp.Proto + " " + resp.Status; got != first {
		t.Errorf("got %s, want %s\n%s", got, first, body)
	}
	assertHeaders(t, head, resp.Header)
	assertBody(t, wantBody, body)
}

func (s scenario) assertBackend(t *testing.T) {
	t.Helper()
	want, ok := s.text(t, "backend.http")
	if !ok {
		if n := s.Backend.Count(); n != 0 {
			t.Errorf("the backend was called %d times, want none", n)
		}
		return
	}
	seen := s.Backend.Requests()
	if len(seen) != 1 {
		t.Fatalf("the backend was called %d times, want once", len(seen))
	}
	first, head, wantBody := split(want)
	if got := seen[0].Method + " " + seen[0].Target; got != first {
		t.Errorf("the backend got %s, want %s", got, first)
	}
	assertHeaders(t, head, seen[0].Header)
	assertBody(t, wantBody, seen[0].Body)
}

func (s scenario) assertEvent(t *testing.T, correlation string) {
	t.Helper()
	if correlation == "" {
		return
	}
	e := s.Event(t, correlation)
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if want, ok := s.text(t, "event.json"); ok {
		assertBody(t, want, text)
	}
}

func assertHeaders(t *testing.T, want []string, got http.Header) {
	t.Helper()
	for _, line := range want {
		if name, absent := strings.CutPrefix(line, "!"); absent {
			if v := got.Values(name); len(v) > 0 {
				t.Errorf("got %s: %q, want it absent", name, v)
			}
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		v := strings.Join(got.Values(name), ", ")
		other, not := strings.CutPrefix(value, "!")
		if value == "*" || not {
			if v == "" || not && v == other {
				t.Errorf("got %s: %q, want any value%s", name, v, strings.TrimPrefix(value, "*"))
			}
		} else if v != value {
			t.Errorf("got %s: %q, want %q", name, v, value)
		}
	}
}

// assertBody compares JSON by the members that want lists, anything else exactly.
func assertBody(t *testing.T, want string, got []byte) {
	t.Helper()
	want = strings.TrimSpace(want)
	var w, g map[string]any
	if json.Unmarshal([]byte(want), &w) != nil {
		if want != "" && want != strings.TrimSpace(string(got)) {
			t.Errorf("got body %q, want %q", got, want)
		}
		return
	}
	if err := json.Unmarshal(got, &g); err != nil {
		t.Errorf("got body %q, want JSON", got)
	}
	for name, value := range w {
		if !reflect.DeepEqual(g[name], value) {
			t.Errorf("got %s = %v, want %v", name, g[name], value)
		}
	}
}

// text is a file of the scenario, with what differs from run to run filled in.
func (s scenario) text(t *testing.T, name string) (string, bool) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) && name != "request.http" && name != "response.http" {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	orders := s.API(t, "orders")
	scheme, host, _ := strings.Cut(s.Local.Plan.PublicURL, "://")
	return strings.NewReplacer("{{tenant}}", estate.Tenant(), "{{stranger}}", estate.Stranger(),
		"{{issuer}}", s.Local.Plan.SignIn, "{{billing-batch}}", estate.GUID("client", "billing-batch"), "{{public}}", s.Local.Plan.PublicURL, "{{public-scheme}}", scheme, "{{public-host}}", host, "{{orders.clientId}}", orders.ClientID, "{{orders.audience}}", orders.Audience).Replace(string(raw)), true
}

func read[T any](t *testing.T, s scenario, name string) (v T, ok bool) {
	t.Helper()
	text, ok := s.text(t, name)
	if !ok {
		return v, false
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s/%s: %v", s.dir, name, err)
	}
	return v, true
}

// wire ends the header lines as HTTP does; the body stays as it is.
func wire(request string) string {
	head, body, _ := strings.Cut(request, "\n\n")
	return strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + strings.TrimSuffix(body, "\n")
}

func split(text string) (first string, head []string, body string) {
	top, body, _ := strings.Cut(text, "\n\n")
	s := bufio.NewScanner(bytes.NewReader([]byte(top)))
	for s.Scan() {
		if first == "" {
			first = s.Text()
		} else {
			head = append(head, s.Text())
		}
	}
	return first, head, body
}
