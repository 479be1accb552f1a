package contract

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of the words of backend. A higher one would be a slip, or a wish for another tool.
const (
	maxTargets    = 32
	maxWeight     = 100
	maxRetries    = 5
	maxConcurrent = 100_000
	maxFailures   = 1000
)

// PlannedBreaker is Breaker, bound.
type PlannedBreaker struct {
	Failures     int
	Window, Open time.Duration
}

func (b *Backend) setDefaults() {
	orElse(&b.Timeout, DefaultTimeout)
	orElseText(&b.HTTP, "1.1")
	for i := range b.Targets {
		b.Targets[i].Weight = max(b.Targets[i].Weight, 1)
	}
}

// urls are the addresses, by where they stand.
func (b *Backend) urls() iter.Seq2[string, Text] {
	return func(yield func(string, Text) bool) {
		if b.URL != "" && !yield("backend.url", b.URL) {
			return
		}
		for i, t := range b.Targets {
			if !yield("backend.targets."+strconv.Itoa(i)+".url", t.URL) {
				return
			}
		}
	}
}

func (c *apiCheck) checkBackend() {
	b := &c.api.Backend
	_, there := c.at["backend"]
	answering := slices.IndexFunc(c.api.Operations, func(o Operation) bool { return o.Reply == nil })
	switch {
	case !there && answering >= 0:
		c.fault(fmt.Sprintf("operations.%d", answering), "%q has neither a backend nor an answer: add backend: to the API, or answer: to the operation", c.api.Operations[answering].ID)
	case there && answering < 0 && len(c.api.Operations) > 0:
		c.warn("backend", "every operation has answer:, so nothing is ever sent there; remove it")
	case there && b.URL == "" && len(b.Targets) == 0:
		c.fault("backend", "names no address: write url:, or targets: for several")
	case b.URL != "" && len(b.Targets) > 0:
		c.fault("backend.targets", "backend has url: or targets:, never both")
	case len(b.Targets) > maxTargets:
		c.fault("backend.targets", "has %d addresses; %d is the most", len(b.Targets), maxTargets)
	}
	for at, text := range b.urls() {
		checkLiteralURL(c.document, at, text)
	}
	for i, t := range b.Targets {
		c.atMost(fmt.Sprintf("backend.targets.%d.weight", i), t.Weight, maxWeight)
	}
	c.atMost("backend.retries", b.Retries, maxRetries)
	c.atMost("backend.maxConcurrent", b.MaxConcurrent, maxConcurrent)
	c.checkBreaker(b.Breaker)
	if b.Retries > 0 && !slices.ContainsFunc(c.api.Operations, func(o Operation) bool {
		method, _, _ := strings.Cut(o.Match, " ")
		return o.Reply == nil && Idempotent(method)
	}) {
		c.fault("backend.retries", "no operation of this API may be sent again: only GET, HEAD, OPTIONS, PUT and DELETE are; remove the line")
	}
}

// Idempotent: RFC 9110 §9.2.2, without the methods that no operation has.
func Idempotent(method string) bool {
	return slices.Contains([]string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}, method)
}

func (c *apiCheck) atMost(at string, got, most int) {
	if got > most {
		c.fault(at, "must be at most %d, got %d", most, got)
	}
}

func (c *apiCheck) checkBreaker(b *Breaker) {
	if b == nil {
		return
	}
	c.atMost("backend.breaker.failures", b.Failures, maxFailures)
	if w := time.Duration(b.Window); w != 0 && (w < time.Second || w > time.Hour) {
		c.fault("backend.breaker.window", "%s is not from 1s to 1h", w)
	}
	if o := time.Duration(b.Open); o != 0 && (o < time.Second || o > 10*time.Minute) {
		c.fault("backend.breaker.open", "%s is not from 1s to 10m", o)
	}
}

// backend binds where granted calls go.
func (b *binder) backend(d *document, a *API) PlannedBackend {
	back := &a.Backend
	out := PlannedBackend{
		Timeout: time.Duration(back.Timeout), Retries: back.Retries, MaxConcurrent: back.MaxConcurrent,
		HTTP2: back.HTTP == "2", CA: b.authority(d, back.CA),
	}
	if br := back.Breaker; br != nil {
		out.Breaker = &PlannedBreaker{br.Failures, time.Duration(br.Window), time.Duration(br.Open)}
	}
	for at, text := range back.urls() {
		t := PlannedTarget{URL: checkURL(d, at, b.bind(d, at, text), plainAnywhere), Weight: 1, Rule: at}
		if i := len(out.Targets); len(back.Targets) > i {
			t.Weight = back.Targets[i].Weight
		}
		if t.URL != nil && t.URL.Scheme == "http" && back.CA != "" && !loopback(t.URL) { // stand-ins on this machine are spoken to plainly
			d.fault(at, "is plain http, where nothing is held against ca; use https, or remove ca")
		}
		out.Targets = append(out.Targets, t)
	}
	out.Auth, out.Assertion = b.authenticate(d, a, out.Targets), b.assertion(d, a)
	return out
}
