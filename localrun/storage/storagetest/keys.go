package storagetest

import (
	"fmt"
	"strings"
)

// keys: what may be in one. Hash or encode them, and none of this matters.
func keys() []expectation {
	return append(forbidden(), []expectation{
		{"keys of 1 KiB are fine", func(b *bench) string {
			_, err := b.table.AddEntity(b.ctx, entity(strings.Repeat("k", 512), strings.Repeat("é", 512), nil), nil)
			return Outcome(err)
		}, "ok", ""},
		{"new gap: keys of more are refused", func(b *bench) string {
			_, pk := b.table.AddEntity(b.ctx, entity(strings.Repeat("k", 513), "r", nil), nil)
			_, rk := b.table.AddEntity(b.ctx, entity("p", strings.Repeat("k", 513), nil), nil)
			return outcomes(pk, rk)
		}, "400 KeyValueTooLarge, 400 KeyValueTooLarge", "400 InvalidInput, 400 InvalidInput"},
		{"an empty RowKey is a key", func(b *bench) string {
			b.add("p", "", nil)
			return fmt.Sprint(b.get("p", "")["RowKey"])
		}, "", ""},
		{"spaces, percents, pluses and letters of any script are fine", func(b *bench) string {
			key := `a b%20+&=,()ß漢😀"~`
			b.add(key, key, nil)
			return fmt.Sprint(b.get(key, key)["RowKey"])
		}, `a b%20+&=,()ß漢😀"~`, ""},
		// Gap 3 of the reference; Azurite 3.35.0 does it right. What doubles apostrophes is EDMEntity.
		{"gap 3: an apostrophe in a key is one", func(b *bench) string {
			b.add("p", "a'b", nil)
			_, err := b.table.GetEntity(b.ctx, "p", "a'b", nil)
			return Outcome(err)
		}, "ok", ""},
		{"an apostrophe in a key is one in a filter, too", func(b *bench) string {
			b.add("p", "a'b", nil)
			return b.matching("RowKey eq 'a''b'")
		}, "a'b", ""},
	}...)
}

// forbidden: what no key may hold.
func forbidden() []expectation {
	var all []expectation
	for name, bad := range map[string]string{"a slash": "/", "a backslash": `\`, "a hash": "#", "a question mark": "?", "a control character": "\x01", "a C1 control character": "\u0085"} {
		other := "" // Azurite finds no handler for an address with a slash in a key
		if bad == "/" {
			name, other = "new gap: "+name, "400 InvalidInput, 500"
		}
		all = append(all, expectation{name + " in a key is refused", func(b *bench) string {
			_, pk := b.table.AddEntity(b.ctx, entity("a"+bad+"b", "r", nil), nil)
			_, rk := b.table.UpsertEntity(b.ctx, entity("p", "a"+bad+"b", nil), nil)
			return outcomes(pk, rk)
		}, "400 InvalidInput, 400 InvalidInput", other})
	}
	return all
}
