package events

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"tollgate/shared/audit"
)

// What callers are told apart by.
const (
	ByClient       = "client"
	ByUser         = "user"
	ByTenant       = "tenant"
	BySubscription = "subscription"
)

// Kinds are those words.
func Kinds() []string { return []string{ByClient, ByUser, ByTenant, BySubscription} }

const (
	maxCallers = 1 << 16 // beyond those, Others
	maxNames   = 256     // different APIs, and codes, of one caller
)

// Caller is who called, and what came of it.
type Caller struct {
	ID     string // "": nobody is known, as for what was refused before anybody was
	Realm  string // tenant or issuer, where the id alone doesn't tell who it is
	Kind   string // of a principal: user, application, or key; "" unless all its calls agree
	Others bool   // all those beyond maxCallers

	Calls, Granted, Refused, Running int64
	Received, Sent                   int64
	First, Last                      time.Time
	APIs                             map[string]int64
	Codes                            map[string]int64 // of refusals
}

// Tally counts calls by caller.
type Tally struct {
	By    string
	Total Caller
	all   map[[2]string]*Caller
}

// Add counts one call.
func (t *Tally) Add(e *audit.Event) {
	t.Total.add(e)
	id, realm := identify(t.By, e)
	if t.all == nil {
		t.all = map[[2]string]*Caller{}
	}
	key := [2]string{id, realm}
	c := t.all[key]
	if c == nil && len(t.all) >= maxCallers {
		key = [2]string{"\x00others"}
		c = t.all[key]
	}
	if c == nil {
		c = &Caller{ID: id, Realm: realm, Kind: kindOf(e)}
		if key[0] == "\x00others" {
			c = &Caller{Others: true}
		}
		t.all[key] = c
	}
	c.add(e)
}

// identify is who it is, and within what that name is unique. An Entra client's
// id is so everywhere, a user's within the tenant, another issuer's within that issuer.
func identify(by string, e *audit.Event) (id, realm string) {
	switch by {
	case ByUser:
		return e.User, cmp.Or(e.Tenant, e.Issuer)
	case ByTenant:
		if e.Tenant == "" {
			return e.Issuer, ""
		}
		return e.Tenant, ""
	case BySubscription:
		return e.Subscription, ""
	}
	if e.App == "" && e.Subscription != "" {
		return e.Subscription, "key"
	}
	if e.Tenant == "" {
		realm = e.Issuer
	}
	return e.App, realm
}

func kindOf(e *audit.Event) string {
	if e.Principal == "" && e.Subscription != "" {
		return "key"
	}
	return e.Principal
}

func (c *Caller) add(e *audit.Event) {
	c.Calls++
	c.Received, c.Sent = c.Received+max(e.Received, 0), c.Sent+max(e.Sent, 0)
	if c.Kind != kindOf(e) {
		c.Kind = ""
	}
	if c.First.IsZero() || e.Time.Before(c.First) {
		c.First = e.Time
	}
	if e.Time.After(c.Last) {
		c.Last = e.Time
	}
	if e.Event == audit.Started {
		c.Running++
	}
	if e.API != "" {
		count(&c.APIs, e.API)
	}
	if e.Verdict == audit.Granted {
		c.Granted++
		return
	}
	c.Refused++
	count(&c.Codes, e.Code)
}

func count(in *map[string]int64, name string) {
	if *in == nil {
		*in = map[string]int64{}
	}
	if _, known := (*in)[name]; !known && len(*in) >= maxNames {
		name = "…"
	}
	(*in)[name]++
}

// Callers are all of them, who called most first.
func (t *Tally) Callers() []*Caller {
	return slices.SortedFunc(maps.Values(t.all), func(a, b *Caller) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Realm, b.Realm))
	})
}

// Most is what there was most of, and how often; of equals the first by name.
func Most(counts map[string]int64) (name string, n int64) {
	for _, one := range slices.Sorted(maps.Keys(counts)) {
		if counts[one] > n {
			name, n = one, counts[one]
		}
	}
	return name, n
}
