package subscription

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"tollgate/shared/tables"
)

// Table is where keys and subscriptions are kept.
const Table = "tollgatekeys"

// State is where a subscription stands.
type State string

// The states. Expired is never written: it follows from the time.
const (
	Submitted State = "submitted" // asked for, and not approved yet
	Active    State = "active"
	Suspended State = "suspended"
	Expired   State = "expired"
	Cancelled State = "cancelled" // for good
)

// Record is one subscription.
type Record struct {
	ID             string
	Product, API   string // one of them
	Owner          string // who answers for it: a mail address or a team's name
	Client, Tenant string // what the token must name that comes with the key; "": nothing
	Note           string
	State          State
	Created        time.Time
	Started        time.Time // zero: it never was active
	Expires        time.Time // zero: never
	Slots          [2]Slot
}

// Slot is the place of one key.
type Slot struct {
	Digest string // as it was made; "": empty
	Made   time.Time
	Ends   time.Time // zero: never
}

// The slots' names.
const (
	Primary   = 0
	Secondary = 1
)

// SlotName is what people call a slot.
func SlotName(i int) string { return [...]string{"primary", "secondary"}[i] }

// Clock is the store's; tables.Clock is one.
type Clock interface {
	Bounds() (lo, hi time.Time, ok bool)
}

// At is the state at a time. Whoever isn't sure what time it is asks for the
// latest that it may be: what might be over is over.
func (r *Record) At(latest time.Time) State {
	if (r.State == Active || r.State == Suspended) && over(r.Expires, latest) {
		return Expired
	}
	return r.State
}

// named tells an operator which subscription it was.
func (r *Record) named() error { return errors.New("the subscription " + r.ID) }

// slot is the index of the slot with that digest, -1 if none has it.
func (r *Record) slot(digest string) int {
	return slices.IndexFunc(r.Slots[:], func(s Slot) bool { return s.Digest == digest && digest != "" })
}

// over: the end itself is outside, and the zero time never comes.
func over(end, latest time.Time) bool { return !end.IsZero() && !latest.Before(end) }

func recordKey(id string) tables.Key { return tables.Key{Partition: "sub-" + id, Row: "subscription"} }

func digestKey(digest string) tables.Key {
	return tables.Key{Partition: "key-" + digest, Row: "key"}
}

// The ranges of partitions. "0" comes right after "-" among the bytes that a key may hold.
func allRecords() tables.Query { return tables.Query{From: "sub-", Before: "sub0"} }
func allDigests() tables.Query { return tables.Query{From: "key-", Before: "key0"} }

// fields are the record as it is kept: seconds since 1970, 0 for the zero time.
func (r *Record) fields() tables.Fields {
	f := tables.Fields{
		"product": r.Product, "api": r.API, "owner": r.Owner, "client": r.Client, "tenant": r.Tenant, "note": r.Note, "state": string(r.State),
		"created": seconds(r.Created), "started": seconds(r.Started), "expires": seconds(r.Expires),
	}
	for i, s := range r.Slots {
		name := SlotName(i)
		f[name], f[name+"Made"], f[name+"Ends"] = s.Digest, seconds(s.Made), seconds(s.Ends)
	}
	return f
}

// sound tells that no field is of another type, as one that was edited by hand may
// be: it would read as "never ends" or "bound to nobody", which nobody said.
func sound(row tables.Row) bool {
	for name, want := range (&Record{}).fields() {
		if has, there := row.Fields[name]; there && reflect.TypeOf(has) != reflect.TypeOf(want) {
			return false
		}
	}
	return true
}

func recordOf(row tables.Row) Record {
	f := row.Fields
	r := Record{
		ID: strings.TrimPrefix(row.Partition, "sub-"), Product: f.Text("product"), API: f.Text("api"), Owner: f.Text("owner"),
		Client: f.Text("client"), Tenant: f.Text("tenant"), Note: f.Text("note"), State: State(f.Text("state")),
		Created: moment(f.Int("created")), Started: moment(f.Int("started")), Expires: moment(f.Int("expires")),
	}
	for i := range r.Slots {
		name := SlotName(i)
		r.Slots[i] = Slot{f.Text(name), moment(f.Int(name + "Made")), moment(f.Int(name + "Ends"))}
	}
	return r
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func moment(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}
