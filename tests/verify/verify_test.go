package verify

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate/infra/verify"
	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/tests/lab"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func ids(r *verify.Report, o verify.Outcome) []string {
	var out []string
	for _, one := range r.Results {
		if one.Outcome == o {
			out = append(out, one.ID)
		}
	}
	return out
}

func why(r *verify.Report, id string) (verify.Outcome, string) {
	for _, one := range r.Results {
		if one.ID == id {
			return one.Outcome, one.Why
		}
	}
	return "", "there is no such result"
}

// payload is what a caller's token says of itself.
func payload(r *http.Request) (alg, aud, tail string) {
	parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		return "", "", ""
	}
	var header, claims struct{ Alg, Aud string }
	for i, into := range []any{&header, &claims} {
		text, _ := base64.RawURLEncoding.DecodeString(parts[i])
		_ = json.Unmarshal(text, into)
	}
	return header.Alg, claims.Aud, parts[2]
}

// let makes the gateway take the caller for somebody who may.
func (w *world) let(r *http.Request, api string) {
	raw, err := w.Issuer.Mint(issuer.Token{API: api, Roles: w.apiOf(api).Roles})
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+raw)
	}
}

func (w *world) apiOf(name string) *contract.PlannedAPI {
	for i := range w.plan.APIs {
		if w.plan.APIs[i].Name == name {
			return &w.plan.APIs[i]
		}
	}
	return nil
}

func TestEachFaultFailsItsProbeAndNoOther(t *testing.T) {
	l := lab.Hosted(t, filepath.Join(lab.Root(t), "contracts"), lab.StageApp(t))
	t.Run("an estate that is shut fails no probe", func(t *testing.T) { shutEstate(t, l) })
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			w := outside(t, l)
			f.plant(t, w)
			r := w.run(t)
			got := ids(r, verify.Failed)
			slices.Sort(got)
			slices.Sort(f.fails)
			if !slices.Equal(got, f.fails) {
				t.Errorf("got %v failed, want %v", got, f.fails)
				for _, id := range append(got, f.fails...) {
					o, y := why(r, id)
					t.Logf("%s: %s: %s", id, o, y)
				}
			}
		})
	}
	t.Run("what can't be told isn't shown", func(t *testing.T) { untold(t, l) })
}

func shutEstate(t *testing.T, l *lab.Lab) {
	w := outside(t, l)
	r := w.run(t)
	for _, one := range r.Results {
		if one.Outcome == verify.Failed {
			t.Errorf("%s failed: %s", one.ID, one.Why)
		}
		if one.Outcome == verify.Passed && one.ID != "gateway/answers" && len(one.Evidence) == 0 {
			t.Errorf("%s passed without evidence", one.ID)
		}
	}
	// payments takes POST only, and rates has only a key's operation for GET.
	want := []string{"token/payments/unsigned", "token/payments/garbage", "token/payments/other", "token/rates/unsigned", "token/rates/garbage", "token/rates/other"}
	if got := ids(r, verify.NotShown); !slices.Equal(got, want) {
		for _, id := range got {
			o, y := why(r, id)
			t.Logf("%s: %s: %s", id, o, y)
		}
		t.Errorf("got %v not shown, want %v", got, want)
	}
	if most := 6*len(w.plan.APIs) + 40; r.Requests > most {
		t.Errorf("got %d requests, want %d at the most", r.Requests, most)
	}
	var md bytes.Buffer
	machine, err := json.Marshal(r)
	if err := errors.Join(err, r.Markdown(&md)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(machine), md.String()} {
		if strings.Contains(text, "eyJ") || strings.Contains(text, bearer) {
			t.Error("the report holds a token")
		}
	}
	if again, err := verify.Parse(machine); err != nil || again.Count(verify.Passed, "") != r.Count(verify.Passed, "") {
		t.Errorf("got %v of the report that was written", err)
	}
	for _, e := range w.Backend.Requests() {
		if e.Method != http.MethodGet {
			t.Errorf("got a %s at the backend", e.Method)
		}
	}
}

// untold are worlds in which a probe can't know; none of its results may be a pass.
func untold(t *testing.T, l *lab.Lab) {
	for name, c := range map[string]struct {
		plant func(t *testing.T, w *world)
		ids   []string
	}{
		"no deployer's token": {func(_ *testing.T, w *world) { w.resource = nil }, []string{"vault/" + safe}},
		"a vault that doesn't take the token": {func(_ *testing.T, w *world) {
			w.resource = func(context.Context, string) (string, error) { return "another", nil }
		}, []string{"vault/" + safe}},
		"storage inside a network": {func(_ *testing.T, w *world) { w.names[account] = "10.1.0.7" }, []string{"store/" + account, "backend/orders.internal.contoso.example"}},
		"no tokens": {func(_ *testing.T, w *world) {
			w.tokenFor = func(context.Context, *contract.PlannedAPI) (string, error) { return "", errors.New("not signed in") }
		}, []string{"token/orders/other", "token/stock/other"}},
		"tokens that no API understands": {func(_ *testing.T, w *world) {
			w.tokenFor = func(context.Context, *contract.PlannedAPI) (string, error) { return "not.a.token", nil }
		}, []string{"token/orders/other", "token/stock/other"}},
		"no events": {func(_ *testing.T, w *world) { w.events = nil }, []string{"address/event", "identity/event"}},
		"an address that events keep out": {func(_ *testing.T, w *world) {
			w.events = w.altered(func(e *audit.Event) { e.Client, e.Pseudonyms = "k7q2m4", []string{"address"} })
		}, []string{"address/event"}},
		"an address that isn't there": {func(_ *testing.T, w *world) {
			w.events = w.altered(func(e *audit.Event) { e.Client = "" })
		}, []string{"address/event"}},
		"no echo":        {func(_ *testing.T, w *world) { w.options.Echo = "" }, []string{"identity/echo"}},
		"a silent echo":  {func(_ *testing.T, w *world) { w.options.Echo = "catalog/version" }, []string{"identity/echo"}},
		"the issuer out": {at("/stock/tollgate-verify", answer(503, page)), []string{"token/stock/unsigned", "token/stock/garbage", "token/stock/other", "public/stock/get"}},
		"a public backend": {func(_ *testing.T, w *world) {
			w.options.PublicBackends = map[string]bool{"shipments": true}
		}, []string{"backend/shipments.internal.contoso.example"}},
		"ports that the way out may close": {func(_ *testing.T, w *world) {
			w.names["stock.internal.contoso.example"] = "20.0.0.8"
			w.apiOf("stock").Backend.Targets[0].URL.Host = "stock.internal.contoso.example:8443"
			w.mute = map[string]bool{"20.0.0.8:8443": true, "20.0.0.1:80": true}
		}, []string{"backend/stock.internal.contoso.example:8443", "transport/http"}},
		"a backend's name of the platform, inside": {func(_ *testing.T, w *world) {
			w.names["app-stock.azurewebsites.net"] = "10.1.0.8"
			w.apiOf("stock").Backend.Targets[0].URL.Host = "app-stock.azurewebsites.net"
		}, []string{"backend/app-stock.azurewebsites.net"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := outside(t, l)
			c.plant(t, w)
			r := w.run(t)
			for _, id := range c.ids {
				if o, y := why(r, id); o != verify.NotShown || y == "" {
					t.Errorf("%s: got %s (%s), want it not shown, with a reason", id, o, y)
				}
			}
		})
	}
	t.Run("silence shows nothing where the gateway is silent too", func(t *testing.T) {
		w := outside(t, l)
		clear(w.at)
		clear(w.names)
		r := w.run(t)
		if passed := ids(r, verify.Passed); len(passed) > 0 || r.Reached {
			t.Errorf("got %v passed, want none", passed)
		}
	})
	t.Run("a backend whose public access is off passes", func(t *testing.T) {
		w := outside(t, l)
		w.serve(t, "stock.internal.contoso.example", "20.0.0.5", forbidden(), nil)
		if o, y := why(w.run(t), "backend/stock.internal.contoso.example"); o != verify.Passed {
			t.Errorf("got %s: %s", o, y)
		}
	})
	t.Run("a redirect of plain http to https passes", func(t *testing.T) {
		w := outside(t, l)
		w.servePlain(t, "20.0.0.1", http.RedirectHandler("https://"+front+"/", http.StatusMovedPermanently))
		if o, y := why(w.run(t), "transport/http"); o != verify.Passed {
			t.Errorf("got %s: %s", o, y)
		}
	})
	t.Run("the time for all probes bounds them", func(t *testing.T) {
		w := outside(t, l)
		w.options.Time = 1
		r := w.run(t)
		if passed := ids(r, verify.Passed); len(passed) > 0 {
			t.Errorf("got %v passed, want none", passed)
		}
	})
	t.Run("an origin is a host's name", func(t *testing.T) {
		w := outside(t, l)
		w.options.Origin = "https://" + function
		if _, err := verify.Run(t.Context(), &w.plan, w.options, verify.Outside{Resolve: w.resolve, Dial: w.dial, Now: now}, "x"); err == nil {
			t.Error("an address is taken for a host's name")
		}
	})
	t.Run("an interruption leaves no report", func(t *testing.T) {
		w := outside(t, l)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := verify.Run(ctx, &w.plan, w.options, verify.Outside{Resolve: w.resolve, Dial: w.dial, Now: now}, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// A contract that reads the address where callers can write it.
func TestAnAddressFromAHeaderIsFound(t *testing.T) {
	l := lab.InProcess(t, forwarded(t))
	w := outside(t, l)
	r := w.run(t)
	if got := ids(r, verify.Failed); !slices.Equal(got, []string{"address/event"}) {
		t.Errorf("got %v failed, want address/event", got)
	}
	if o, y := why(r, "address/event"); !strings.Contains(y, "192.0.2.77") {
		t.Errorf("got %s: %s", o, y)
	}
}

// Two APIs with one audience: a token for one opens the other.
func TestASharedAudienceIsFound(t *testing.T) {
	l := lab.InProcess(t, filepath.Join(lab.Root(t), "contracts"))
	w := outside(t, l)
	w.events = nil // there is no host here to say where calls come from
	w.tokenFor = func(_ context.Context, api *contract.PlannedAPI) (string, error) {
		if api.Name == "archive" {
			return l.Issuer.Mint(issuer.Token{API: "archive", Roles: api.Roles, Claims: map[string]any{"aud": l.API(t, "archive").ClientID}})
		}
		return "", errors.New("no")
	}
	api := w.apiOf("archive")
	moved := *api
	moved.Name = "attic"
	w.plan.APIs = append(slices.Clone(w.plan.APIs), moved)
	r := w.run(t)
	if got := ids(r, verify.Failed); !slices.Equal(got, []string{"token/attic/other"}) {
		t.Errorf("got %v failed, want token/attic/other", got)
	}
}
