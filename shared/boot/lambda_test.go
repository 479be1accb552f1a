package boot

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/telemetry"
)

// onAWS is the environment of a function, changed by pairs of name and value; "-" removes.
func onAWS(t *testing.T, changes ...string) func(string) string {
	t.Helper()
	s := map[string]string{
		RuntimeAPI: "127.0.0.1:1", Contracts: estate(t, "http://127.0.0.1:1", "http://127.0.0.1:1"), Environment: "test", Region: "eu-central-1",
		AccessKey: "ASIAX", SecretKey: "hunter2", SessionToken: "session",
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if s[changes[i]] = changes[i+1]; changes[i+1] == "-" {
			delete(s, changes[i])
		}
	}
	return lookup(s)
}

func TestAFunctionStartsWithItsOwnSettings(t *testing.T) {
	for name, c := range map[string]struct {
		changes []string
		want    string // part of the error; "" for none
	}{
		"as AWS sets them":       {nil, ""},
		"without the host's":     {[]string{Port, "-"}, ""},
		"a stream":               {[]string{Stream, "true"}, ""},
		"policies":               {[]string{Authorizer, "policy"}, ""},
		"no runtime":             {[]string{RuntimeAPI, "-"}, RuntimeAPI},
		"no environment":         {[]string{Environment, "-"}, Environment},
		"neither true nor false": {[]string{Stream, "yes"}, Stream},
		"another authorizer":     {[]string{Authorizer, "iam"}, Authorizer},
		"a region that is none":  {[]string{Region, "evil.example/"}, Region},
		"STS in the clear":       {[]string{STS, "http://sts.example"}, STS},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := assemble(onAWS(t, c.changes...), OnLambda, io.Discard, io.Discard)
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2")) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAFunctionsContractsStandBesideItsBootstrap(t *testing.T) {
	c, err := configure(onAWS(t, Contracts, "-", TaskRoot, "/var/task"), OnLambda)
	if err != nil || c.Contracts != filepath.Join("/var/task", "contracts") {
		t.Errorf("got %q, %v, want /var/task/contracts", c.Contracts, err)
	}
}

// Where the address comes from depends on what is before the gateway; contracts are the same on both.
func TestTheClientsAddressIsReadWhereThePlatformSaysIt(t *testing.T) {
	for _, c := range []struct {
		on           Platform
		source, want string
	}{
		{OnAzure, contract.SourceHost, contract.SourceHost}, {OnLambda, contract.SourceHost, contract.SourceEvent},
		{OnLambda, contract.SourceEvent, contract.SourceEvent}, {OnLambda, contract.SourceFrontDoor, contract.SourceFrontDoor},
		{OnAzure, contract.SourceEvent, "refused"}, {OnLambda, "", ""},
	} {
		plan := &contract.Plan{ClientAddress: contract.ClientSource{Source: c.source}}
		err := settle(plan, c.on)
		if (err != nil) != (c.want == "refused") || err == nil && plan.ClientAddress.Source != c.want {
			t.Errorf("%s on %s: got %q, %v, want %q", c.source, c.on, plan.ClientAddress.Source, err, c.want)
		}
	}
}

// Nobody's calls for tables and events end with 503; the start says so first.
func TestAFunctionThatCanNotProveItselfDoesNotStart(t *testing.T) {
	none := func(string) string { return "" }
	tables := &contract.PlannedStore{Tables: "https://x.table.core.windows.net"}
	for title, c := range map[string]struct {
		plan   contract.Plan
		getenv func(string) string
		want   string
	}{
		"a store":                {contract.Plan{Store: tables}, none, "its tables"},
		"a store, and who it is": {contract.Plan{Store: &contract.PlannedStore{Identity: "id"}}, none, ""},
		"tables by a setting":    {contract.Plan{Store: tables}, func(string) string { return "UseDevelopmentStorage=true" }, ""},
		"events":                 {contract.Plan{Audit: contract.PlannedAudit{Logs: &contract.LogsSink{}}}, none, "where its events go"},
		"events, and who sends":  {contract.Plan{Audit: contract.PlannedAudit{EventHub: &contract.EventHub{}, Identity: "id"}}, none, ""},
		"nothing that asks who":  {contract.Plan{}, none, ""},
	} {
		err := provable(&c.plan, c.getenv)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", title, err, c.want)
		}
	}
}

// The whole way: the role's keys, AWS's statement, Entra's token. No secret of ours is in it.
func TestAFunctionProvesItselfByItsRole(t *testing.T) {
	var proved, asked url.Values
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=ASIAX/") || r.Header.Get("X-Amz-Security-Token") != "session" {
			t.Errorf("got %v, %v, want a signed request", r.Header, err)
		}
		asked = r.Form
		_, _ = io.WriteString(w, "<R><GetWebIdentityTokenResult><WebIdentityToken>a.b.c</WebIdentityToken><Expiration>"+
			time.Now().Add(5*time.Minute).UTC().Format(time.RFC3339)+"</Expiration></GetWebIdentityTokenResult></R>")
	}))
	defer aws.Close()
	entra := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.URL.Path != "/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token" {
			t.Errorf("got %s, %v, want the tenant's token endpoint", r.URL, err)
		}
		proved = r.Form
		_, _ = io.WriteString(w, `{"access_token":"t1","token_type":"Bearer","expires_in":3600}`)
	}))
	defer entra.Close()
	getenv := onAWS(t, STS, aws.URL, Contracts, estate(t, entra.URL, "http://127.0.0.1:1"))
	plan, err := Plan(getenv(Contracts), getenv(Environment))
	if err != nil {
		t.Fatal(err)
	}
	own, err := Outside{Getenv: getenv}.newRole(plan)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	own.sts.Transport = transport
	got, err := Outside{Getenv: getenv, Now: time.Now, role: own}.identity(transport, transport).Token(t.Context(), "app", "https://storage.azure.com/.default")
	if err != nil || got != "t1" || proved.Get("client_assertion") != "a.b.c" || proved.Get("client_id") != "app" || asked.Get("DurationSeconds") != "300" {
		t.Errorf("got %q, %v by %v and %v, want t1 by AWS's statement", got, err, proved, asked)
	}
}

// Before the next call is taken the process may be frozen for good.
func TestWhatWaitsIsOutWhenAnInvocationIsOver(t *testing.T) {
	got := make(chan string, 16)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Path }))
	defer collector.Close()
	var stdout strings.Builder
	f, err := function(onAWS(t, telemetry.Endpoint, collector.URL), &stdout, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Thawed() // leaves no connection behind
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/orders/42", nil)
	f.Gateway.ServeHTTP(httptest.NewRecorder(), r)
	if !strings.Contains(stdout.String(), "token_missing") {
		t.Errorf("got %q, want the event written with the answer", stdout.String())
	}
	if err := f.After(t.Context()); err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	for len(got) > 0 {
		paths[<-got] = true
	}
	if !paths["/v1/traces"] || !paths["/v1/metrics"] {
		t.Errorf("got %v at the collector, want traces and metrics", paths)
	}
}

func TestACollectorThatFailsIsLeftAloneForAWhile(t *testing.T) {
	asked := new(atomic.Int64)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(http.StatusBadRequest) }))
	defer collector.Close()
	f, err := function(onAWS(t, telemetry.Endpoint, collector.URL), io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Thawed()
	call := func() {
		f.Gateway.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/orders/42", nil))
	}
	call()
	if err := f.After(t.Context()); err == nil || !strings.Contains(err.Error(), "telemetry") {
		t.Errorf("got %v, want it told", err)
	}
	before := asked.Load()
	call()
	if err := f.After(t.Context()); err != nil || asked.Load() != before {
		t.Errorf("got %v and %d requests more, want none", err, asked.Load()-before)
	}
}
