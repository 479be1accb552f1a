package issuer_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheControlEndpointMintsWhatIsAskedFor(t *testing.T) {
	s := start(t)
	status, got := s.call(t, "POST", "/_control/token", `{"api":"orders","scopes":["Orders.Read"],"lifetime":"10m","claims":{"acrs":["c1"],"rh":null}}`, nil)
	if status != 200 || got["token_type"] != "Bearer" || got["expires_in"] != 600.0 {
		t.Fatalf("got %d %v", status, got)
	}
	text := got["access_token"].(string)
	if _, err := s.verifier(t, s.url+"/"+home+"/v2.0", ordersID).Verify(t.Context(), text); err != nil {
		t.Error(err)
	}
	_, claims, _ := parts(t, text)
	if _, there := claims["rh"]; there || claims["scp"] != "Orders.Read" || claims["acrs"] == nil {
		t.Errorf("claims: got %v", claims)
	}
}

func TestTheControlEndpointsAreStrict(t *testing.T) {
	s := start(t)
	for name, test := range map[string]struct{ path, body, want string }{
		"an unknown field":          {"token", `{"api":"orders","rols":["x"]}`, `unknown field "rols"`},
		"trailing bytes":            {"token", `{"api":"orders"}}`, "behind the JSON value"},
		"an unknown API":            {"token", `{"api":"ordres"}`, "known: orders, stock"},
		"an undeclared role":        {"token", `{"api":"orders","roles":["x"]}`, "known: DataReader, DataWriter"},
		"an undeclared scope":       {"token", `{"api":"orders","scopes":["x"]}`, "known: Orders.Read, Orders.Write"},
		"a lifetime without a unit": {"token", `{"api":"orders","lifetime":"75"}`, "missing unit"},
		"no body":                   {"token", ``, "EOF"},
		"an oversized body":         {"token", `{"api":"` + strings.Repeat("x", 2<<20) + `"}`, "too large"},
		"rotate: an unknown field":  {"rotate", `{"keep":true}`, `unknown field "keep"`},
		"rotate: an unknown tenant": {"rotate", `{"tenant":"x"}`, "known: " + home},
		"fault: an unknown field":   {"fault", `{"kinds":"slow"}`, `unknown field "kinds"`},
		"fault: an unknown kind":    {"fault", `{"kind":"slwo"}`, "known: status, slow"},
		"fault: an unknown place":   {"fault", `{"kind":"slow","on":"token"}`, "known: discovery, keys"},
		"fault: a status of nobody": {"fault", `{"kind":"status","status":99}`, "from 200 to 599"},
		"fault: an issuer of keys":  {"fault", `{"kind":"issuer","on":"keys"}`, "discovery only"},
		"fault: a time gone by":     {"fault", `{"kind":"slow","delay":"-1s"}`, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			status, got := s.call(t, "POST", "/_control/"+test.path, test.body, nil)
			if text, _ := got["error_description"].(string); status != 400 || !strings.Contains(text, test.want) {
				t.Errorf("got %d %v, want 400 with %q", status, got, test.want)
			}
		})
	}
	if status, got := s.call(t, "POST", "/_control/token", `{"api":"orders","roles":["x"],"undeclared":true}`, nil); status != 200 {
		t.Errorf("undeclared: got %d %v, want 200", status, got)
	}
}

func TestAWebPageCannotUseTheControlEndpoints(t *testing.T) {
	s := start(t)
	for _, endpoint := range []string{
		"POST /_control/token", "POST /_control/rotate", "POST /_control/fault", "DELETE /_control/fault",
		"GET /_control/fetches", "GET /_control",
	} {
		method, path, _ := strings.Cut(endpoint, " ")
		for name, header := range map[string]http.Header{
			"a page's post":         {"Origin": {"https://evil.example"}},
			"a sandboxed page":      {"Origin": {"null"}},
			"a page of our own":     {"Origin": {s.url}},
			"an empty origin":       {"Origin": {""}},
			"a rebound name":        {"Host": {"evil.example:4001"}},
			"a name like ours":      {"Host": {"127.0.0.1.evil.example"}},
			"a subdomain of ours":   {"Host": {"evil.localhost.example"}},
			"another address":       {"Host": {"10.0.0.1"}},
			"the any address":       {"Host": {"0.0.0.0:4001"}},
			"another IPv6 address":  {"Host": {"[fe80::1]:4001"}},
			"a number for loopback": {"Host": {"2130706433"}},
		} {
			if status, got := s.call(t, method, path, `{"api":"orders"}`, header); status != 403 {
				t.Errorf("%s, %s: got %d %v, want 403", endpoint, name, status, got)
			}
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:4001", "127.0.0.1", "127.9.9.9:80", "[::1]:4001", "[::1]", "[::ffff:127.0.0.1]:1"} {
		if status, got := s.call(t, "GET", "/_control", "", http.Header{"Host": {host}}); status != 200 {
			t.Errorf("%s: got %d %v, want 200", host, status, got)
		}
	}
}

func TestTheSummarySaysWhatCanBeAskedForAndNoSecret(t *testing.T) {
	s := start(t)
	_, got := s.call(t, "GET", "/_control", "", nil)
	want := map[string]any{
		"tenants": []any{home, other},
		"apis": []any{
			map[string]any{
				"name": "orders", "appIdUri": ordersURI, "clientId": ordersID,
				"scopes": []any{"Orders.Read", "Orders.Write"}, "roles": []any{"DataReader", "DataWriter"},
			},
			map[string]any{"name": "stock", "appIdUri": "", "clientId": stockID, "scopes": []any{}, "roles": []any{}},
		},
		"clients": []any{
			map[string]any{"name": "partner", "id": partner, "roles": map[string]any{"orders": []any{"DataReader"}}},
			map[string]any{"name": "daemon", "id": daemon, "roles": map[string]any{}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestTheControlEndpointsRotateFailHealAndCount(t *testing.T) {
	s := start(t)
	_, got := s.call(t, "POST", "/_control/rotate", `{"tenant":"`+home+`","keepOld":false}`, nil)
	if diff := cmp.Diff([]string{got["kid"].(string)}, s.kids(t, home)); diff != "" {
		t.Errorf("kids (-want +got):\n%s", diff)
	}
	keys := "/" + home + "/discovery/v2.0/keys"
	if status, _ := s.call(t, "POST", "/_control/fault", `{"on":"keys","kind":"redirect","delay":"1ms"}`, nil); status != 204 {
		t.Fatalf("fault: got %d, want 204", status)
	}
	if status, _ := s.status(t, keys); status != 302 {
		t.Errorf("with the fault: got %d, want 302", status)
	}
	if status, _ := s.call(t, "DELETE", "/_control/fault", "", nil); status != 204 {
		t.Fatalf("heal: got %d, want 204", status)
	}
	if status, _ := s.status(t, keys); status != 200 {
		t.Errorf("healed: got %d, want 200", status)
	}
	_, got = s.call(t, "GET", "/_control/fetches", "", nil)
	if diff := cmp.Diff(map[string]any{"discovery": 0.0, "keys": 3.0, "token": 0.0}, got); diff != "" {
		t.Errorf("fetches (-want +got):\n%s", diff)
	}
}
