package tables_test

import (
	"encoding/json"
	"maps"

	"tollgate/shared/tables"
)

// foreign: rows that someone else wrote are read, or refused, never read wrongly.
func foreign() []promise {
	typed := func(edm string, v any) map[string]any { return map[string]any{"N": v, "N@odata.type": edm} }
	return []promise{
		{"a number of 32 bits is one", theirs(map[string]any{"N": 5}, tables.Fields{"N": int64(5)})},
		{"so is the least", theirs(map[string]any{"N": -1 << 31}, tables.Fields{"N": int64(-1 << 31)})},
		{"a time is its text", theirs(typed("Edm.DateTime", "2026-11-26T01:02:03.1234567Z"), tables.Fields{"N": "2026-11-26T01:02:03.1234567Z"})},
		{"a GUID is its text", theirs(typed("Edm.Guid", "0f8fad5b-d9cb-469f-a165-70867728950e"), tables.Fields{"N": "0f8fad5b-d9cb-469f-a165-70867728950e"})},
		{"bytes are their base64", theirs(typed("Edm.Binary", "Ynl0ZXM="), tables.Fields{"N": "Ynl0ZXM="})},
		{"null is no field", theirs(map[string]any{"N": nil}, tables.Fields{})},
		{"a name of another kind is read, too", theirs(map[string]any{"under_score": "x"}, tables.Fields{"under_score": "x"})},
		{"a fraction is refused", theirs(map[string]any{"N": 1.5}, nil)},
		{"a number beyond 32 bits, which is a double, is refused", theirs(map[string]any{"N": 5000000000}, nil)},
		{"a number beyond 2^53, which was rounded, is refused", theirs(map[string]any{"N": json.RawMessage("9007199254740993")}, nil)},
		{"a huge number is refused", theirs(map[string]any{"N": 1e300}, nil)},
		{"what is no number is refused", theirs(typed("Edm.Double", "NaN"), nil)},
		{"infinity is refused", theirs(typed("Edm.Double", "-Infinity"), nil)},
		{"a row without a field is read", theirs(nil, tables.Fields{})},
		{"a key of theirs is listed", func(b *bench) {
			b.writes("it's", "", map[string]any{"N": 5})
			for row, err := range b.List(b.ctx(), tables.Query{}) {
				if err != nil || row.Key != key("it's", "") || row.Fields.Int("N") != 5 {
					b.Errorf("got %+v, %v", row, err)
				}
			}
		}},
	}
}

// theirs writes a row by other means and wants those fields, or an error for nil.
func theirs(properties map[string]any, want tables.Fields) func(b *bench) {
	return func(b *bench) {
		b.writes(one.Partition, one.Row, properties)
		got, err := b.Get(b.ctx(), one)
		b.judge("read", got, err, want)
		listed := 0
		for row, err := range b.List(b.ctx(), tables.Query{}) {
			listed++
			b.judge("listed", row, err, want)
		}
		if listed != 1 {
			b.Errorf("got %d rows, want the one", listed)
		}
	}
}

func (b *bench) judge(how string, got tables.Row, err error, want tables.Fields) {
	b.Helper()
	if want == nil && (err == nil || plain(err) != nil || got.Fields != nil) {
		b.Errorf("%s: got %+v, %v, want an error", how, got, err)
	}
	if want != nil && (err != nil || !maps.Equal(got.Fields, want) || got.Key != one) {
		b.Errorf("%s: got %+v, %v, want %v", how, got, err, want)
	}
}

func (b *bench) writes(partition, row string, properties map[string]any) {
	b.Helper()
	all := map[string]any{"PartitionKey": partition, "RowKey": row}
	maps.Copy(all, properties)
	text, err := json.Marshal(all)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := b.raw.CreateTable(b.ctx(), nil); err != nil {
		b.Fatal(err)
	}
	if _, err := b.raw.AddEntity(b.ctx(), text, nil); err != nil {
		b.Fatal(err)
	}
}
