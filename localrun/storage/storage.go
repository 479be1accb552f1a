// Package storage is a stand-in for Azure Table Storage on one machine, strict
// where Azurite is lax. It serves what the aztables client sends, addressed as
// Azurite is: http://127.0.0.1:PORT/ACCOUNT/Table(PartitionKey='…',RowKey='…').
//
// What the service refuses is refused: a batch over two partitions, of more than
// 100 operations or 4 MiB, or with an entity twice; keys that hold / \ # ? or a
// control character, or take more than 1 KiB (512 UTF-16 units); more than 252
// own properties, names that are no identifiers, strings over 64 KiB, entities
// over 1 MiB, a malformed ETag. Three things are stricter than the service is
// known to be: a body whose keys aren't those of the address is refused, so is a
// $filter of more than 15 comparisons, and a full page names a next one although
// nothing of it may match.
//
// A request is let in by
//
//   - a SharedKey or SharedKeyLite signature, checked if there is a Key (the time
//     in x-ms-date isn't, so that clocks of tests may differ),
//   - a bearer token, held to its audience and its time and not to its signature,
//   - a SAS of the account or of a table, of which sv, se and sig must be there
//     and se must lie ahead; neither the signature nor what it permits is checked.
//
// Faults on request: those of package faults, those that the constants of this
// package name, and Offset; over HTTP, POST and DELETE /_control/fault, POST
// /_control/offset, GET and DELETE /_control/operations (the counts), DELETE
// /_control/tables (everything). What differs from the service otherwise: tables are
// gone at once when deleted, nothing is throttled unless asked for, keys are
// ordered by code point, and statistics of a secondary don't exist.
package storage

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"tollgate/localrun/faults"
)

// Resource is what a token for any storage account names as its audience.
const Resource = "https://storage.azure.com"

// DefaultAccount is the account of Azurite, too.
const DefaultAccount = "devstoreaccount1"

// Options says whose account it is.
type Options struct {
	Account   string           // "" = DefaultAccount
	Key       string           // the account key in base64; "" = signatures aren't checked
	Authority string           // the sign-in address, with the tenant, for the challenge
	Now       func() time.Time // nil = time.Now
}

// Storage is the stand-in. It is safe for concurrent use.
type Storage struct {
	faults.Set
	options Options
	key     []byte
	control *http.ServeMux

	mu         sync.Mutex
	tables     map[string]*table // by the name in lower case
	counts     Counts
	offset     time.Duration
	last       time.Time // the newest stamp, without the offset
	properties []byte    // of the service, as XML
}

// New makes an empty account. A key that isn't base64 ends the program that has it.
func New(o Options) *Storage {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Account == "" {
		o.Account = DefaultAccount
	}
	key, err := base64.StdEncoding.DecodeString(o.Key)
	if err != nil {
		panic(fmt.Errorf("the account key: %w", err))
	}
	s := &Storage{options: o, key: key, control: http.NewServeMux(), tables: map[string]*table{}}
	s.Know(Busy, TimedOut, Conflict, Lost)
	s.serveControl()
	return s
}

func (s *Storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The address that people are told has the account in it.
	if path := strings.TrimPrefix(r.URL.Path, "/"+s.options.Account); strings.HasPrefix(path, "/_control/") {
		r = r.Clone(r.Context())
		r.URL.Path = path
		s.control.ServeHTTP(w, r)
		return
	}
	s.date(w.Header())
	c, refused := s.read(w, r)
	if refused == nil {
		refused = s.authorize(c)
	}
	if refused != nil {
		s.write(w, c, s.refuse(c, refused))
		return
	}
	s.count(c)
	if s.fails(w, r, c) {
		return
	}
	s.date(w.Header()) // a fault may have taken its time
	answer := s.answer(c)
	if answer.committed && s.loses(w, r, c) {
		return
	}
	s.write(w, c, answer)
}

// answer does what the call asks for, at once.
func (s *Storage) answer(c call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, refused := s.do(c)
	if refused != nil {
		a = s.refuseLocked(c, refused)
	}
	if a.conflict {
		s.counts.Conflicts++
	}
	return a
}

// do knows which call is for whom. The lock is held.
func (s *Storage) do(c call) (answer, *refusal) {
	switch {
	case c.target.kind == service:
		return s.service(c)
	case c.target.kind == catalogue:
		return s.catalogue(c)
	case c.target.kind == batch && c.method == http.MethodPost:
		return s.batch(c)
	case c.target.kind == entities && c.query.Get("comp") == "acl":
		return s.policies(c)
	case c.target.kind == entities && c.method == http.MethodGet:
		return s.query(c)
	case c.target.kind == entities && c.method == http.MethodPost, c.target.kind == one && c.method != http.MethodGet:
		return s.change(c)
	case c.target.kind == one:
		return s.get(c)
	}
	return answer{}, methodNotAllowed()
}

// Offset makes the clock of the account differ from Now: its Date headers, and
// the Timestamps of what is written from then on.
func (s *Storage) Offset(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset = d
}

// now is what the account's clock shows. The lock is held.
func (s *Storage) now() time.Time { return s.options.Now().Add(s.offset).UTC() }

// stamp is the Timestamp of a write, 100 ns at least after the one before, since
// the ETag is made of it. The lock is held.
func (s *Storage) stamp() time.Time {
	now := s.options.Now().UTC().Truncate(tick)
	if !now.After(s.last) {
		now = s.last.Add(tick)
	}
	s.last = now
	return now.Add(s.offset)
}

// tick is the resolution of a Timestamp.
const tick = 100 * time.Nanosecond

func (s *Storage) date(h http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Set("Date", s.now().Format(http.TimeFormat))
}
