package infra

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tollgate/infra/guard"
	"tollgate/localrun/issuer"
	"tollgate/tests/lab"
	"tollgate/tests/need"
	"tollgate/tests/terraform"
)

// The rules of a private environment hold for staging as well, and dev is held to the others.
func TestTheEnvironmentsAreShut(t *testing.T) {
	terraform.Mirror(t)
	for environment, private := range map[string]bool{"prod": true, "staging": true, "dev": false} {
		t.Run(environment, func(t *testing.T) {
			slot(t)
			plan := at(t, environment).plan(t, example(t))
			for _, f := range guard.Check(plan, guard.Facts{Private: private}) {
				t.Error(f)
			}
			if got := plan.PlannedValues.Outputs["private"].Value; got != private {
				t.Errorf("the output private is %v, want %v", got, private)
			}
			text, err := json.Marshal(plan)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"BEGIN PRIVATE KEY", "AccountKey=", "SharedAccessKey=", "client_secret"} {
				if strings.Contains(string(text), secret) {
					t.Errorf("the plan holds %q", secret)
				}
			}
		})
	}
}

// The ids that the directory gives reach the gateway: a token for what was created is let in, in
// both versions, and one for an id that nobody has isn't.
func TestATokenForWhatWasCreatedIsLetIn(t *testing.T) {
	terraform.Mirror(t)
	p := at(t, "dev")
	p.plan(t, example(t))
	p.apply(t)
	outputs, err := p.tf.Output(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var bindings struct {
		ClientID map[string]string `json:"clientId"`
		Client   map[string]string `json:"client"`
	}
	if err := json.Unmarshal(outputs["bindings"].Value, &bindings); err != nil {
		t.Fatal(err)
	}
	l := lab.Registered(t, need.Root(t)+"/contracts", bindings.ClientID, bindings.Client)
	for i := range l.Local.Plan.APIs {
		api := &l.Local.Plan.APIs[i]
		if bindings.ClientID[api.Name] == "" || api.ClientID != bindings.ClientID[api.Name] {
			t.Errorf("%s: the gateway takes the id %q, created was %q", api.Name, api.ClientID, bindings.ClientID[api.Name])
		}
	}
	orders := l.API(t, "orders")
	for version, audience := range map[string]string{"v1": orders.Audience, "v2": orders.ClientID} {
		good := issuer.Token{API: "orders", Version: version, Roles: []string{"DataReader"}}
		if status := call(t, l, l.Token(t, good)); status != http.StatusOK {
			t.Errorf("%s, aud %s: got %d, want 200", version, audience, status)
		}
		good.Claims = map[string]any{"aud": "0f9c1c2e-0000-4000-8000-000000000000"}
		if status := call(t, l, l.Token(t, good)); status != http.StatusUnauthorized {
			t.Errorf("%s for an id that nobody has: got %d, want 401", version, status)
		}
	}
	// payments lists its client, by the id that this got.
	for client, want := range map[string]int{bindings.Client["billing-batch"]: http.StatusOK, bindings.Client["reporting"]: http.StatusForbidden} {
		pays := issuer.Token{API: "payments", Roles: []string{"Payments.Create"}, Client: client, Claims: map[string]any{"azpacr": "2"}}
		if status := ask(t, l, http.MethodPost, "/payments", l.Token(t, pays)); status != want {
			t.Errorf("the client %s pays: got %d, want %d", client, status, want)
		}
	}
}

func call(t *testing.T, l *lab.Lab, token string) int {
	t.Helper()
	return ask(t, l, http.MethodGet, "/orders", token)
}

func ask(t *testing.T, l *lab.Lab, method, path, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, l.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}
