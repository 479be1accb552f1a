package graph_test

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"tollgate/infra/graph"
	standin "tollgate/localrun/graph"
	"tollgate/shared/contract"
)

var update = flag.Bool("update", false, "write the golden file anew")

const (
	address    = "https://graph.invalid" // RFC 2606: it never exists, and nothing is sent there
	ordersID   = "20000000-0000-4000-8000-000000000001"
	paymentsID = "20000000-0000-4000-8000-000000000002"
	prefix     = "tollgate: contoso test "
)

// everything is what whoever deploys holds.
func everything() []string {
	return []string{"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Policy.ReadWrite.ApplicationConfiguration", "Application.ReadWrite.All"}
}

// inProcess hands requests to the stand-in without a network.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// tenant is a stand-in and a client of it that never really waits.
type tenant struct {
	*standin.Server
	*graph.Client
	waits []time.Duration
}

func newTenant(t *testing.T) *tenant {
	t.Helper()
	s := standin.New(address, 1, ordersID, paymentsID)
	s.Grant("deployer", everything()...)
	out := &tenant{Server: s}
	out.Client = &graph.Client{
		Address: address, Transport: inProcess{s},
		Token: func(context.Context) (string, error) { return "deployer", nil },
		Wait:  func(_ context.Context, d time.Duration) error { out.waits = append(out.waits, d); return nil },
	}
	return out
}

func registrations(change ...func(*contract.Registrations)) *contract.Registrations {
	r := &contract.Registrations{
		Gateway: "contoso", Environment: "test", BreakGlass: "a0000000-0000-4000-8000-000000000199",
		APIs: []contract.Registration{{Name: "orders", ClientID: ordersID}, {Name: "payments", ClientID: paymentsID, Lifetime: 30 * time.Minute}},
		Contexts: []contract.RegisteredContext{{ID: "c1", AuthenticationContext: contract.AuthenticationContext{
			Name: "Approve", Require: "phishingResistant", Every: contract.Duration(time.Hour),
		}}},
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func wanted(change ...func(*contract.Registrations)) *graph.Wanted {
	return graph.Want(registrations(change...), nil, graph.Options{})
}

func (n *tenant) diff(t *testing.T, want *graph.Wanted) *graph.Change {
	t.Helper()
	have, err := n.Read(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	return graph.Diff(want, have)
}

// applied is a tenant in which all that is wanted holds.
func applied(t *testing.T, want *graph.Wanted) *tenant {
	t.Helper()
	n := newTenant(t)
	outcome, err := n.Apply(t.Context(), want, n.diff(t, want))
	if err != nil {
		t.Fatalf("%v\n%s", err, outcome)
	}
	return n
}

func lines(c *graph.Change) string {
	var out []string
	for _, r := range c.Requests {
		out = append(out, r.Method+" "+strings.TrimPrefix(r.Path, "/v1.0"))
	}
	return strings.Join(out, "\n")
}

func TestTheRequestsOfTheExampleEstateAreThese(t *testing.T) {
	estate, faults := contract.Load(os.DirFS("../../contracts"))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	r, faults := estate.Registrations("prod")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	n := newTenant(t)
	var ids []string
	for _, a := range r.APIs {
		ids = append(ids, a.ClientID)
	}
	n.Server = standin.New(address, 1, ids...)
	n.Grant("deployer", everything()...)
	n.Transport = inProcess{n.Server}
	want := graph.Want(r, nil, graph.Options{})
	change := n.diff(t, want)
	var text strings.Builder
	for _, r := range change.Requests {
		text.WriteString(r.String() + "needs " + r.Permission + "\n\n")
	}
	if *update {
		if err := os.WriteFile("testdata/prod.txt", []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile("testdata/prod.txt")
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(golden) {
		t.Errorf("testdata/prod.txt is stale: look at what changed with `go test ./infra/graph -update && git diff infra/graph`; got\n%s", &text)
	}
	if outcome, err := n.Apply(t.Context(), want, change); err != nil {
		t.Fatalf("%v\n%s", err, outcome)
	}
}

func TestWhatWasAppliedNeedsNothingMore(t *testing.T) {
	want := wanted()
	n := applied(t, want)
	before := len(n.Seen())
	if change := n.diff(t, want); !change.Empty() {
		t.Errorf("got\n%s\n%v", lines(change), change.Notes)
	}
	outcome, err := n.Apply(t.Context(), want, n.diff(t, want))
	if err != nil || len(outcome.Done) != 0 || len(n.Seen()) != before {
		t.Errorf("got %v, %s, %v", err, outcome, n.Seen()[before:])
	}
	if n.Assigned(paymentsID) == "" || n.Assigned(ordersID) != "" {
		t.Errorf("got lifetime policies %q of payments, %q of orders", n.Assigned(paymentsID), n.Assigned(ordersID))
	}
}

// While no enabled policy stands before a context, Entra gives it to everybody.
func TestStepUpIsEnforcedFromTheFirstMoment(t *testing.T) {
	n := applied(t, wanted())
	n.Change("policies", func(all map[string]thing) {
		for _, p := range all {
			if p["state"] != "enabled" {
				t.Errorf("got state %v, want enabled", p["state"])
			}
		}
	})
	reporting := newTenant(t)
	want := graph.Want(registrations(), nil, graph.Options{ReportOnly: true})
	if change := reporting.diff(t, want); !strings.Contains(string(change.Requests[1].Body), "enabledForReportingButNotEnforced") {
		t.Errorf("got %s", change.Requests[1])
	}
}

// thing is an object of Graph's.
type thing = map[string]any

func TestEachDemandIsAPolicyOfItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		context contract.AuthenticationContext
		want    []string
	}{
		"a second factor":    {contract.AuthenticationContext{Name: "A", Require: "mfa"}, []string{`"mfa"`, `"includeUsers": [`, `"All"`}},
		"a passkey":          {contract.AuthenticationContext{Name: "A", Require: "phishingResistant"}, []string{`"id": "00000000-0000-0000-0000-000000000004"`}},
		"a compliant device": {contract.AuthenticationContext{Name: "A", Require: "compliantDevice"}, []string{`"compliantDevice"`}},
		"every four hours":   {contract.AuthenticationContext{Name: "A", Require: "mfa", Every: contract.Duration(4 * time.Hour)}, []string{`"type": "hours"`, `"value": 4`}},
		"every two days":     {contract.AuthenticationContext{Name: "A", Require: "mfa", Every: contract.Duration(48 * time.Hour)}, []string{`"type": "days"`, `"value": 2`}},
	} {
		t.Run(name, func(t *testing.T) {
			want := wanted(func(r *contract.Registrations) { r.Contexts[0].AuthenticationContext = c.context })
			body := string(newTenant(t).diff(t, want).Requests[1].Body)
			for _, w := range append(c.want, `"excludeGroups": [`, `"a0000000-0000-4000-8000-000000000199"`, `"c1"`) {
				if !strings.Contains(body, w) {
					t.Errorf("got no %s in %s", w, body)
				}
			}
			applied(t, want)
		})
	}
}

func TestADayIsWrittenASecondShort(t *testing.T) {
	want := wanted(func(r *contract.Registrations) { r.APIs[1].Lifetime = 24 * time.Hour })
	if body := string(newTenant(t).diff(t, want).Requests[2].Body); !strings.Contains(body, `\"AccessTokenLifetime\":\"23:59:59\"`) {
		t.Errorf("got %s", body)
	}
	applied(t, want)
}

// entra-docs, developer-guide-conditional-access-authentication-context: who is left out of the policy gets the context.
func TestWhomAPolicyLeavesOutIsTold(t *testing.T) {
	change := newTenant(t).diff(t, wanted())
	if len(change.Notes) != 1 || !strings.Contains(change.Notes[0], "breakGlass") {
		t.Errorf("got %v", change.Notes)
	}
	want := wanted(func(r *contract.Registrations) { r.BreakGlass = "" })
	if change = newTenant(t).diff(t, want); len(change.Notes) != 0 || strings.Contains(string(change.Requests[1].Body), "exclude") {
		t.Errorf("got %v, %s", change.Notes, change.Requests[1])
	}
	applied(t, want)
}

func TestEachCloudHasItsOwnGraph(t *testing.T) {
	for cloud, want := range map[string]string{"global": "https://graph.microsoft.com", "usgov": "https://graph.microsoft.us", "china": "https://microsoftgraph.chinacloudapi.cn"} {
		if got := graph.Base(cloud); got != want {
			t.Errorf("%s: got %s, want %s", cloud, got, want)
		}
	}
}
