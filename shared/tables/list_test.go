package tables_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"tollgate/localrun/faults"
	"tollgate/localrun/storage"
	"tollgate/shared/tables"
)

// lists: which rows, in which order, and how long.
func lists() []promise {
	return []promise{
		{"a table that isn't there has no rows", func(b *bench) { b.lists(tables.Query{}, "") }},
		{"bounds are from and before", bounds},
		{"a partition is that one and no other", partitions},
		{"1,200 rows come in order, in pages of the service's or of one's own", pages},
		{"a list ends when it is told to", func(b *bench) {
			b.fill("p", "a b c d")
			var got []string
			for row, err := range b.List(b.ctx(), tables.Query{Page: 2}) {
				if err != nil {
					b.Fatal(err)
				}
				if got = append(got, row.Row); len(got) == 3 {
					break
				}
			}
			if fmt.Sprint(got) != "[a b c]" {
				b.Errorf("got %v, want three rows", got)
			}
		}},
		{"rows that are removed while they are listed don't disturb it", func(b *bench) {
			b.fill("p", "a b c d e f")
			var got []string
			for row, err := range b.List(b.ctx(), tables.Query{Page: 2}) {
				if err != nil {
					b.Fatal(err)
				}
				got = append(got, row.Row)
				b.gives("the delete", b.Delete(b.ctx(), row.Key, row.ETag), nil)
			}
			if fmt.Sprint(got) != "[a b c d e f]" {
				b.Errorf("got %v, want six rows", got)
			}
			b.lists(tables.Query{}, "")
		}},
	}
}

// fill puts rows of these names into the partition.
func (b *bench) fill(partition, names string) {
	b.Helper()
	for name := range strings.FieldsSeq(names) {
		b.must(b.Put(b.ctx(), counted(key(partition, name), 1)))
	}
}

// lists wants these rows, written PARTITION/ROW.
func (b *bench) lists(q tables.Query, want string) {
	b.Helper()
	var got []string
	for row, err := range b.List(b.ctx(), q) {
		if err != nil {
			b.Fatal(err)
		}
		got = append(got, row.Partition+"/"+row.Row)
	}
	if strings.Join(got, " ") != want {
		b.Errorf("%+v: got %q, want %q", q, got, want)
	}
}

func bounds(b *bench) {
	for _, p := range []string{"a", "b", "c"} {
		b.fill(p, "2 1")
	}
	b.lists(tables.Query{}, "a/1 a/2 b/1 b/2 c/1 c/2")
	b.lists(tables.Query{From: "b"}, "b/1 b/2 c/1 c/2")
	b.lists(tables.Query{Before: "b"}, "a/1 a/2")
	b.lists(tables.Query{From: "b", Before: "c"}, "b/1 b/2")
	b.lists(tables.Query{From: "aa", Before: "bb"}, "b/1 b/2")
	b.lists(tables.Query{From: "b", Before: "b"}, "")
	b.lists(tables.Query{From: "c", Before: "a"}, "")
	b.lists(tables.Query{From: "d"}, "")
}

func partitions(b *bench) {
	all := strings.Fields("a a- a0 aA a_ aa aa0 A b -a _a 0a")
	for _, p := range all {
		b.fill(p, "r")
	}
	for _, p := range all {
		b.lists(tables.Partition(p), p+"/r")
	}
	b.lists(tables.Partition("c"), "")
}

func pages(b *bench) {
	const n = 1200
	names := make(chan string)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for name := range names {
				if _, err := b.Put(b.ctx(), counted(key(name[:2], name), 1)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range n {
		names <- fmt.Sprintf("%04d", i)
	}
	close(names)
	wg.Wait()
	for _, page := range []int{0, 1000, 5000, 700} {
		var got []tables.Key
		for row, err := range b.List(b.ctx(), tables.Query{Page: page}) {
			if err != nil {
				b.Fatal(err)
			}
			got = append(got, row.Key)
		}
		ordered := slices.IsSortedFunc(got, func(a, c tables.Key) int {
			return cmp.Or(strings.Compare(a.Partition, c.Partition), strings.Compare(a.Row, c.Row))
		})
		if len(slices.Compact(got)) != n || !ordered {
			b.Errorf("pages of %d: got %d rows, in order: %t", page, len(got), ordered)
		}
	}
}

func TestAListAsksForNoMorePagesThanItGives(t *testing.T) {
	s, service := standIn(t, storage.Options{})
	b := newBench(t, service)
	b.fill("p", "a b c d e f")
	for most, want := range map[int]int{1: 1, 2: 1, 3: 2, 6: 3, 7: 3} {
		s.Reset()
		given := 0
		for range b.List(b.ctx(), tables.Query{Page: 2}) {
			if given++; given == most {
				break
			}
		}
		if got := s.Operations(); got != (storage.Counts{Queries: want}) || given != min(most, 6) {
			t.Errorf("%d rows: got %d by %+v, want %d pages", most, given, got, want)
		}
	}
}

func TestAnErrorEndsAList(t *testing.T) {
	s, service := standIn(t, storage.Options{})
	b := newBench(t, service)
	b.fill("p", "a b c d")
	var got []string
	for row, err := range b.List(b.ctx(), tables.Query{Page: 2}) {
		if got = append(got, row.Row); len(got) == 2 {
			s.Fail(faults.Fault{Kind: storage.Busy})
		}
		if err != nil {
			got = append(got, err.Error()[strings.Index(err.Error(), ": ")+2:])
		}
	}
	if want := []string{"a", "b", "", "the store answered 503 ServerBusy"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheEndOfItsCallerEndsAList(t *testing.T) {
	s, service := standIn(t, storage.Options{})
	b := newBench(t, service)
	b.fill("p", "a b c d")
	s.Reset()
	ctx, cancel := context.WithCancel(b.ctx())
	defer cancel()
	var last error
	for row, err := range b.List(ctx, tables.Query{Page: 2}) {
		if last = err; row.Row == "b" {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) || s.Operations().Queries != 1 {
		t.Errorf("got %v and %+v, want one page and the caller's own end", last, s.Operations())
	}
}
