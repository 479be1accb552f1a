package tables_test

import (
	"errors"
	"maps"
	"math"
	"strings"
	"testing"

	"tollgate/localrun/storage"
	"tollgate/shared/tables"
)

// plain is which of those that a caller may branch on an error is, if any.
func plain(err error) error {
	for _, known := range []error{tables.ErrNotFound, tables.ErrExists, tables.ErrChanged} {
		if errors.Is(err, known) {
			return known
		}
	}
	return nil
}

// fields: what was written is what is read, by each way of writing and of reading.
func fields() []promise {
	all := map[string]tables.Fields{
		"numbers come back exactly": {
			"Beyond": int64(1<<53 + 1), "Minus": int64(-1<<53 - 1), "Most": int64(math.MaxInt64), "Least": int64(math.MinInt64), "Zero": int64(0), "One": int64(1),
		},
		"texts come back exactly": {
			"Empty": "", "Number": "5", "Quote": `'"\`, "Markup": "<a>&amp;", "Lines": "a\r\n\tb", "Wide": "é日🙂", "Long": strings.Repeat("x", 32<<10),
			"Date": "2026-11-26T00:00:00Z",
		},
		"truth comes back":                     {"Yes": true, "No": false},
		"no field is fine":                     {},
		"a field may look like another's type": {"N": "1", "Ntype": "Edm.Int64", "ETag": "x", "partitionkey": "y"},
	}
	var promises []promise
	for name, f := range all {
		promises = append(promises, promise{name, func(b *bench) {
			row := tables.Row{Key: one, Fields: f}
			row.ETag = b.must(b.Insert(b.ctx(), row))
			b.readsBack(f)
			b.must(b.Replace(b.ctx(), row))
			b.readsBack(f)
			b.must(b.Put(b.ctx(), row))
			b.readsBack(f)
		}})
	}
	return promises
}

// readsBack wants those fields of the only row, read and listed.
func (b *bench) readsBack(want tables.Fields) {
	b.Helper()
	got, err := b.Get(b.ctx(), one)
	if err != nil || !maps.Equal(got.Fields, want) {
		b.Errorf("got %v, %v, want %v", got.Fields, err, want)
	}
	for row, err := range b.List(b.ctx(), tables.Query{}) {
		if err != nil || row.Key != one || row.ETag != got.ETag || !maps.Equal(row.Fields, want) {
			b.Errorf("listed: got %+v, %v, want %v", row, err, want)
		}
	}
}

// What can't be kept as it is must not reach the store.
func TestWhatCanNotBeKeptIsRefusedBeforeAnyRequest(t *testing.T) {
	s, service := standIn(t, storage.Options{})
	table := open(t, shared(service), patient).Table("things")
	for name, f := range map[string]tables.Fields{
		"an int": {"N": 1}, "an int32": {"N": int32(1)}, "a float": {"N": 1.5}, "nothing": {"N": nil}, "bytes": {"N": []byte("x")}, "a map": {"N": map[string]any{}},
		"text that isn't UTF-8": {"N": "a\xff"},
		"the name of a key":     {"PartitionKey": "q"}, "the name of the other": {"RowKey": "q"}, "the service's time": {"Timestamp": "q"},
		"a name with an at": {"N@odata.type": "Edm.Int64"}, "odata": {"odata.etag": "x"}, "no name": {"": "x"}, "a dash": {"a-b": "x"},
		"a digit first": {"1a": "x"}, "a long name": {strings.Repeat("n", 256): "x"}, "a newline": {"a\n": "x"},
	} {
		row := tables.Row{Key: one, ETag: "*", Fields: f}
		_, insert := table.Insert(t.Context(), row)
		_, replace := table.Replace(t.Context(), row)
		_, put := table.Put(t.Context(), row)
		if insert == nil || replace == nil || put == nil || s.Operations().Total() > 0 {
			t.Errorf("%s: got %v, %v, %v and %+v, want three errors and no request", name, insert, replace, put, s.Operations())
		}
	}
}

func TestAReplaceWithoutAnETagIsRefusedBeforeAnyRequest(t *testing.T) {
	s, service := standIn(t, storage.Options{})
	if etag, err := open(t, shared(service), patient).Table("things").Replace(t.Context(), counted(one, 1)); err == nil || etag != "" || s.Operations().Total() > 0 {
		t.Errorf("got %q, %v and %+v, want an error and no request", etag, err, s.Operations())
	}
}

func TestKeysAreRefusedBeforeAnyRequest(t *testing.T) {
	s, service := standIn(t, storage.Options{})
	table := open(t, shared(service), patient).Table("things")
	refused := func(name string, k tables.Key) {
		t.Helper()
		row := tables.Row{Key: k, ETag: "*"}
		_, get := table.Get(t.Context(), k)
		_, insert := table.Insert(t.Context(), row)
		_, replace := table.Replace(t.Context(), row)
		_, put := table.Put(t.Context(), row)
		for _, err := range []error{get, insert, replace, put, table.Delete(t.Context(), k, "")} {
			if err == nil || plain(err) != nil || len(err.Error()) > 500 || s.Operations().Total() > 0 {
				t.Errorf("%s: got %v and %+v, want a short error and no request", name, err, s.Operations())
			}
		}
	}
	for _, part := range []string{
		"", "a'b", "a/b", `a\b`, "a#b", "a?b", "a%b", "a%27b", "a b", "a+b", "a.b", "..", "a!", "a\x00", "a\nb", "\x7f", "\u0085",
		"é", "日", "a\xff", "İ", strings.Repeat("k", 513), strings.Repeat("'", 10_000),
	} {
		refused("partition "+part, key(part, "r"))
		refused("row "+part, key("p", part))
		for _, q := range []tables.Query{tables.Partition(part), {From: part, Before: "z"}, {From: "a", Before: part}} {
			for _, err := range table.List(t.Context(), q) {
				bound := part == "" || strings.HasSuffix(part, "!") && q != tables.Partition(part)
				if !bound && err == nil || s.Operations().Total() > 0 && !bound {
					t.Errorf("a list of %+v: got %v and %+v, want an error and no request", q, err, s.Operations())
				}
			}
		}
		s.Reset()
	}
}

func TestTheLongestKeyIsFine(t *testing.T) {
	_, service := standIn(t, storage.Options{})
	b := newBench(t, service)
	k := key(strings.Repeat("k", 512), strings.Repeat("-_aZ", 128))
	b.must(b.Insert(b.ctx(), counted(k, 1)))
	b.holds(k, 1)
}
