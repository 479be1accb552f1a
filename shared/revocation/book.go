package revocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/shared/tables"
)

// DefaultKeep is how long an entry about tokens is kept: longer than Entra's
// longest token lives, which is 28 hours (entra-oauth.md §1).
const DefaultKeep = 48 * time.Hour

// Forever keeps an entry until it is lifted.
const Forever time.Duration = -1

const markField = "Mark"

// ErrNotTold says that an entry was written or removed, and the instances
// weren't told. They find out within five minutes; doing it once more is safe and
// tells them.
var ErrNotTold = errors.New("the instances could not be told")

// Ledger is read and written. *tables.Table is one.
type Ledger interface {
	Rows
	Insert(ctx context.Context, row tables.Row) (etag string, err error)
	Replace(ctx context.Context, row tables.Row) (etag string, err error)
	Put(ctx context.Context, row tables.Row) (etag string, err error)
	Delete(ctx context.Context, key tables.Key, etag string) error
}

var _ Ledger = (*tables.Table)(nil)

// Book writes revocations. Everything it does may be done again.
type Book struct {
	Rows  Ledger
	Clock Clock         // of the same store
	NewID func() string // unguessable, never twice the same
}

// Order is what is to be revoked.
type Order struct {
	Subject
	By, Reason string
	Keep       time.Duration // 0: DefaultKeep, or Forever for what keys are refused by; see Forever
}

// Revoke refuses whatever was issued up to now, by the store's clock. An older
// entry of the same subject is replaced, and never made weaker.
func (b Book) Revoke(ctx context.Context, o Order) (Entry, error) {
	now, err := b.now(ctx)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Subject: o.Subject, NotBefore: now, Made: now, By: shown(o.By), Reason: shown(o.Reason)}
	switch {
	case o.Keep > 0:
		e.Ends = now.Add(o.Keep)
	case o.Keep == 0 && !o.coversKeys():
		e.Ends = now.Add(DefaultKeep)
	}
	for range 5 {
		if e, err = b.write(ctx, e); !errors.Is(err, tables.ErrChanged) && !errors.Is(err, tables.ErrExists) && !errors.Is(err, tables.ErrNotFound) {
			break // or else someone else wrote it at the same time
		}
	}
	if err != nil {
		return Entry{}, fmt.Errorf("nothing is known to be revoked: %w", err)
	}
	return e, b.tell(ctx)
}

// now is the latest that the store's clock may show: no token of a second ago
// escapes, and one of the next second may be refused too.
func (b Book) now(ctx context.Context) (time.Time, error) {
	if _, err := b.Rows.Get(ctx, generation()); err != nil && !errors.Is(err, tables.ErrNotFound) {
		return time.Time{}, fmt.Errorf("ask the store for the time: %w", err)
	}
	_, hi, ok := b.Clock.Bounds()
	if !ok {
		return time.Time{}, errors.New("the store didn't say what time it is")
	}
	return hi.Truncate(time.Second).UTC(), nil
}

func (b Book) write(ctx context.Context, e Entry) (Entry, error) {
	row := e.row()
	there, err := b.Rows.Get(ctx, row.Key)
	switch {
	case errors.Is(err, tables.ErrNotFound):
		_, err = b.Rows.Insert(ctx, row)
		return e, err
	case err != nil:
		return e, err
	}
	// One that can't be read is written anew: no instance can read it either.
	if before, err := read(there); err == nil {
		if before.NotBefore.After(e.NotBefore) {
			e.NotBefore = before.NotBefore
		}
		if before.Ends.IsZero() || !e.Ends.IsZero() && before.Ends.After(e.Ends) {
			e.Ends = before.Ends
		}
	}
	row = e.row()
	row.ETag = there.ETag
	_, err = b.Rows.Replace(ctx, row)
	return e, err
}

// tell changes the generation. It is the second step: instances that see it list the entries after.
func (b Book) tell(ctx context.Context) error {
	var err error
	for range 3 {
		row := tables.Row{Key: generation(), Fields: tables.Fields{markField: b.NewID()}}
		if _, err = b.Rows.Put(ctx, row); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: %w", ErrNotTold, err)
}

// Entries are all there are, ended ones too.
func (b Book) Entries(ctx context.Context) ([]Entry, error) { return readAll(ctx, b.Rows) }

// Lift takes a revocation back: what it refused is accepted again. It is told
// also where there is no such entry, for a first attempt may have removed it.
func (b Book) Lift(ctx context.Context, name string) (there bool, err error) {
	key := tables.Key{Partition: entries, Row: name}
	_, err = b.Rows.Get(ctx, key)
	if err != nil && !errors.Is(err, tables.ErrNotFound) {
		return false, err
	}
	there = err == nil
	if err := b.Rows.Delete(ctx, key, ""); err != nil {
		return there, err
	}
	return there, b.tell(ctx)
}

// Sweep removes entries that have ended, at most that many. Nobody is told:
// instances don't heed them any more.
func (b Book) Sweep(ctx context.Context, most int) (removed int, err error) {
	for row, err := range b.Rows.List(ctx, tables.Partition(entries)) {
		if err != nil {
			return removed, err
		}
		lo, _, known := b.Clock.Bounds() // the listing's own answer told it
		e, err := read(row)
		if err != nil || !known || !e.ended(lo) {
			continue // one that can't be read is reported by those who are to heed it
		}
		if removed == most {
			break
		}
		// Of that version: it may have been renewed meanwhile.
		if err := b.Rows.Delete(ctx, row.Key, e.etag); err != nil {
			if errors.Is(err, tables.ErrChanged) {
				continue
			}
			return removed, err
		}
		removed++
	}
	return removed, nil
}
