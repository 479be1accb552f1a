package subscription

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/tables"
)

// Ledger is what the office needs of the table, besides what a gateway does;
// tables.Table is one.
type Ledger interface {
	Rows
	Insert(ctx context.Context, row tables.Row) (etag string, err error)
	Replace(ctx context.Context, row tables.Row) (etag string, err error)
}

// Catalog lists the table and removes from it; tables.Table is one.
type Catalog interface {
	List(ctx context.Context, q tables.Query) iter.Seq2[tables.Row, error]
	Delete(ctx context.Context, key tables.Key, etag string) error
}

// Office is where subscriptions are asked for, approved, renewed and ended.
//
// Each change is one conditional write of the subscription's row, so two people
// who change it at once can't undo each other's work. A key is handed out once;
// nobody can read it again.
type Office struct {
	ledger  Ledger
	catalog Catalog
	clock   Clock
	secrets Secrets
	current contract.SecretRef
	chance  io.Reader
}

// NewOffice works on a table. current names the secret that digests are made
// under; secrets may be nil where no key is made. chance is the random source.
func NewOffice[T interface {
	Ledger
	Catalog
}](table T, clock Clock, secrets Secrets, current contract.SecretRef, chance io.Reader) *Office {
	return &Office{table, table, clock, secrets, current, chance}
}

// ErrNone: there is no such subscription.
var ErrNone = errors.New("there is no such subscription")

// Wish is a subscription that somebody wants.
type Wish struct {
	Product, API   string // exactly one
	Owner          string
	Client, Tenant string
	Note           string
	Expires        time.Time
	Approval       bool // somebody must approve it before its key is good
}

// Open makes a subscription and its first key. With Approval, the key is good
// once the subscription was approved: whoever approves never holds it.
func (o *Office) Open(ctx context.Context, w Wish) (*Record, string, error) {
	if (w.Product == "") == (w.API == "") {
		return nil, "", errors.New("a subscription is to a product or to an API")
	}
	if w.Owner == "" {
		return nil, "", errors.New("a subscription needs an owner")
	}
	now, err := o.now(ctx)
	if err != nil {
		return nil, "", err
	}
	if !w.Expires.IsZero() && !w.Expires.After(now) {
		return nil, "", fmt.Errorf("it would have expired already (%s)", w.Expires.Format(time.RFC3339))
	}
	id, err := o.newID()
	if err != nil {
		return nil, "", err
	}
	r := &Record{
		ID: id, Product: w.Product, API: w.API, Owner: w.Owner, Client: w.Client, Tenant: w.Tenant, Note: w.Note,
		State: Active, Created: now, Started: now, Expires: w.Expires,
	}
	if w.Approval {
		r.State, r.Started = Submitted, time.Time{}
	}
	key, err := o.fill(ctx, r, Primary, now)
	if err != nil {
		return nil, "", err
	}
	return r, key, o.write(ctx, tables.Row{Key: recordKey(id), Fields: r.fields()}, o.ledger.Insert)
}

// fill makes a key for a slot. Its row is written first: one that no subscription
// names opens nothing.
func (o *Office) fill(ctx context.Context, r *Record, slot int, now time.Time) (string, error) {
	key, err := Mint(o.chance)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	d, err := digest(ctx, o.secrets, o.current, key)
	if err != nil {
		return "", err
	}
	r.Slots[slot] = Slot{Digest: d, Made: now}
	return key, o.write(ctx, tables.Row{Key: digestKey(d), Fields: tables.Fields{
		"subscription": r.ID, "digest": d, "slot": SlotName(slot), "made": seconds(now),
	}}, o.ledger.Insert)
}

// write writes a row, and where the answer doesn't tell whether it was written, looks.
func (o *Office) write(ctx context.Context, row tables.Row, by func(context.Context, tables.Row) (string, error)) error {
	_, err := by(ctx, row)
	if err == nil {
		return nil
	}
	there, looked := o.ledger.Get(ctx, row.Key)
	switch {
	case looked == nil && maps.Equal(there.Fields, row.Fields):
		return nil
	case errors.Is(err, tables.ErrChanged), errors.Is(err, tables.ErrExists), errors.Is(err, tables.ErrNotFound):
		return err
	}
	return fmt.Errorf("%w; whether it was written isn't known: look with show or list", err)
}

// newID is 60 bits of chance: short enough to read out, and no two alike.
func (o *Office) newID() (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(o.chance, b[:]); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return base32.NewEncoding(alphabet).WithPadding(base32.NoPadding).EncodeToString(b[:])[:12], nil
}

// now is the earliest that the store's clock may show, in whole seconds: an end
// that is counted from it comes too early rather than too late.
func (o *Office) now(ctx context.Context) (time.Time, error) {
	lo, _, ok := o.clock.Bounds()
	if !ok {
		if _, err := o.ledger.Get(ctx, tables.Key{Partition: "time", Row: "time"}); err != nil && !errors.Is(err, tables.ErrNotFound) {
			return time.Time{}, err
		}
		if lo, _, ok = o.clock.Bounds(); !ok {
			return time.Time{}, errors.New("the store doesn't say what time it is")
		}
	}
	return lo.Truncate(time.Second).UTC(), nil
}

// Show is one subscription, and its state now.
func (o *Office) Show(ctx context.Context, id string) (*Record, error) {
	row, err := o.row(ctx, id)
	if err != nil {
		return nil, err
	}
	r := recordOf(row)
	now, err := o.now(ctx)
	r.State = r.At(now)
	return &r, err
}

func (o *Office) row(ctx context.Context, id string) (tables.Row, error) {
	if !validID(id) {
		return tables.Row{}, fmt.Errorf("%q: %w", id, ErrNone)
	}
	row, err := o.ledger.Get(ctx, recordKey(id))
	if errors.Is(err, tables.ErrNotFound) {
		return row, fmt.Errorf("%q: %w", id, ErrNone)
	}
	return row, err
}

func validID(id string) bool {
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return len(id) == 12
}

// List gives all subscriptions in the order of their ids, with their states now.
func (o *Office) List(ctx context.Context) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		now, err := o.now(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for row, err := range o.catalog.List(ctx, allRecords()) {
			if err != nil {
				yield(nil, err)
				return
			}
			r := recordOf(row)
			if r.State = r.At(now); !yield(&r, nil) {
				return
			}
		}
	}
}
