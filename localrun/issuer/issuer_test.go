package issuer_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tollgate/localrun/issuer"
)

const (
	home     = "11111111-1111-1111-1111-11111111aaaa"
	other    = "22222222-2222-2222-2222-222222222222"
	ordersID = "0f9c1c2e-0000-4000-8000-0000000000aa"
	stockID  = "0f9c1c2e-0000-4000-8000-0000000000bb"
	partner  = "33333333-0000-4000-8000-000000000001"
	daemon   = "33333333-0000-4000-8000-000000000002"
	alice    = "44444444-0000-4000-8000-000000000001"

	ordersURI = "api://" + home + "/orders"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func options() issuer.Options {
	return issuer.Options{
		Tenants: []string{home, other},
		APIs: []issuer.API{
			{Name: "orders", AppIDURI: ordersURI, ClientID: ordersID, Scopes: []string{"Orders.Read", "Orders.Write"}, Roles: []string{"DataReader", "DataWriter"}},
			{Name: "stock", ClientID: stockID},
		},
		Clients: []issuer.Client{
			{Name: "partner", ID: partner, Secret: "s3cret+/", Roles: map[string][]string{"orders": {"DataReader"}}},
			{Name: "daemon", ID: daemon},
		},
		Now: noon,
	}
}

// stand is a running issuer and a client of it.
type stand struct {
	*issuer.Issuer
	url    string
	client *http.Client
}

func start(t *testing.T) stand {
	t.Helper()
	i, err := issuer.New(options())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.SetBaseURL(server.URL)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return stand{i, server.URL, client}
}

func (s stand) mint(t *testing.T, ask issuer.Token) string {
	t.Helper()
	text, err := s.Mint(ask)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// call sends a request and returns the status and the body as JSON members.
func (s stand) call(t *testing.T, method, path, body string, header http.Header) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header.Clone()
	if host := header.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatalf("%s %s answered %d %q: %v", method, path, response.StatusCode, text, err)
		}
	}
	return response.StatusCode, members
}

func (s stand) form(t *testing.T, path string, form url.Values, header http.Header) (int, map[string]any) {
	t.Helper()
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.call(t, "POST", path, form.Encode(), header)
}

// parts decodes a token without verifying it.
func parts(t *testing.T, text string) (header, claims map[string]any, signature []byte) {
	t.Helper()
	segments := strings.Split(text, ".")
	if len(segments) != 3 {
		t.Fatalf("got %d segments, want 3", len(segments))
	}
	decoded := make([][]byte, 3)
	for at, segment := range segments {
		var err error
		if decoded[at], err = base64.RawURLEncoding.Strict().DecodeString(segment); err != nil {
			t.Fatal(err)
		}
	}
	for at, into := range []*map[string]any{&header, &claims} {
		if err := json.Unmarshal(decoded[at], into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims, decoded[2]
}

func TestNewNamesEveryFaultInItsOptions(t *testing.T) {
	_, err := issuer.New(issuer.Options{
		Tenants: []string{"contoso", home, strings.ToUpper(home)},
		APIs:    []issuer.API{{Name: "orders", ClientID: ordersID}, {Name: "orders", ClientID: stockID}, {Name: "nameless"}},
		Clients: []issuer.Client{
			{ID: partner, Roles: map[string][]string{"ordres": {"X"}}},
			{ID: partner, Roles: map[string][]string{"orders": {"X"}}}, {},
		},
	})
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{
		`tenant "contoso" is not a GUID`, "is listed twice", `apis "orders" and "orders" share`, `"nameless" () needs`,
		`unknown api "ordres"; known: orders`, `role "X" is not declared by api "orders"; known: none`, "is registered twice", "has no ID",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to contain %q", err, want)
		}
	}
	if _, err := issuer.New(issuer.Options{}); err == nil || !strings.Contains(err.Error(), "at least one tenant") {
		t.Errorf("got %v, want at least one tenant", err)
	}
}

func TestWithoutABaseURLNothingIsServedOrMinted(t *testing.T) {
	i, err := issuer.New(options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Mint(issuer.Token{API: "orders"}); err == nil || !strings.Contains(err.Error(), "no base URL") {
		t.Errorf("got %v, want no base URL", err)
	}
	w := httptest.NewRecorder()
	i.ServeHTTP(w, httptest.NewRequest("GET", "/"+home+"/discovery/keys", nil))
	if w.Code != 500 {
		t.Errorf("status: got %d, want 500", w.Code)
	}
}

func TestDiscoveryHoldsWhatEntrasDoes(t *testing.T) {
	s := start(t)
	for path, want := range map[string]map[string]any{
		"": {
			"issuer": s.url + "/" + home + "/", "jwks_uri": s.url + "/" + home + "/discovery/keys",
			"token_endpoint":         s.url + "/" + home + "/oauth2/token",
			"authorization_endpoint": s.url + "/" + home + "/oauth2/authorize",
		},
		"/v2.0": {
			"issuer": s.url + "/" + home + "/v2.0", "jwks_uri": s.url + "/" + home + "/discovery/v2.0/keys",
			"token_endpoint":         s.url + "/" + home + "/oauth2/v2.0/token",
			"authorization_endpoint": s.url + "/" + home + "/oauth2/v2.0/authorize",
		},
	} {
		// A tenant in capitals is the same tenant, and its issuer is in small letters.
		status, got := s.call(t, "GET", "/"+strings.ToUpper(home)+path+"/.well-known/openid-configuration", "", nil)
		want["cloud_instance_name"] = "microsoftonline.com"
		want["id_token_signing_alg_values_supported"] = []any{"RS256"}
		want["subject_types_supported"] = []any{"pairwise"}
		for name, value := range want {
			if diff := cmp.Diff(value, got[name]); diff != "" || status != 200 {
				t.Errorf("%s, status %d: %s (-want +got):\n%s", path, status, name, diff)
			}
		}
	}
}

func TestAnUnknownTenantIsRefusedInEntrasForm(t *testing.T) {
	s := start(t)
	unknown := "99999999-9999-9999-9999-999999999999"
	for _, request := range []string{
		"GET /.well-known/openid-configuration", "GET /v2.0/.well-known/openid-configuration",
		"GET /discovery/keys", "GET /discovery/v2.0/keys", "POST /oauth2/token", "POST /oauth2/v2.0/token",
	} {
		method, path, _ := strings.Cut(request, " ")
		status, got := s.call(t, method, "/"+unknown+path, "", nil)
		description, _ := got["error_description"].(string)
		if status != 400 || got["error"] != "invalid_tenant" || !strings.HasPrefix(description, "AADSTS90002: ") {
			t.Errorf("%s: got %d %v", request, status, got)
		}
		for _, member := range []string{"error_codes", "timestamp", "trace_id", "correlation_id"} {
			if got[member] == nil {
				t.Errorf("%s: got no %s", request, member)
			}
		}
	}
}

func TestFetchesAreCountedByWhatWasAskedFor(t *testing.T) {
	s := start(t)
	s.call(t, "GET", "/"+home+"/.well-known/openid-configuration", "", nil)
	s.call(t, "GET", "/"+home+"/v2.0/.well-known/openid-configuration", "", nil)
	s.call(t, "GET", "/"+other+"/discovery/v2.0/keys", "", nil)
	s.form(t, "/"+home+"/oauth2/v2.0/token", nil, nil)
	if diff := cmp.Diff(map[string]int{"discovery": 2, "keys": 1, "token": 1}, s.Fetches()); diff != "" {
		t.Errorf("fetches (-want +got):\n%s", diff)
	}
}
