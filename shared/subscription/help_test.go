package subscription_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	. "tollgate/shared/subscription"
	"tollgate/shared/tables"
)

// table is a table in memory, whose failures a test chooses.
type table struct {
	mu    sync.Mutex
	rows  map[tables.Key]tables.Row
	n     int
	asked int           // rows read
	wrote int           // rows written
	down  bool          // nothing is answered
	lost  bool          // what is written is written, but its answer is lost
	delay time.Duration // before each answer
	skew  time.Duration // of the store's clock
	blind bool          // the clock isn't known until it answers
}

var errDown = errors.New("the store didn't answer in time")

func newTable() *table { return &table{rows: map[tables.Key]tables.Row{}} }

func (s *table) enter() (leave func(), err error) {
	if s.delay > 0 {
		time.Sleep(s.delay)
	}
	s.mu.Lock()
	if s.down {
		s.mu.Unlock()
		return nil, errDown
	}
	s.blind = false
	return s.mu.Unlock, nil
}

func (s *table) Get(_ context.Context, key tables.Key) (tables.Row, error) {
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	leave, err := s.enter()
	if err != nil {
		return tables.Row{}, err
	}
	defer leave()
	row, ok := s.rows[key]
	if !ok {
		return tables.Row{}, fmt.Errorf("read: %w", tables.ErrNotFound)
	}
	return row, nil
}

func (s *table) put(row tables.Row, allowed func(old tables.Row, there bool) error) (string, error) {
	leave, err := s.enter()
	if err != nil {
		return "", err
	}
	defer leave()
	old, there := s.rows[row.Key]
	if err := allowed(old, there); err != nil {
		return "", err
	}
	s.n++
	s.wrote++
	row.ETag, row.Fields = fmt.Sprint(s.n), maps.Clone(row.Fields)
	s.rows[row.Key] = row
	if s.lost {
		return "", errDown
	}
	return row.ETag, nil
}

func (s *table) Put(_ context.Context, row tables.Row) (string, error) {
	return s.put(row, func(tables.Row, bool) error { return nil })
}

func (s *table) Insert(_ context.Context, row tables.Row) (string, error) {
	return s.put(row, func(_ tables.Row, there bool) error {
		if there {
			return tables.ErrExists
		}
		return nil
	})
}

func (s *table) Replace(_ context.Context, row tables.Row) (string, error) {
	return s.put(row, func(old tables.Row, there bool) error {
		switch {
		case !there:
			return tables.ErrNotFound
		case old.ETag != row.ETag:
			return tables.ErrChanged
		}
		return nil
	})
}

func (s *table) Delete(_ context.Context, key tables.Key, etag string) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	if old, there := s.rows[key]; there && old.ETag != etag {
		return tables.ErrChanged
	}
	delete(s.rows, key)
	return nil
}

func (s *table) List(_ context.Context, q tables.Query) iter.Seq2[tables.Row, error] {
	return func(yield func(tables.Row, error) bool) {
		leave, err := s.enter()
		if err != nil {
			yield(tables.Row{}, err)
			return
		}
		all := slices.SortedFunc(maps.Values(s.rows), func(a, b tables.Row) int { return strings.Compare(a.Partition, b.Partition) })
		leave()
		for _, row := range all {
			if row.Partition >= q.From && row.Partition < q.Before && !yield(row, nil) {
				return
			}
		}
	}
}

// Bounds: the store's time, known to half a second.
func (s *table) Bounds() (lo, hi time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().Add(s.skew)
	return now.Add(-time.Second / 2), now.Add(time.Second / 2), !s.blind
}

func (s *table) reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// secrets are by name; one that isn't there can't be had.
type secrets map[string]string

func (s secrets) Read(_ context.Context, ref contract.SecretRef) (string, error) {
	if v, ok := s[ref.Name]; ok {
		return v, nil
	}
	return "", errors.New("the vault didn't answer in time")
}

var (
	current  = contract.SecretRef{Vault: "https://v", Name: "new"}
	previous = contract.SecretRef{Vault: "https://v", Name: "old"}
	both     = secrets{"new": strings.Repeat("n", 32), "old": strings.Repeat("o", 32)}
)

func place() contract.PlannedKeys {
	return contract.PlannedKeys{Header: contract.DefaultKeyHeader, Refresh: contract.DefaultKeyRefresh, MaxStale: contract.DefaultKeyStale}
}

// plan has the API orders, of the products partner and internal, and stock, of internal alone.
func plan() *contract.Plan {
	return &contract.Plan{
		Store:    &contract.PlannedStore{Digest: current, Previous: previous},
		Products: []contract.PlannedProduct{{Name: "internal", BindClient: true, BindTenant: true}, {Name: "partner"}},
		APIs: []contract.PlannedAPI{
			{Name: "orders", Products: []string{"internal", "partner"}, Keys: place()},
			{Name: "stock", Products: []string{"internal"}, Keys: place()},
		},
	}
}

var needed = contract.PlannedOperation{ID: "get", Key: contract.KeyAnd, Allow: &contract.Allow{Key: "and"}}

// desk is a gateway's register and the office, over one table.
type desk struct {
	*table
	*Office
	*Register
	plan *contract.Plan
}

func newDesk() *desk {
	s, p := newTable(), plan()
	return &desk{s, NewOffice(s, s, both, current, rand.Reader), NewRegister(p, Source{s, s, both}, time.Now), p}
}

// another is one more instance over the same table.
func (d *desk) another() *desk {
	return &desk{d.table, d.Office, NewRegister(d.plan, Source{d.table, d.table, both}, time.Now), d.plan}
}

func (d *desk) open(t testing.TB, w Wish) (string, string) {
	t.Helper()
	if w.Owner == "" {
		w.Owner = "o"
	}
	r, key, err := d.Open(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID, key
}

func call(t testing.TB, target string, headers ...string) *pipeline.Call {
	r := httptest.NewRequestWithContext(t.Context(), "GET", target, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return &pipeline.Call{Request: r}
}

func with(key string) string { return contract.DefaultKeyHeader + ": " + key }

// said is the code of a verdict.
func said(r *refusal.Refusal) string {
	if r == nil {
		return "granted"
	}
	return fmt.Sprint(r.Kind.Status(), " ", r.Code)
}

// ask is the verdict of the first API, or the second, on a key.
func (d *desk) ask(t testing.TB, api int, key string) string {
	t.Helper()
	return said(d.Require(d.plan.APIs[api], needed)(t.Context(), call(t, "/", with(key))))
}

func (d *desk) want(t testing.TB, key, verdict string) {
	t.Helper()
	if got := d.ask(t, 0, key); got != verdict {
		t.Errorf("got %s, want %s", got, verdict)
	}
}
