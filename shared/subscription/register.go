package subscription

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/renewal"
	"tollgate/shared/tables"
)

// Rows is what a gateway needs of the table; tables.Table is one.
type Rows interface {
	Get(ctx context.Context, key tables.Key) (tables.Row, error)
	Put(ctx context.Context, row tables.Row) (etag string, err error)
}

// Source is where a gateway learns of keys. The zero Source knows of none, and
// every call that needs a key is refused.
type Source struct {
	Rows    Rows
	Clock   Clock
	Secrets Secrets
}

const (
	kept     = 10_000                 // keys that opened something, and as many others apart: made-up keys can't push good ones out
	patience = 6 * time.Second        // for one look-up whose secret must be fetched first; the store itself has a quarter of a second for each row
	turn     = 800 * time.Millisecond // a call that finds what it knows of a key stale waits no longer for the store
	first    = 500 * time.Millisecond // no look-up so soon after a failed one
	last     = 5 * time.Second
)

// Register is what this instance knows of keys.
type Register struct {
	source            Source
	current, previous contract.SecretRef
	products          map[string]contract.PlannedProduct
	fresh             time.Duration
	stale             time.Duration
	now               func() time.Time

	good   *renewal.Cache[fingerprint, *held] // of subscriptions, whatever their state
	others *renewal.Cache[fingerprint, *held]
	time   *renewal.Cache[struct{}, struct{}]
}

// fingerprint names a key in memory. A key has 160 bits of chance, so its plain
// SHA-256 leads nobody back to it, and a dump of the memory holds no key.
type fingerprint [sha256.Size]byte

// held is what the store said of a key. It isn't changed.
type held struct {
	record Record
	slot   int // -1: no subscription has the key
	digest string
	said   *pipeline.Subscription
	until  renewal.Until
}

// NewRegister knows nothing yet.
func NewRegister(plan *contract.Plan, source Source, now func() time.Time) *Register {
	g := &Register{source: source, products: map[string]contract.PlannedProduct{}, now: now, fresh: contract.DefaultKeyRefresh, stale: contract.DefaultKeyStale}
	if plan.Store != nil {
		g.current, g.previous = plan.Store.Digest, plan.Store.Previous
	}
	for _, p := range plan.Products {
		g.products[p.Name] = p
	}
	for _, api := range plan.APIs { // the gateway's word, the same for each
		if api.Keys.Refresh > 0 {
			g.fresh, g.stale = api.Keys.Refresh, api.Keys.MaxStale
		}
	}
	// Every failure is the store's or the vault's, not one key's.
	o := renewal.Options{Most: kept, Patience: patience, Moment: turn, First: first, Last: last, Together: true, Shared: func(error) bool { return true }}
	g.good, g.others = renewal.New[fingerprint, *held](now, o), renewal.New[fingerprint, *held](now, o)
	o.Most = 1
	g.time = renewal.New[struct{}, struct{}](now, o)
	return g
}

// find is what is known of a well-formed key. Its error is a *renewal.Unavailable.
func (g *Register) find(ctx context.Context, key string, id fingerprint) (*held, error) {
	if h, ok := g.good.Fresh(id); ok {
		return h, nil
	}
	if h, ok := g.good.Last(id); ok {
		return g.good.Get(ctx, id, func(ctx context.Context) (*held, renewal.Until, error) { return g.again(ctx, h) })
	}
	h, err := g.others.Get(ctx, id, func(ctx context.Context) (*held, renewal.Until, error) { return g.lookUp(ctx, key) })
	if err == nil && h.slot >= 0 {
		g.good.Keep(id, h, h.until)
	}
	return h, err
}

// told tells whether a key would be judged without asking the store.
func (g *Register) told(id fingerprint) bool {
	if _, ok := g.good.Last(id); ok {
		return true
	}
	_, ok := g.others.Fresh(id)
	return ok
}

// lookUp asks the store of a key that this instance doesn't know. What it says of
// an unknown key is used for as long as it is fresh and no longer: the key may
// have been made since.
func (g *Register) lookUp(ctx context.Context, key string) (*held, renewal.Until, error) {
	asked := g.now() // before the store was: a suspension that it had not heard of came later
	soon := renewal.Until{Renew: asked.Add(g.fresh), End: asked.Add(g.fresh)}
	if g.source.Rows == nil {
		return nil, soon, errors.New("there is no store to ask for keys")
	}
	row, err := g.leading(ctx, key)
	if errors.Is(err, tables.ErrNotFound) || errors.Is(err, tables.ErrUnreadable) {
		return &held{slot: -1, until: soon}, soon, nil
	}
	if err != nil {
		return nil, soon, err
	}
	h, until, err := g.read(ctx, row.Fields.Text("subscription"), row.Fields.Text("digest"), asked)
	if err == nil && h.slot < 0 {
		until = soon
	}
	return h, until, err
}

// leading is the row that leads from the key to its subscription, found under the
// current secret or under the one before. One of those is written anew under the
// current one; if that fails, the next look-up does it.
func (g *Register) leading(ctx context.Context, key string) (tables.Row, error) {
	now, err := digest(ctx, g.source.Secrets, g.current, key)
	if err != nil {
		return tables.Row{}, err
	}
	row, err := g.source.Rows.Get(ctx, digestKey(now))
	if !errors.Is(err, tables.ErrNotFound) || g.previous == (contract.SecretRef{}) {
		return row, err
	}
	before, err := digest(ctx, g.source.Secrets, g.previous, key)
	if err != nil {
		return tables.Row{}, err
	}
	if row, err = g.source.Rows.Get(ctx, digestKey(before)); err == nil {
		_, _ = g.source.Rows.Put(ctx, tables.Row{Key: digestKey(now), Fields: row.Fields})
	}
	return row, err
}

// again asks for the subscription of a key that this instance knows: one row.
func (g *Register) again(ctx context.Context, h *held) (*held, renewal.Until, error) {
	return g.read(ctx, h.record.ID, h.digest, g.now())
}

// read is the subscription of that id, if it has the key with that digest.
func (g *Register) read(ctx context.Context, id, digest string, asked time.Time) (*held, renewal.Until, error) {
	h := &held{slot: -1, digest: digest, until: renewal.Until{Renew: asked.Add(g.fresh), End: asked.Add(g.stale)}}
	h.record.ID = id
	row, err := g.source.Rows.Get(ctx, recordKey(id))
	// A row that can't be read opens nothing, and is no outage: other keys' rows can be read.
	if errors.Is(err, tables.ErrNotFound) || errors.Is(err, tables.ErrUnreadable) || err == nil && !sound(row) {
		return h, h.until, nil
	}
	if err != nil {
		return h, h.until, err
	}
	h.record = recordOf(row)
	if h.slot = h.record.slot(digest); h.slot >= 0 {
		r := &h.record
		h.said = &pipeline.Subscription{
			ID: r.ID, Product: r.Product, API: r.API, Started: r.Started, Created: r.Slots[h.slot].Made, Client: r.Client, Tenant: r.Tenant,
		}
	}
	return h, h.until, nil
}

// latest is the latest that the store's clock may show. Where that isn't known,
// as after a freeze, the store is asked, once for all who need it.
func (g *Register) latest(ctx context.Context) (time.Time, error) {
	if _, hi, ok := g.source.Clock.Bounds(); ok {
		return hi, nil
	}
	_, err := g.time.Get(ctx, struct{}{}, func(ctx context.Context) (struct{}, renewal.Until, error) {
		_, err := g.source.Rows.Get(ctx, tables.Key{Partition: "time", Row: "time"})
		if errors.Is(err, tables.ErrNotFound) {
			err = nil // it answered
		}
		now := g.now()
		return struct{}{}, renewal.Until{Renew: now, End: now.Add(time.Second)}, err
	})
	if err != nil {
		return time.Time{}, err
	}
	if _, hi, ok := g.source.Clock.Bounds(); ok {
		return hi, nil
	}
	return time.Time{}, &renewal.Unavailable{Cause: errors.New("the store's time is not known"), Wait: time.Second}
}
