package tables

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"tollgate/shared/tables"
)

// Keeping is the whole table, for who looks after it: the refresh timer and the command.
type Keeping struct {
	Rows interface {
		Rows
		List(ctx context.Context, q tables.Query) iter.Seq2[tables.Row, error]
		Delete(ctx context.Context, key tables.Key, etag string) error
	}
	Clock interface {
		Bounds() (lo, hi time.Time, ok bool)
	}
}

// Use is one count as it stands in the store: what was debited, of which some
// may still be held by instances that didn't spend it yet.
type Use struct {
	Scope  string      `json:"scope"` // such as product/partner
	Name   string      `json:"limit"`
	By     [][2]string `json:"by"` // what it is counted by, and the value
	Used   int64       `json:"used"`
	Most   int64       `json:"most"`
	Bytes  bool        `json:"bytes,omitempty"`
	Starts time.Time   `json:"starts"`
	Ends   *time.Time  `json:"ends"` // nil: never
	Smooth bool        `json:"smooth,omitempty"`

	row tables.Row
}

// Uses are all counts that haven't ended, in no order that means anything.
func (k Keeping) Uses(ctx context.Context) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		for row, err := range k.Rows.List(ctx, tables.Query{}) {
			if err != nil {
				yield(Use{}, err)
				return
			}
			now, _, known := k.Clock.Bounds() // the answer told it
			u := use(row, now)
			if known && u.Ends != nil && !u.Ends.After(now) {
				continue
			}
			if !yield(u, nil) {
				return
			}
		}
	}
}

func use(row tables.Row, now time.Time) Use {
	f := row.Fields
	u := Use{
		Scope: f.Text("Scope"), Name: f.Text("Name"), Most: f.Int("Most"), Used: f.Int("Used"), Bytes: f.Bool("Bytes"),
		Starts: time.Unix(f.Int("Starts"), 0).UTC(), row: row,
	}
	_ = json.Unmarshal([]byte(f.Text("By")), &u.By) // for people; what can't be read is left out
	if ends := f.Int("Ends"); ends != 0 {
		at := time.Unix(ends, 0).UTC()
		u.Ends = &at
	}
	if u.Smooth = strings.HasPrefix(row.Partition, smooth); u.Smooth {
		s := decode(row)
		span := f.Int("Span")
		for _, slot := range s.Slots {
			if slot.Start > now.Unix()-span {
				u.Used += slot.Used
			}
		}
	}
	return u
}

// Reset makes the count begin at nothing again. Instances that had found it used
// up notice within a minute; what they hold they may still spend, so callers may
// get so much more in this window.
func (k Keeping) Reset(ctx context.Context, u Use) error { return k.Rows.Delete(ctx, u.row.Key, "") }

// Sweep removes counts that have ended, most at the most, and tells how many.
// It may be run by anyone at any time: only what no instance can use any more goes.
func (k Keeping) Sweep(ctx context.Context, most int) (removed int, err error) {
	_, err = k.Rows.Get(ctx, tables.Key{Partition: "clock", Row: "clock"})
	if err != nil && !errors.Is(err, tables.ErrNotFound) {
		return 0, err
	}
	now, _, known := k.Clock.Bounds()
	if !known {
		return 0, errUndated
	}
	// An instance may still be about to write to a window that has just ended.
	before := now.Add(-grace).Unix()
	for _, q := range []tables.Query{
		{From: "0", Before: fmt.Sprintf("%010x", before), Page: most},
		{From: smooth, Before: "smooti", Page: most}, // the word after every key that begins so
	} {
		n, err := k.sweep(ctx, q, before, most-removed)
		removed += n
		if err != nil || removed >= most {
			return removed, err
		}
	}
	return removed, nil
}

// grace is how long a count is kept after it has ended.
const grace = time.Minute

// abreast is how many rows go at once: each is in a partition of its own, so no
// batch can hold two of them.
const abreast = 16

func (k Keeping) sweep(ctx context.Context, q tables.Query, before int64, most int) (removed int, err error) {
	var batch []tables.Row
	for row, err := range k.Rows.List(ctx, q) {
		if err != nil {
			return removed, err
		}
		if ends := row.Fields.Int("Ends"); ends == 0 || ends >= before {
			continue
		}
		if batch = append(batch, row); len(batch) < min(abreast, most-removed) {
			continue
		}
		n, err := k.remove(ctx, batch)
		removed, batch = removed+n, nil
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || removed >= most {
			return removed, err
		}
	}
	n, err := k.remove(ctx, batch)
	return removed + n, err
}

// remove removes them by their ETags: a smooth count that is used again must not go.
func (k Keeping) remove(ctx context.Context, batch []tables.Row) (removed int, err error) {
	failures := make([]error, len(batch))
	var all sync.WaitGroup
	for i, row := range batch {
		all.Go(func() { failures[i] = k.Rows.Delete(ctx, row.Key, row.ETag) })
	}
	all.Wait()
	for _, failed := range failures {
		if failed == nil || errors.Is(failed, tables.ErrChanged) {
			removed++
		} else {
			err = failed
		}
	}
	return removed, err
}
