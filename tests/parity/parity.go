// Package parity holds that a call gets the same answer, and the backend hears
// the same of it, whatever the gateway stands behind: nothing, the Functions
// host, or each of AWS's fronts. Where a front changes, loses or refuses
// something, the difference is one of a table, with its reason.
package parity

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/backend"
	"tollgate/localrun/estate"
	"tollgate/localrun/host"
	"tollgate/localrun/lambda"
	"tollgate/tests/lab"
)

// Transport is one way to the gateway.
type Transport struct {
	Name, URL string
	settled   func(context.Context) error // nil: it needs no time to itself after a call
}

// Fleet is one gateway behind every transport, with one backend, one issuer and
// one store behind all.
type Fleet struct {
	*lab.Lab
	Reference  Transport // with nothing before it
	Transports []Transport
	Found      map[string]*Tally // by the name of the difference
	Cases      int
}

// Tally is how often a difference was met, and where.
type Tally struct {
	Count int
	At    map[string]int    // by transport
	Like  map[string]string // one case of each
}

// InProcess puts the adapters into this process, and the real handler behind the
// stand-in for the Functions host.
func InProcess(t *testing.T, l *lab.Lab, app string) *Fleet {
	t.Helper()
	return open(t, l, app).adapters(t, lambda.Variants{})
}

// Varied is the adapters alone, behind fronts that do what isn't documented in another way.
func Varied(t *testing.T, l *lab.Lab, v lambda.Variants) *Fleet {
	t.Helper()
	return bare(t, l).adapters(t, v)
}

func (f *Fleet) adapters(t *testing.T, v lambda.Variants) *Fleet {
	t.Helper()
	for _, kind := range lambda.Kinds() {
		f.Transports = append(f.Transports, Transport{Name: string(kind), URL: f.Adapted(t, kind, v)})
	}
	return f
}

// Processes puts the bootstrap of dir behind every one of AWS's fronts, as a
// process under the stand-in for Lambda.
func Processes(t *testing.T, l *lab.Lab, app, dir string) *Fleet {
	t.Helper()
	f := open(t, l, app)
	for _, kind := range lambda.Kinds() {
		function := l.Deployed(t, dir, kind)
		// One process for all: what an instance remembers, such as proofs that were used, is its own.
		f.Transports = append(f.Transports, Transport{string(kind), function.URL(), function.Settled})
	}
	return f
}

func bare(t *testing.T, l *lab.Lab) *Fleet {
	t.Helper()
	patient(t, l)
	return &Fleet{Lab: l, Found: map[string]*Tally{}, Reference: Transport{Name: "bare", URL: l.Bare(t)}}
}

func open(t *testing.T, l *lab.Lab, app string) *Fleet {
	t.Helper()
	f := bare(t, l)
	hosted := l.Restart(t, app, func(*host.Options) {})
	if err := l.Host.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.Host = nil // the rows of tests are those for no host
	f.Transports = []Transport{{Name: Host, URL: hosted}}
	return f
}

// patient lets requests to the store take their time: a loaded machine is no outage.
func patient(t *testing.T, l *lab.Lab) {
	t.Helper()
	if l.Local.Plan.Store == nil {
		return
	}
	l.Local.Plan.Store.Try = 5 * time.Second // of the gateways in this process
	name := filepath.Join(l.Local.Dir, "environments", estate.Name+".yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(`(?m)^store:\n( +)`).ReplaceAll(text, []byte("store:\n${1}try: 5s\n${1}"))
	if bytes.Equal(changed, text) {
		t.Fatalf("%s has no store", name)
	}
	if err := os.WriteFile(name, changed, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Case is one request, as it stands on the wire.
type Case struct{ Name, Request string }

// Seen is what one transport made of a case.
type Seen struct {
	Case
	Transport string
	Status    int
	Code      string // of a refusal
	Header    http.Header
	Body      string
	Backend   []backend.Seen
	Front     bool // the answer is the front's: the gateway has no part in it
}

// Play sends a case through every transport, and holds each to the reference.
func (f *Fleet) Play(t *testing.T, c Case) {
	t.Helper()
	f.Cases++
	reference := f.ask(t, c, f.Reference)
	for _, way := range f.Transports {
		own := f.ask(t, c, way)
		open := f.unexplained(reference, own, true)
		if len(open) == 0 {
			f.unexplained(reference, own, false)
			continue
		}
		want := reference
		if asked, names := retold(c, way.Name); len(names) > 0 && !own.Front {
			want = f.ask(t, asked, f.Reference)
			if open = f.unexplained(want, own, true); len(open) == 0 {
				f.unexplained(want, own, false)
				for _, name := range names {
					f.count(name, way.Name, c.Name)
				}
				continue
			}
		}
		for _, d := range open {
			t.Errorf("%s through %s: %s: got %s, want %s\n  of %.200q", c.Name, way.Name, d, own.shown(d), want.shown(d), c.Request)
		}
	}
}

// unexplained is what differs without a reason; the differences that have one
// are counted, but for a trial.
func (f *Fleet) unexplained(want, own Seen, trial bool) (open []string) {
	for _, d := range compare(want, own) {
		name := explain(want, own, d)
		if name == "" {
			open = append(open, d)
		} else if !trial {
			f.count(name, own.Transport, own.Name)
		}
	}
	return open
}

// ask sends a case and notes what came of it.
func (f *Fleet) ask(t *testing.T, c Case, way Transport) Seen {
	t.Helper()
	f.Backend.Reset()
	s := Seen{Case: c, Transport: way.Name}
	conn, err := net.Dial("tcp", strings.TrimPrefix(way.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	written := make(chan struct{})
	go func() { // a server that refuses early reads no more
		defer close(written)
		_, _ = io.WriteString(conn, c.Request)
	}()
	method, _, _ := strings.Cut(c.Request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s through %s: no answer: %v", c.Name, way.Name, err)
	}
	body, err := io.ReadAll(resp.Body)
	s.Status, s.Header, s.Body = resp.StatusCode, resp.Header, string(body)
	if err != nil {
		s.Body += " … " + err.Error()
	}
	_ = conn.Close()
	<-written
	if way.settled != nil {
		if err := way.settled(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.Backend = f.Backend.Requests()
	s.settle()
	return s
}
