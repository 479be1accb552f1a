package verify

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

type fault struct {
	name  string
	plant func(t *testing.T, w *world)
	fails []string
}

func at(path string, f http.HandlerFunc) func(*testing.T, *world) {
	return func(_ *testing.T, w *world) {
		w.before = func(out http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				f(out, r)
			}
			return r.URL.Path == path
		}
	}
}

// asIf lets the gateway behave as if a check were off: the caller gets a good token on the way.
func asIf(api string, off func(w *world, r *http.Request) bool) func(*testing.T, *world) {
	return func(_ *testing.T, w *world) {
		w.before = func(_ http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/"+api) && off(w, r) {
				w.let(r, api)
			}
			return false
		}
	}
}

const page = `{"ok":true}`

func faults() []fault {
	return append(append(faultsBehind(), faultsOfTokens()...), faultsBefore()...)
}

func faultsBehind() []fault {
	return []fault{
		{"a backend answers at its public name", func(t *testing.T, w *world) {
			w.serve(t, "stock.internal.contoso.example", "20.0.0.5", echo(), nil)
		}, []string{"backend/stock.internal.contoso.example"}},
		{"a backend answers 403, but not the platform's", func(t *testing.T, w *world) {
			w.serve(t, "stock.internal.contoso.example", "20.0.0.5", answer(403, page), nil)
		}, []string{"backend/stock.internal.contoso.example"}},
		{"a backend is reached, and asks for a certificate", func(t *testing.T, w *world) {
			w.serve(t, "ledger.internal.contoso.example", "20.0.0.5", echo(), func(c *tls.Config) { c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12 })
		}, []string{"backend/ledger.internal.contoso.example"}},
		{"storage answers", func(t *testing.T, w *world) {
			w.serve(t, account, "20.0.0.2", answer(200, `{"value":[]}`), nil)
		}, []string{"store/" + account}},
		{"storage looks at permissions", func(t *testing.T, w *world) {
			w.serve(t, account, "20.0.0.2", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "" {
					answer(401, `{"odata.error":{"code":"NoAuthenticationInformation"}}`)(out, r)
					return
				}
				answer(403, `{"odata.error":{"code":"AuthorizationPermissionMismatch"}}`)(out, r)
			}), nil)
		}, []string{"store/" + account}},
		{"the vault looks at permissions", func(t *testing.T, w *world) {
			w.serve(t, safe, "20.0.0.3", vault(403, `{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByRbac"}}}`), nil)
		}, []string{"vault/" + safe}},
		{"the vault answers", func(t *testing.T, w *world) {
			w.serve(t, safe, "20.0.0.3", vault(200, `{"value":[]}`), nil)
		}, []string{"vault/" + safe}},
		{"the function answers around Front Door", func(t *testing.T, w *world) {
			w.serve(t, function, "20.0.0.4", w.through(w.URL), nil)
		}, []string{"origin/" + function}},
		{"the function answers whoever sends Front Door's id", func(t *testing.T, w *world) {
			w.plan.ClientAddress = contract.ClientSource{Source: contract.SourceFrontDoor, FrontDoorID: "a-front-door"}
			w.serve(t, function, "20.0.0.4", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Azure-FDID") == "a-front-door" {
					w.through(w.URL).ServeHTTP(out, r)
					return
				}
				forbidden()(out, r)
			}), nil)
		}, []string{"origin/" + function}},
	}
}

func faultsOfTokens() []fault {
	return []fault{
		{"the audience isn't checked", asIf("catalog", func(w *world, r *http.Request) bool {
			_, aud, _ := payload(r)
			return aud != "" && !slices.Contains(w.apiOf("catalog").Accepts[0].Audiences, aud) && aud != w.apiOf("catalog").ClientID
		}), []string{"token/catalog/other"}},
		{"alg none is taken", asIf("catalog", func(_ *world, r *http.Request) bool {
			alg, _, _ := payload(r)
			return alg == "none"
		}), []string{"token/catalog/unsigned"}},
		{"signatures aren't checked", asIf("catalog", func(_ *world, r *http.Request) bool {
			alg, _, tail := payload(r)
			return alg == "RS256" && len(tail) > 0 && strings.Contains(r.Header.Get("Authorization"), base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"tollgate-verify"`))[:40])
		}), []string{"token/catalog/garbage"}},
		{"an operation is public that no contract calls so", asIf("invoices", func(_ *world, r *http.Request) bool {
			return r.URL.Path == "/invoices" && r.Header.Get("Authorization") == ""
		}), []string{"public/invoices/list"}},
		{"an API passes everything", func(t *testing.T, w *world) {
			w.before = func(out http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/stock/") {
					echo().ServeHTTP(out, r)
					return true
				}
				return false
			}
		}, []string{"public/stock/get", "token/stock/unsigned", "token/stock/garbage", "token/stock/other"}},
		{"spoofed identity headers reach the backend", at("/orders/health", func(out http.ResponseWriter, r *http.Request) { echo().ServeHTTP(out, r) }), []string{"identity/echo"}},
		{"the event names whom the caller named", func(_ *testing.T, w *world) {
			w.events = w.altered(func(e *audit.Event) { e.User = "spoofed-0123456789ab" })
		}, []string{"identity/event"}},
		{"the event knows a caller without a token", func(_ *testing.T, w *world) {
			w.events = w.altered(func(e *audit.Event) { e.User = "11111111-1111-1111-1111-111111111111" })
		}, []string{"identity/event"}},
		{"the event has the address that the caller made up", func(_ *testing.T, w *world) {
			w.events = w.altered(func(e *audit.Event) { e.Client = "192.0.2.79" })
		}, []string{"address/event"}},
	}
}

func (w *world) altered(change func(*audit.Event)) func(context.Context, []string) (map[string]audit.Event, error) {
	return func(ctx context.Context, ids []string) (map[string]audit.Event, error) {
		found, err := w.found(ctx, ids)
		for id, e := range found {
			change(&e)
			found[id] = e
		}
		return found, err
	}
}

func faultsBefore() []fault {
	return []fault{
		{"a reserved path is answered", at("/admin/functions", answer(200, `[]`)), []string{"reserved/admin/functions"}},
		{"a reserved path answers in its own words", at("/refresh", answer(404, `{"error":"no such job"}`)), []string{"reserved/refresh"}},
		{"a reserved path leads elsewhere", at("/gateway", func(out http.ResponseWriter, r *http.Request) {
			http.Redirect(out, r, "/orders/health", http.StatusFound)
		}), []string{"reserved/gateway"}},
		{"plain http is served", func(t *testing.T, w *world) {
			w.servePlain(t, "20.0.0.1", w.through(w.URL))
		}, []string{"transport/http"}},
		{"plain http shows a page", func(t *testing.T, w *world) {
			w.servePlain(t, "20.0.0.1", answer(200, page))
		}, []string{"transport/http"}},
		{"TLS 1.1 is spoken", func(t *testing.T, w *world) {
			w.serve(t, front, "20.0.0.1", http.HandlerFunc(w.public), func(c *tls.Config) { c.MinVersion = tls.VersionTLS10 })
		}, []string{"transport/tls"}},
		{"browsers aren't told to stay with https", func(_ *testing.T, w *world) { w.hsts = "" }, []string{"transport/hsts"}},
		{"another origin may read", func(_ *testing.T, w *world) {
			w.before = func(out http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodOptions {
					return false
				}
				out.Header().Set("Access-Control-Allow-Origin", "*")
				out.WriteHeader(http.StatusNoContent)
				return true
			}
		}, []string{"cors/orders"}},
		{"a path is answered that no contract has", func(_ *testing.T, w *world) {
			w.before = func(out http.ResponseWriter, r *http.Request) bool {
				found := strings.HasPrefix(r.URL.Path, "/tollgate-verify-")
				if found {
					answer(200, page)(out, r)
				}
				return found
			}
		}, []string{"routes/unknown"}},
		{"a method is taken that no contract has", at("/payments", answer(200, page)), []string{"routes/method"}},
	}
}
