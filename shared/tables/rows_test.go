package tables_test

import (
	"fmt"
	"sync"

	"tollgate/shared/tables"
)

var one = tables.Key{Partition: "p", Row: "r"} // constant

// rows: what each operation does to a row that is there, isn't, or has changed.
func rows() []promise {
	return []promise{
		{"what was inserted is read, with the ETag that the insert gave", func(b *bench) {
			etag := b.must(b.Insert(b.ctx(), counted(one, 1)))
			if row := b.holds(one, 1); row.ETag != etag {
				b.Errorf("got the ETag %s, want %s", row.ETag, etag)
			}
		}},
		{"a row is inserted once", func(b *bench) {
			b.must(b.Insert(b.ctx(), counted(one, 1)))
			_, err := b.Insert(b.ctx(), counted(one, 2))
			b.gives("a second insert", err, tables.ErrExists)
			b.holds(one, 1)
		}},
		{"a row that isn't there is not found", func(b *bench) {
			_, err := b.Get(b.ctx(), one)
			b.gives("without a table", err, tables.ErrNotFound)
			b.must(b.Insert(b.ctx(), counted(key("p", "other"), 1)))
			_, err = b.Get(b.ctx(), one)
			b.gives("with one", err, tables.ErrNotFound)
		}},
		{"a row is replaced by its ETag, whole", func(b *bench) {
			row := tables.Row{Key: one, Fields: tables.Fields{"N": int64(1), "Old": "x"}}
			row.ETag = b.must(b.Insert(b.ctx(), row))
			next := counted(one, 2)
			next.ETag = row.ETag
			etag := b.must(b.Replace(b.ctx(), next))
			got := b.holds(one, 2)
			if _, old := got.Fields["Old"]; old || etag == row.ETag || got.ETag != etag {
				b.Errorf("got %+v after %s and %s", got, row.ETag, etag)
			}
			_, err := b.Replace(b.ctx(), next)
			b.gives("by the ETag before", err, tables.ErrChanged)
			b.holds(one, 2)
		}},
		{"nothing is replaced without an ETag", func(b *bench) {
			b.must(b.Insert(b.ctx(), counted(one, 1)))
			if etag, err := b.Replace(b.ctx(), counted(one, 2)); err == nil || etag != "" {
				b.Errorf("got %q, %v, want an error", etag, err)
			}
			b.holds(one, 1)
		}},
		{"a row that was deleted is not there to be replaced", func(b *bench) {
			row := counted(one, 1)
			row.ETag = b.must(b.Insert(b.ctx(), row))
			b.gives("the delete", b.Delete(b.ctx(), one, row.ETag), nil)
			_, err := b.Replace(b.ctx(), row)
			b.gives("the replace", err, tables.ErrNotFound)
			_, err = b.Get(b.ctx(), one)
			b.gives("the read", err, tables.ErrNotFound)
		}},
		{"put writes whatever is there", func(b *bench) {
			first := b.must(b.Put(b.ctx(), tables.Row{Key: one, Fields: tables.Fields{"Old": "x"}}))
			if second := b.must(b.Put(b.ctx(), counted(one, 2))); second == first {
				b.Errorf("got the ETag %s twice", first)
			}
			if _, old := b.holds(one, 2).Fields["Old"]; old {
				b.Error("what put doesn't name is still there")
			}
		}},
		{"a row is deleted by its ETag, or whatever it is", deletes},
		{"a row that isn't there is deleted already", func(b *bench) {
			b.gives("without a table", b.Delete(b.ctx(), one, ""), nil)
			etag := b.must(b.Insert(b.ctx(), counted(key("p", "other"), 1)))
			b.gives("with one", b.Delete(b.ctx(), one, ""), nil)
			b.gives("by an ETag", b.Delete(b.ctx(), one, etag), nil)
			b.holds(key("p", "other"), 1)
		}},
	}
}

func deletes(b *bench) {
	row := counted(one, 1)
	row.ETag = b.must(b.Insert(b.ctx(), row))
	now := b.must(b.Replace(b.ctx(), row))
	b.gives("by the ETag before", b.Delete(b.ctx(), one, row.ETag), tables.ErrChanged)
	b.holds(one, 1)
	b.gives("by its own", b.Delete(b.ctx(), one, now), nil)
	_, err := b.Get(b.ctx(), one)
	b.gives("the read", err, tables.ErrNotFound)
	b.must(b.Insert(b.ctx(), counted(one, 3)))
	b.gives("without one", b.Delete(b.ctx(), one, ""), nil)
	_, err = b.Get(b.ctx(), one)
	b.gives("the read", err, tables.ErrNotFound)
}

// making: a table is made by whoever writes to it first.
func making() []promise {
	return []promise{
		{"an insert makes the table", func(b *bench) { b.must(b.Insert(b.ctx(), counted(one, 1))); b.holds(one, 1) }},
		{"a put makes the table", func(b *bench) { b.must(b.Put(b.ctx(), counted(one, 1))); b.holds(one, 1) }},
		{"a replace does not", func(b *bench) {
			row := counted(one, 1)
			row.ETag = `W/"datetime'2026-01-01T00%3A00%3A00.0000000Z'"`
			_, err := b.Replace(b.ctx(), row)
			b.gives("the replace", err, tables.ErrNotFound)
		}},
		{"of many first inserts each makes its row", func(b *bench) {
			b.together(16, func(i int) error {
				_, err := b.Insert(b.ctx(), counted(key("p", fmt.Sprint(i)), int64(i)))
				return err
			}, 16)
			for i := range 16 {
				b.holds(key("p", fmt.Sprint(i)), int64(i))
			}
		}},
		{"of many first inserts of one row one succeeds", func(b *bench) {
			b.together(16, func(i int) error {
				_, err := b.Insert(b.ctx(), counted(one, int64(i)))
				return err
			}, 1)
		}},
		{"of many replaces by one ETag one succeeds", func(b *bench) {
			etag := b.must(b.Insert(b.ctx(), counted(one, 1)))
			b.together(16, func(i int) error {
				row := counted(one, int64(i))
				row.ETag = etag
				_, err := b.Replace(b.ctx(), row)
				return err
			}, 1)
		}},
	}
}

// together does it n times at once, and wants so many to succeed, and the others to be told why.
func (b *bench) together(n int, do func(i int) error, succeed int) {
	b.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case plain(err) != tables.ErrExists && plain(err) != tables.ErrChanged:
			b.Errorf("got %v, want that it exists or was changed", err)
		}
	}
	if done != succeed {
		b.Errorf("got %d successes, want %d", done, succeed)
	}
}
