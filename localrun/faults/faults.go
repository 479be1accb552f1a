// Package faults is what can go wrong with a stand-in, on request: of a test,
// or of a person over POST /_control/fault.
package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is one way to fail.
//
//	status    answers Status (default 503)
//	slow      answers rightly after Delay (default 30 s)
//	refuse    closes the connection without an answer
//	garbage   answers 200 with a web page, as a captive portal does
//	expired   answers with what has expired already (where that can be)
//
// With any kind, Delay passes first. A stand-in may have kinds of its own.
type Fault struct {
	Kind   string        `json:"kind"`
	Status int           `json:"status,omitempty"`
	Delay  time.Duration `json:"-"`
	Wait   string        `json:"delay,omitempty"` // Delay as JSON has it, such as "2s"
	Times  int           `json:"times,omitempty"` // requests it hits; 0 = until healed
}

// The kinds of a fault.
const (
	Status  = "status"
	Slow    = "slow"
	Refuse  = "refuse"
	Garbage = "garbage"
	Expired = "expired"
)

const slowByDefault = 30 * time.Second // longer than a gateway should wait

// Set is the faults of one stand-in. It is safe for concurrent use.
type Set struct {
	mu     sync.Mutex
	faults []*Fault
	own    []string // the kinds that only this stand-in has
}

// Know adds kinds that the stand-in plays itself: Take hands them out, Meet passes over them.
func (s *Set) Know(kinds ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own = append(s.own, kinds...)
}

// Fail adds a fault; the newest is met first. One that makes no sense ends the program that asks for it.
func (s *Set) Fail(f Fault) {
	if err := s.check(f); err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.Insert(s.faults, 0, &f)
}

// Heal removes every fault.
func (s *Set) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func general() []string { return []string{Status, Slow, Refuse, Garbage, Expired} }

func (s *Set) check(f Fault) error {
	s.mu.Lock()
	kinds := append(general(), s.own...)
	s.mu.Unlock()
	if !slices.Contains(kinds, f.Kind) {
		return fmt.Errorf("fault kind %q is unknown; known: %s", f.Kind, strings.Join(kinds, ", "))
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("status %d is not from 200 to 599", f.Status)
	}
	return nil
}

// Take is the newest fault of these kinds, if there is one; it counts as met.
func (s *Set) Take(kinds ...string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.faults, func(f *Fault) bool { return slices.Contains(kinds, f.Kind) })
	if at < 0 {
		return Fault{}, false
	}
	met := *s.faults[at]
	switch met.Times {
	case 0: // until healed
	case 1:
		s.faults = slices.Delete(s.faults, at, at+1)
	default:
		s.faults[at].Times--
	}
	return met, true
}

// Meet answers r as the fault of the moment does. over tells that nothing is
// left to answer; expired, that the answer must be one that has expired.
func (s *Set) Meet(w http.ResponseWriter, r *http.Request) (over, expired bool) {
	f, met := s.Take(general()...)
	if !met {
		return false, false
	}
	if f.Kind == Slow && f.Delay == 0 {
		f.Delay = slowByDefault
	}
	if f.Delay > 0 && r.Body != nil {
		// net/http notices that a client left only once the body was read.
		text, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		r.Body = io.NopCloser(bytes.NewReader(text))
	}
	if !Pause(r.Context(), f.Delay) {
		return true, false
	}
	switch f.Kind {
	case Status:
		if f.Status == 0 {
			f.Status = http.StatusServiceUnavailable
		}
		http.Error(w, "This fault was asked for.", f.Status)
	case Refuse:
		HangUp(w)
	case Garbage:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title><p>Please accept the terms of this network.")
	default:
		return false, f.Kind == Expired
	}
	return true, false
}

// Pause reports whether the time passed before the client left.
func Pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// HangUp closes the connection with no answer on it.
func HangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2 and recorders have no connection to close
		http.Error(w, "This connection can't be closed: "+err.Error(), http.StatusInternalServerError)
		return
	}
	_ = conn.Close()
}

// Control mounts POST and DELETE /_control/fault.
func (s *Set) Control(mux *http.ServeMux) {
	mux.HandleFunc("POST /_control/fault", s.Post)
	mux.HandleFunc("DELETE /_control/fault", s.Delete)
}

// Post adds the fault that the body describes.
func (s *Set) Post(w http.ResponseWriter, r *http.Request) {
	Local(func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		err := Read(w, r, &f)
		if err == nil && f.Wait != "" {
			f.Delay, err = time.ParseDuration(f.Wait)
		}
		if err = errors.Join(err, s.check(f)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.Fail(f)
		w.WriteHeader(http.StatusNoContent)
	})(w, r)
}

// Delete heals.
func (s *Set) Delete(w http.ResponseWriter, r *http.Request) {
	Local(func(w http.ResponseWriter, _ *http.Request) {
		s.Heal()
		w.WriteHeader(http.StatusNoContent)
	})(w, r)
}

// Read decodes a small JSON body strictly.
func Read(w http.ResponseWriter, r *http.Request, into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// Local keeps web pages out of control endpoints: a page that the person happens
// to visit can post to 127.0.0.1 (then the browser sends Origin), or have its
// own name resolve there (then Host is that name).
func Local(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		ip, err := netip.ParseAddr(host)
		if len(r.Header.Values("Origin")) > 0 || !strings.EqualFold(host, "localhost") && (err != nil || !ip.IsLoopback()) {
			http.Error(w, "the control endpoints answer to programs on this machine only", http.StatusForbidden)
			return
		}
		next(w, r)
	}
}
