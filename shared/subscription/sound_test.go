package subscription_test

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	. "tollgate/shared/subscription"
	"tollgate/shared/tables"
)

// A subscription that was edited by hand into another type would read as one
// without an end, or bound to nobody. It opens nothing, and is no outage for others.
func TestARowThatCannotBeReadOpensNothing(t *testing.T) {
	for field, value := range map[string]any{"expires": "2020-01-01", "client": int64(7), "tenant": true, "primaryEnds": "never", "state": int64(1)} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			id, key := d.open(t, Wish{Product: "partner", Client: "11111111-1111-1111-1111-111111111111", Expires: time.Now().Add(time.Hour)})
			_, other := d.open(t, Wish{Product: "partner"})
			d.want(t, key, "granted") // the binding is asked of the token, in a stage of its own
			at := tables.Key{Partition: "sub-" + id, Row: "sub"}
			for k := range d.rows {
				if k.Partition == at.Partition {
					at = k
				}
			}
			row := d.rows[at]
			row.Fields = maps.Clone(row.Fields)
			row.Fields[field] = value
			d.rows[at] = row
			d.want(t, key, "granted") // for as long as it is fresh
			time.Sleep(2 * time.Minute)
			d.want(t, key, "401 key_unknown")
			d.want(t, other, "granted")
			fresh := d.another()
			fresh.want(t, key, "401 key_unknown")
			fresh.want(t, other, "granted")
		})
	}
}
