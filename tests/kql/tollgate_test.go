package kql_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/localrun/events"
	"tollgate/shared/audit"
)

// sums are calls that have ended, and refused ones, by id.
type sums map[string][2]int64

// asTollgateCounts is what `tollgate who` counts: its reader and its tally, over the lines of the
// same events.
func asTollgateCounts(t *testing.T, by string, all []seen) sums {
	t.Helper()
	var lines bytes.Buffer
	for _, e := range all {
		lines.Write(append(e.Event.Append(nil), '\n'))
	}
	tally, reader := events.Tally{By: by}, events.Reader{}
	err := reader.Calls(t.Context(), &lines, func(e audit.Event) {
		asked := e.Time.After(now.Add(-day)) && !e.Time.After(now)
		if by == events.ByUser { // the query asks for people, the command for whoever an object id names
			asked = asked && e.Principal == "user"
		}
		if asked {
			tally.Add(&e)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	out := sums{}
	for _, c := range tally.Callers() {
		// The command names whoever has no client by their key; for keys there is a query of its own.
		if c.ID == "" || by == events.ByClient && c.Realm == "key" {
			continue
		}
		n := out[c.ID]
		out[c.ID] = [2]int64{n[0] + c.Calls - c.Running, n[1] + c.Refused}
	}
	return out
}

// The queries in Azure and the command on a laptop answer one question alike.
func eachCountIsTollgatesOwn(t *testing.T, e *engine) {
	r := mixed(t)
	for query, c := range map[string]struct{ by, column string }{
		"who-by-client":       {events.ByClient, "Client"},
		"who-by-user":         {events.ByUser, "User"},
		"who-by-tenant":       {events.ByTenant, "Tenant"},
		"who-by-subscription": {events.BySubscription, "Subscription"},
	} {
		t.Run(query, func(t *testing.T) {
			got := sums{}
			for _, row := range e.says(t, query, r) {
				id, n := row[c.column].(string), got[row[c.column].(string)]
				got[id] = [2]int64{n[0] + int64(row["Calls"].(float64)), n[1] + int64(row["Refused"].(float64))}
			}
			if diff := cmp.Diff(asTollgateCounts(t, c.by, r.events), got); diff != "" || len(got) == 0 {
				t.Errorf("%d callers (-tollgate +query):\n%s", len(got), diff)
			}
		})
	}
}
