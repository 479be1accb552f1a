package storagetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// entityRules: what an entity may hold, and how it comes back.
func entityRules() []expectation {
	return append(limits(), []expectation{
		{"an Int64 comes back exactly", func(b *bench) string {
			return b.roundTrip("Big", aztables.EDMInt64(9007199254740993))
		}, "aztables.EDMInt64 9007199254740993", ""},
		{"a float64 of 1.0 comes back as an int32", func(b *bench) string { return b.roundTrip("F", 1.0) }, "int32 1", ""},
		{"a float64 of 1.5 comes back", func(b *bench) string { return b.roundTrip("F", 1.5) }, "float64 1.5", ""},
		{"an integer beyond Int32 without a type comes back", func(b *bench) string { return b.roundTrip("N", 5000000000) }, "float64 5e+09", ""},
		{"a bool comes back", func(b *bench) string { return b.roundTrip("B", true) }, "bool true", ""},
		{"a GUID comes back", func(b *bench) string {
			return b.roundTrip("G", aztables.EDMGUID("0f8fad5b-d9cb-469f-a165-70867728950e"))
		}, "aztables.EDMGUID 0f8fad5b-d9cb-469f-a165-70867728950e", ""},
		{"bytes come back", func(b *bench) string { return b.roundTrip("B", aztables.EDMBinary("bytes")) }, "aztables.EDMBinary [98 121 116 101 115]", ""},
		{"a time comes back to 100 ns", func(b *bench) string {
			at := aztables.EDMDateTime(time.Date(2026, 11, 26, 1, 2, 3, 123456700, time.UTC))
			b.roundTrip("T", at)
			return time.Time(b.back("T").(aztables.EDMDateTime)).Format(time.RFC3339Nano)
		}, "2026-11-26T01:02:03.1234567Z", ""},
		{"doubles that JSON has no number for come back", func(b *bench) string {
			b.add("p", "r", map[string]any{"A": "NaN", "A@odata.type": "Edm.Double", "B": "Infinity", "B@odata.type": "Edm.Double", "C": "-Infinity", "C@odata.type": "Edm.Double"})
			e := b.get("p", "r")
			return fmt.Sprint(e["A"], " ", e["B"], " ", e["C"], " ", e["C@odata.type"])
		}, "NaN Infinity -Infinity Edm.Double", ""},
		{"a double beyond 10^21 comes back", func(b *bench) string { return b.roundTrip("F", 1e22) }, "float64 1e+22", ""},
		{"new gap: a GUID is one", add(map[string]any{"G": "none", "G@odata.type": "Edm.Guid"}), "400 InvalidInput", "ok"},
		{"new gap: a time is one", add(map[string]any{"T": "soon", "T@odata.type": "Edm.DateTime"}), "400 InvalidInput", "ok"},
		{"new gap: bytes are base64", add(map[string]any{"B": "???", "B@odata.type": "Edm.Binary"}), "400 InvalidInput", "ok"},
		{"null is nothing", func(b *bench) string {
			b.add("p", "r", with("Nothing", nil))
			_, there := b.get("p", "r")["Nothing"]
			return fmt.Sprint(there)
		}, "false", ""},
		{"merge keeps what it doesn't name, replace doesn't", mergeAndReplace, "1 2, <nil> 2", ""},
		{"upsert adds", func(b *bench) string {
			_, merge := b.table.UpsertEntity(b.ctx, entity("p", "m", nil), &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeMerge})
			_, replace := b.table.UpsertEntity(b.ctx, entity("p", "r", nil), &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeReplace})
			return outcomes(merge, replace)
		}, "ok, ok", ""},
	}...)
}

func limits() []expectation {
	return []expectation{
		{"a text of 64 KiB is fine", add(with("S", strings.Repeat("x", 32<<10))), "ok", ""},
		{"a text of more is refused", add(with("S", strings.Repeat("x", 32<<10+1))), "400 PropertyValueTooLarge", ""},
		{"gap 4: 252 properties are fine", add(many(252, "v")), "ok", ""},
		{"gap 4: 253 properties are refused", add(many(253, "v")), "400 TooManyProperties", "ok"},
		{"gap 4: an entity over 1 MiB is refused", add(many(20, strings.Repeat("x", 30<<10))), "400 EntityTooLarge", "ok"},
		{"gap 4: a property's name is an identifier", add(with("bad-name", "v")), "400 PropertyNameInvalid", "ok"},
		{"gap 4: a property's name has at most 255 characters", add(with(strings.Repeat("n", 256), "v")), "400 PropertyNameTooLong", "ok"},
		{"gap 4: an Int64 is a number", add(map[string]any{"N": "notanumber", "N@odata.type": "Edm.Int64"}), "400 InvalidInput", "ok"},
		{"an Int64 sent as a JSON number is refused", add(map[string]any{"N": 5, "N@odata.type": "Edm.Int64"}), "400 InvalidInput", ""},
		{"an object is no value", add(with("O", map[string]any{"a": 1})), "400 InvalidInput", ""},
	}
}

// add is the outcome of adding one entity.
func add(properties map[string]any) func(b *bench) string {
	return func(b *bench) string {
		_, err := b.table.AddEntity(b.ctx, entity("p", "r", properties), nil)
		return Outcome(err)
	}
}

func many(n int, v string) map[string]any {
	all := map[string]any{}
	for i := range n {
		all[fmt.Sprintf("P%d", i)] = v
	}
	return all
}

// roundTrip is the type and the value of what comes back through EDMEntity.
func (b *bench) roundTrip(name string, v any) string {
	b.t.Helper()
	sent, err := json.Marshal(aztables.EDMEntity{Entity: aztables.Entity{PartitionKey: "p", RowKey: "r"}, Properties: with(name, v)})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.table.AddEntity(b.ctx, sent, nil); err != nil {
		return Outcome(err)
	}
	got := b.back(name)
	return fmt.Sprintf("%T %v", got, got)
}

func (b *bench) back(name string) any {
	b.t.Helper()
	resp, err := b.table.GetEntity(b.ctx, "p", "r", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	var e aztables.EDMEntity
	if err := json.Unmarshal(resp.Value, &e); err != nil {
		b.t.Fatal(err)
	}
	return e.Properties[name]
}

func mergeAndReplace(b *bench) string {
	b.add("p", "r", with("A", 1))
	var seen []string
	for _, mode := range []aztables.UpdateMode{aztables.UpdateModeMerge, aztables.UpdateModeReplace} {
		if _, err := b.table.UpdateEntity(b.ctx, entity("p", "r", with("B", 2)), &aztables.UpdateEntityOptions{UpdateMode: mode}); err != nil {
			return Outcome(err)
		}
		e := b.get("p", "r")
		seen = append(seen, fmt.Sprint(e["A"], " ", e["B"]))
	}
	return strings.Join(seen, ", ")
}
