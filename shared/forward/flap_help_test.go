package forward_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// mood is how a flapping backend treats its calls at the time.
type mood int

const (
	well         mood = iota
	down              // no connection stands, and none comes about
	unable            // answers 503
	mute              // takes calls and never answers
	hangingUp         // takes a call and ends the connection without a word
	endingInHead      // breaks off inside the answer's head
	endingInBody      // breaks off inside the answer's body
	holding           // answers when it is told to
)

// sighting is one call as a backend saw it.
type sighting struct {
	method string
	first  bool // on its connection
	mood   mood
}

// flapper is a backend in memory whose mood changes.
type flapper struct {
	t      testing.TB
	silent *net.UDPConn // stands for the socket of a quiet connection
	hold   chan struct{}

	mu       sync.Mutex
	random   *rand.Rand
	mood     mood
	standing map[*flapConn]bool
	seen     map[string][]sighting
	total    int
	dials    int
	closing  bool // the test is ending: good connections may be closed
}

func newFlapper(t testing.TB, silent *net.UDPConn, seed uint64) *flapper {
	return &flapper{
		t: t, silent: silent, hold: make(chan struct{}), random: rand.New(rand.NewPCG(seed, 7)),
		standing: map[*flapConn]bool{}, seen: map[string][]sighting{},
	}
}

// become changes the mood. One that goes down takes its connections along.
func (f *flapper) become(m mood) {
	f.mu.Lock()
	f.mood = m
	var ending []*flapConn
	for c := range f.standing {
		ending = append(ending, c)
	}
	f.mu.Unlock()
	for _, c := range ending {
		if m == down {
			c.end()
		}
	}
}

// tick is a few milliseconds, never twice the same.
func (f *flapper) tick() <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.After(time.Millisecond + time.Duration(f.random.Int64N(int64(10*time.Millisecond))))
}

func (f *flapper) dial(ctx context.Context) (net.Conn, error) {
	select {
	case <-f.tick():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mood == down {
		return nil, errors.New("connection refused")
	}
	near, far := net.Pipe()
	c := &flapConn{Conn: near, far: far, of: f}
	f.dials++
	f.standing[c] = true
	go f.serve(c)
	return c, nil
}

func (f *flapper) serve(c *flapConn) {
	defer c.end()
	in := bufio.NewReader(c.far)
	for first := true; ; first = false {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		m := f.saw(r, first)
		body, err := io.ReadAll(r.Body)
		if want := map[bool]string{true: "whole"}[r.ContentLength != 0]; err == nil && string(body) != want {
			f.t.Errorf("got the body %q at the backend, want %q", body, want)
		}
		if err != nil || !f.reply(c, in, m) {
			return
		}
	}
}

func (f *flapper) saw(r *http.Request, first bool) mood {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := r.Header.Get("X-Correlation-Id")
	f.seen[id] = append(f.seen[id], sighting{r.Method, first, f.mood})
	f.total++
	return f.mood
}

// reply answers one call; false: the connection is at its end.
func (f *flapper) reply(c *flapConn, in io.ByteReader, m mood) bool {
	text, lasts := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", false
	switch m {
	case unable:
		text, lasts = "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", true
	case mute:
		c.spoil()
		_, _ = in.ReadByte() // until the gateway gives up
		return false
	case hangingUp:
		text = ""
	case endingInHead:
		text = "HTTP/1.1 200 OK\r\nContent-Le"
	case endingInBody:
		text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwh"
	case holding:
		<-f.hold
		lasts = true
	default:
		lasts = true
	}
	if !lasts {
		c.spoil()
	}
	<-f.tick()
	_, err := io.WriteString(c.far, text)
	return lasts && err == nil
}

// count is how many calls it saw, over how many connections.
func (f *flapper) count() (calls, dials, standing int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total, f.dials, len(f.standing)
}

// flapConn is the gateway's end of a connection. It knows what the backend did
// to it, and tells when the gateway uses it afterwards, or gives up a good one.
type flapConn struct {
	net.Conn
	far net.Conn
	of  *flapper

	mu      sync.Mutex
	spoiled bool
	ended   time.Time // by the backend; zero: not yet
}

func (c *flapConn) spoil() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spoiled = true
}

func (c *flapConn) end() {
	c.mu.Lock()
	if c.ended.IsZero() {
		c.ended, c.spoiled = time.Now(), true
	}
	c.mu.Unlock()
	c.of.mu.Lock()
	delete(c.of.standing, c)
	c.of.mu.Unlock()
	_ = c.far.Close()
}

func (c *flapConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	stale := !c.ended.IsZero() && c.ended.Before(time.Now())
	c.mu.Unlock()
	if stale {
		c.of.t.Errorf("got %q over a connection that the backend had ended, want a new one", p)
	}
	return c.Conn.Write(p)
}

func (c *flapConn) Close() error {
	c.of.mu.Lock()
	closing := c.of.closing
	c.of.mu.Unlock()
	c.mu.Lock()
	good := !c.spoiled
	c.spoiled = true // closed is closed
	c.mu.Unlock()
	if good && !closing {
		c.of.t.Error("got a good connection closed, want it kept")
	}
	return c.Conn.Close()
}

// SyscallConn is what a kept connection is looked at by: a socket that nothing
// waits on, or an error once the backend has ended it.
func (c *flapConn) SyscallConn() (syscall.RawConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended.IsZero() {
		return nil, net.ErrClosed
	}
	return c.of.silent.SyscallConn()
}
