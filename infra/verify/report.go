package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Format is the version of the report's JSON.
const Format = 1

// Outcome is what a probe came to.
type Outcome string

// The outcomes.
const (
	Passed   Outcome = "passed"
	Failed   Outcome = "failed"
	NotShown Outcome = "not shown" // the answer, or that there was none, can't tell
)

// The groups of probes.
const (
	Gateway   = "gateway"
	Backends  = "backends"
	Stores    = "store and vaults"
	Tokens    = "tokens"
	Public    = "public operations"
	Identity  = "identity headers"
	Reserved  = "reserved paths"
	Client    = "client address"
	Transport = "transport"
	Routes    = "paths and methods"
	Origins   = "other origins"
)

// Exchange is one request and what came back. It never holds a token.
type Exchange struct {
	At          time.Time `json:"at"`
	Request     string    `json:"request"`
	Status      int       `json:"status,omitempty"` // 0: there was no answer
	Code        string    `json:"code,omitempty"`   // the stable reason that the answer gives
	Correlation string    `json:"correlationId,omitempty"`
	Millis      int64     `json:"ms"`
	Said        string    `json:"said,omitempty"` // what else was seen: an address, a header, the network's error
}

// Result is one promise and what was seen of it.
type Result struct {
	ID       string     `json:"id"`
	Group    string     `json:"group"`
	Promise  string     `json:"promise"`
	Outcome  Outcome    `json:"outcome"`
	Why      string     `json:"why,omitempty"`
	Evidence []Exchange `json:"evidence,omitempty"`
}

// Report is a whole run.
type Report struct {
	Format      int       `json:"tollgateVerify"`
	Gateway     string    `json:"gateway"`
	Environment string    `json:"environment"`
	Contracts   string    `json:"contracts"` // digest
	Address     string    `json:"address"`
	Began       time.Time `json:"began"`
	Ended       time.Time `json:"ended"`
	Requests    int       `json:"requests"`
	Reached     bool      `json:"reached"` // the gateway answered at all
	Results     []Result  `json:"results"`
}

// Count is how many results have the outcome, of a group or of all ("").
func (r *Report) Count(o Outcome, group string) (n int) {
	for _, one := range r.Results {
		if one.Outcome == o && (group == "" || one.Group == group) {
			n++
		}
	}
	return n
}

// Groups are all of them, in the report's order.
func Groups() []string {
	return []string{Gateway, Backends, Stores, Tokens, Public, Identity, Reserved, Client, Transport, Routes, Origins}
}

// Parse reads a report as it was written.
func Parse(text []byte) (*Report, error) {
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("it is no report of tollgate verify: %w", err)
	}
	if r.Format != Format {
		return nil, fmt.Errorf("it is no report of tollgate verify, or of another version (%d; this reads %d)", r.Format, Format)
	}
	if r.Environment == "" || r.Began.IsZero() || len(r.Results) == 0 {
		return nil, errors.New("the report says no environment, no time or no results")
	}
	for _, one := range r.Results {
		if one.Outcome != Passed && one.Outcome != Failed && one.Outcome != NotShown {
			return nil, fmt.Errorf("the report has the outcome %q, which there isn't", one.Outcome)
		}
	}
	return &r, nil
}
