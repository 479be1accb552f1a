package adversarial

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

// assertEvents: each request that the gateway answered left exactly one event,
// with the code that the caller got, and no event holds a token, or of its claims more than
// rules read, once it was verified.
func (b *bench) assertEvents(t *testing.T, answered map[string]row) {
	t.Helper()
	b.awaitEvents(t, answered)
	count := map[string]int{}
	for _, e := range b.Events() {
		r, ours := answered[e.Correlation]
		if !ours {
			continue
		}
		count[e.Correlation]++
		status, code, _ := strings.Cut(r.want, " ")
		verdict := audit.Refused
		if status == "200" {
			verdict, code = audit.Granted, "granted"
		}
		if strconv.Itoa(e.Status) != status || e.Code != code || e.Verdict != verdict {
			t.Errorf("%s %s: got the event %d %s %s, want %s %s %s", r.id, r.name, e.Status, e.Code, e.Verdict, status, code, verdict)
		}
		text, beyond := string(must(json.Marshal(e))), string(must(json.Marshal(b.beyond(t, e))))
		for _, w := range partsOf(r.request) {
			if strings.Contains(text, w) {
				t.Errorf("%s %s: the event holds a part of the token: %s", r.id, r.name, text)
			}
		}
		for _, w := range valuesOf(r.request) {
			if strings.Contains(beyond, w) && !b.trusts(w) {
				t.Errorf("%s %s: the event holds the claim %q that nothing reads: %s", r.id, r.name, w, text)
			}
		}
	}
	for id, r := range answered {
		if count[id] != 1 {
			t.Errorf("%s %s: got %d events, want 1", r.id, r.name, count[id])
		}
	}
}

// beyond is the event without what it may tell of a caller who was verified.
func (b *bench) beyond(t *testing.T, e audit.Event) audit.Event {
	t.Helper()
	if e.Principal == "" {
		return e
	}
	for _, c := range e.Claims {
		if !slices.Contains(b.API(t, e.API).Reads, c.Name) {
			t.Errorf("got the claim %s in an event of %s, want only what its rules read", c.Name, e.API)
		}
	}
	e.User, e.Tenant, e.App, e.Session, e.Issuer, e.Claims = "", "", "", "", "", nil
	return e
}

// trusts: the cause of an outage may name the issuer, as the contract does.
func (b *bench) trusts(text string) bool {
	return slices.ContainsFunc(b.Local.Plan.Issuers, func(is contract.TrustedIssuer) bool { return strings.Contains(is.Issuer, text) })
}

// awaitEvents waits until each call's event was written: that is after the answer.
func (b *bench) awaitEvents(t *testing.T, answered map[string]row) {
	t.Helper()
	tick, deadline := time.NewTicker(5*time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for {
		missing := len(answered)
		for _, e := range b.Events() {
			if _, ours := answered[e.Correlation]; ours {
				missing--
			}
		}
		if missing <= 0 {
			return
		}
		select {
		case <-deadline:
			return // assertEvents says which
		case <-tick.C:
		}
	}
}
