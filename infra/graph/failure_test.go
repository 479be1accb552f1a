package graph_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/infra/graph"
	standin "tollgate/localrun/graph"
	"tollgate/shared/contract"
)

func TestGraphIsGivenTheTimeItAsksFor(t *testing.T) {
	want, n := wanted(), newTenant(t)
	change := n.diff(t, want)
	n.Fail(standin.Fault{Method: "PATCH", Status: 429, RetryAfter: "7", Times: 2})
	n.Fail(standin.Fault{Method: "POST", Path: "/v1.0/policies", Status: 429, RetryAfter: "86400", Times: 1})
	if outcome, err := n.Apply(t.Context(), want, change); err != nil {
		t.Fatalf("%v\n%s", err, outcome)
	}
	if !slices.Equal(n.waits, []time.Duration{7 * time.Second, 7 * time.Second, 2 * time.Minute}) {
		t.Errorf("got pauses %v", n.waits)
	}
}

func TestItStopsAtTheFirstFailureAndSaysWhatWasDone(t *testing.T) {
	want, n := wanted(), newTenant(t)
	change := n.diff(t, want)
	n.Fail(standin.Fault{Method: "POST", Path: "/v1.0/identity", Status: 429, RetryAfter: "1", Times: 6})
	outcome, err := n.Apply(t.Context(), want, change)
	if err == nil || !strings.Contains(err.Error(), "has too much to do (429 planted)") {
		t.Fatalf("got %v", err)
	}
	if len(outcome.Done) != 1 || outcome.Failed == nil || outcome.Failed.Method != "POST" || len(outcome.Left) != len(change.Requests)-2 {
		t.Errorf("got %s", outcome)
	}
	for _, said := range []string{"done: 1\n  PATCH ", "failed:\n  POST ", "not done: 2\n"} {
		if !strings.Contains(outcome.String(), said) {
			t.Errorf("got no %q in\n%s", said, outcome)
		}
	}
	// What was done is kept, and a new plan begins there.
	if outcome, err = n.Apply(t.Context(), want, n.diff(t, want)); err != nil || len(outcome.Done) != len(change.Requests)-1 {
		t.Errorf("got %v\n%s", err, outcome)
	}
}

// A deployer's missing permission is named, so that an administrator knows what to grant.
func TestAMissingPermissionIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		held []string
		want string
	}{
		"reading": {[]string{"Policy.ReadWrite.ConditionalAccess"}, "read authentication contexts: Graph refused (403 Authorization_RequestDenied): Insufficient privileges to complete the operation.; whoever deploys needs the permission Policy.Read.All,"},
		"reading assignments": {[]string{"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"},
			"read the lifetime policy of payments: Graph refused (403 Authorization_RequestDenied): Insufficient privileges to complete the operation.; whoever deploys needs the permission Policy.Read.All and Application.Read.All,"},
		"contexts":    {[]string{"Policy.Read.All", "Application.Read.All"}, "whoever deploys needs the permission Policy.ReadWrite.ConditionalAccess,"},
		"policies":    {[]string{"Policy.Read.All", "Policy.Read.ConditionalAccess", "Application.Read.All", "AuthenticationContext.ReadWrite.All"}, "the permission Policy.ReadWrite.ConditionalAccess, Policy.Read.All and Application.Read.All,"},
		"lifetimes":   {[]string{"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.ReadWrite.All"}, "the permission Policy.ReadWrite.ApplicationConfiguration,"},
		"assignments": {[]string{"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Policy.ReadWrite.ApplicationConfiguration", "Application.Read.All"}, "the permission Application.ReadWrite.All (or Application.ReadWrite.OwnedBy, as an owner) and Policy.Read.All,"},
	} {
		t.Run(name, func(t *testing.T) {
			want, n := wanted(), newTenant(t)
			change := n.diff(t, want)
			n.Grant("deployer", c.held...)
			if _, err := n.Apply(t.Context(), want, change); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestATokenThatIsNotTakenSaysToSignIn(t *testing.T) {
	n := newTenant(t)
	n.Client.Token = func(context.Context) (string, error) { return "stale", nil }
	if _, err := n.Read(t.Context(), wanted()); err == nil || !strings.Contains(err.Error(), "sign in again") || strings.Contains(err.Error(), "stale") {
		t.Errorf("got %v", err)
	}
	n.Client.Token = func(context.Context) (string, error) { return "", errors.New("az: not signed in") }
	if _, err := n.Read(t.Context(), wanted()); err == nil || !strings.Contains(err.Error(), "sign in for Graph: az: not signed in") {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsSentBeforeTheRegistrationsAreThere(t *testing.T) {
	want := wanted(func(r *contract.Registrations) { r.APIs[1].ClientID = "" })
	n := newTenant(t)
	change := n.diff(t, want)
	if text := lines(change); !strings.Contains(text, "{clientId.payments}") {
		t.Errorf("the plan shows\n%s", text)
	}
	if outcome, err := n.Apply(t.Context(), want, change); err == nil || len(n.Seen()) != 0 || len(outcome.Left) != len(change.Requests) {
		t.Errorf("got %v, %v", err, n.Seen())
	}
	// What was shown before the deployment is what is sent after it.
	made := graph.Want(registrations(func(r *contract.Registrations) { r.APIs[1].ClientID = "" }), map[string]string{"payments": paymentsID}, graph.Options{})
	if outcome, err := n.Apply(t.Context(), made, change); err != nil {
		t.Errorf("%v\n%s", err, outcome)
	}
}

// A lost answer to a POST: what was created is found by the next plan, and isn't created twice.
func TestAnAnswerThatIsLostMakesNoSecondPolicy(t *testing.T) {
	want, n := wanted(), newTenant(t)
	change := n.diff(t, want)
	n.Fail(standin.Fault{Method: "POST", Path: "/v1.0/identity", Status: 503, Times: 1, Done: true})
	outcome, err := n.Apply(t.Context(), want, change)
	if err == nil || outcome.Failed == nil {
		t.Fatalf("got %v", err)
	}
	if outcome, err = n.Apply(t.Context(), want, n.diff(t, want)); err != nil {
		t.Fatalf("%v\n%s", err, outcome)
	}
	n.Change("policies", func(all map[string]thing) {
		if len(all) != 1 {
			t.Errorf("got %d policies", len(all))
		}
	})
}

// Graph's replicas lag: what was made a moment ago may not be found yet.
func TestWhatIsNotFoundYetIsWaitedFor(t *testing.T) {
	want, n := wanted(), newTenant(t)
	change := n.diff(t, want)
	n.Fail(standin.Fault{Method: "POST", Path: "/v1.0/applications", Status: 404, Times: 2})
	if outcome, err := n.Apply(t.Context(), want, change); err != nil || len(n.waits) != 2 {
		t.Errorf("%v, pauses %v\n%s", err, n.waits, outcome)
	}
}

// meddler changes things back after each request that changed them.
type meddler struct {
	http.RoundTripper
	n *tenant
}

func (m meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.RoundTripper.RoundTrip(r)
	if r.Method == http.MethodPost {
		inEntra("policies", func(o thing) { o["state"] = "disabled" })(m.n)
	}
	return resp, err
}

func TestGraphMustHoldWhatItWasTold(t *testing.T) {
	want, n := wanted(), newTenant(t)
	change := n.diff(t, want)
	n.Transport = meddler{n.Transport, n}
	outcome, err := n.Apply(t.Context(), want, change)
	if err == nil || !strings.Contains(err.Error(), "still doesn't hold what it was told") || len(outcome.Left) != 0 {
		t.Errorf("got %v\n%s", err, outcome)
	}
}

// answering gives one answer to everything, and remembers where requests went.
type answering struct {
	status int
	body   string
	header http.Header
	hosts  *[]string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	*a.hosts = append(*a.hosts, r.URL.Host)
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

// The token is for Graph alone.
func TestTheTokenGoesNowhereElse(t *testing.T) {
	for name, a := range map[string]answering{
		"a next page elsewhere":  {status: 200, body: `{"value":[],"@odata.nextLink":"https://evil.invalid/v1.0/x"}`},
		"one that begins alike":  {status: 200, body: `{"value":[],"@odata.nextLink":"https://graph.invalid.evil.invalid/x"}`},
		"a redirect":             {status: 302, header: http.Header{"Location": {"https://evil.invalid/"}}},
		"a page that isn't JSON": {status: 200, body: "<html>"},
		"a list that is none":    {status: 200, body: `{"value":{}}`},
		"a list of texts":        {status: 200, body: `{"value":["x"]}`},
		"an answer without end":  {status: 200, body: strings.Repeat(" ", 17<<20)},
		"a list without end":     {status: 200, body: `{"value":[],"@odata.nextLink":"https://graph.invalid/v1.0/x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			hosts := []string{}
			a.hosts = &hosts
			n := newTenant(t)
			n.Transport = a
			if _, err := n.Read(t.Context(), wanted()); err == nil {
				t.Error("got no error")
			}
			if slices.ContainsFunc(hosts, func(h string) bool { return h != "graph.invalid" }) || len(hosts) > 100 {
				t.Errorf("got %d requests, the last to %s", len(hosts), hosts[len(hosts)-1])
			}
		})
	}
}

func TestAnInterruptEndsAPause(t *testing.T) {
	want, n := wanted(), newTenant(t)
	change := n.diff(t, want)
	n.Fail(standin.Fault{Method: "PATCH", Status: 429, RetryAfter: "60", Times: 1})
	ctx, cancel := context.WithCancel(t.Context())
	n.Wait = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	outcome, err := n.Apply(ctx, want, change)
	if !errors.Is(err, context.Canceled) || len(outcome.Done) != 0 || len(outcome.Left) != len(change.Requests)-1 {
		t.Errorf("got %v\n%s", err, outcome)
	}
}

func TestWhatIsGoneAlreadyNeedsNoRemoval(t *testing.T) {
	n := applied(t, wanted())
	nothing := wanted().Nothing()
	change := n.diff(t, nothing)
	n.Fail(standin.Fault{Method: "DELETE", Status: 404, Times: 1, Done: true})
	if outcome, err := n.Apply(t.Context(), nothing, change); err != nil || len(outcome.Done) != len(change.Requests) {
		t.Errorf("%v\n%s", err, outcome)
	}
}

func TestATokenIsNotSentInTheClear(t *testing.T) {
	n := newTenant(t)
	n.Client.Address = "http://graph.invalid"
	if _, err := n.Read(t.Context(), wanted()); err == nil || !strings.Contains(err.Error(), "is plain http") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoIDIsNotSent(t *testing.T) {
	n := newTenant(t)
	want := graph.Want(registrations(), map[string]string{"payments": "x')/owners('y"}, graph.Options{})
	change := graph.Diff(want, &graph.State{})
	if _, err := n.Apply(t.Context(), want, change); err == nil || !strings.Contains(err.Error(), "is no id (a GUID)") || len(n.Seen()) != 0 {
		t.Errorf("got %v", err)
	}
}
