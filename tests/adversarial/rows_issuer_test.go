package adversarial

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
)

// raw is JSON as it stands.
func raw(text string) json.RawMessage { return json.RawMessage(text) }

// audiences: cases 31, 32, 34.
func audiences(b *bench) (rows []row) {
	orders := b.API(b.t, "orders")
	for name, aud := range map[string]any{
		"absent": nil, "null": raw("null"), "empty": "", "an empty list": []string{}, "a number": 5, "an object": raw(`{"aud":1}`), "true": true,
		"a list with a number in it": []any{orders.ClientID, 5}, "a list with null in it": []any{nil, orders.ClientID}, "a list in a list": []any{[]any{orders.ClientID}},
	} {
		rows = append(rows, row{id: "B32", name: "aud " + name, request: read(b.user(map[string]any{"aud": aud})), want: "401 wrong_audience"})
	}
	for _, aud := range []string{
		orders.ClientID + "/", " " + orders.ClientID, orders.ClientID + " ", strings.ToUpper(orders.ClientID), orders.ClientID[1:], orders.ClientID[:35], orders.ClientID + ".evil",
		orders.Audience, "spn:" + orders.ClientID, "*", orders.ClientID + " " + orders.ClientID, orders.ClientID + "," + orders.ClientID,
	} {
		rows = append(rows, row{id: "B34", name: fmt.Sprintf("the v2 audience %q", aud), request: read(b.user(map[string]any{"aud": aud})), want: "401 wrong_audience"})
	}
	for _, aud := range []string{orders.Audience + "/", strings.ToUpper(orders.Audience), orders.Audience + ".evil", orders.Audience[:len(orders.Audience)-1], "x" + orders.Audience, strings.TrimPrefix(orders.Audience, "api://")} {
		rows = append(rows, row{id: "B34", name: fmt.Sprintf("the audience %q", aud), request: read(b.hand(b.payload(map[string]any{"aud": aud}))), want: "401 wrong_audience"})
	}
	return append(rows,
		row{id: "B31", name: "a token for another API of the tenant", request: read(b.mint(issuer.Token{API: "manage", Scopes: []string{"orders.read"}, Undeclared: true})), want: "401 wrong_audience"},
		row{id: "B31", name: "another API's token by another issuer", request: read(b.hand(b.payload(map[string]any{"aud": b.API(b.t, "manage").Audience}))), want: "401 wrong_audience"},
		row{id: "B34", name: "ours among several, the control", request: read(b.user(map[string]any{"aud": []string{"api://other", orders.ClientID}})), want: "200"},
	)
}

// issuers: cases 35, 37.
func issuers(b *bench) (rows []row) {
	home, partner := estate.Tenant(), estate.GUID("tenant", "partner")
	at := func(tenant string) string { return b.Local.Plan.SignIn + "/" + tenant + "/v2.0" }
	to := func(api, tenant string, claims map[string]any) string {
		return bearing("GET /"+api+"/1", b.mint(issuer.Token{API: api, Tenant: tenant, Scopes: []string{api + ".read"}, Claims: claims}))
	}
	for _, iss := range []any{nil, "", 5, raw("null"), []string{at(home)}, at(home) + "/", strings.ToUpper(at(home)), " " + at(home), at("{tenantid}"), at("common"), at("organizations"), at("../" + home), at(home) + "#", "https://login.microsoftonline.com/" + home + "/v2.0", "https://evil.example", b.forge.url + "/"} {
		rows = append(rows, row{id: "B35", name: fmt.Sprintf("iss %v", clipped(iss, b)), request: read(b.user(map[string]any{"iss": iss})), want: "401 issuer_not_trusted"})
	}
	return append(rows,
		row{id: "B35", name: "a v1 token where only v2 is accepted", request: read(b.mint(issuer.Token{API: "orders", Version: "v1", Scopes: []string{"orders.read"}})), want: "401 issuer_not_trusted"},
		row{id: "B35", name: "a v1 iss in a v2 token", request: read(b.user(map[string]any{"iss": b.Local.Plan.SignIn + "/" + home + "/"})), want: "401 issuer_not_trusted"},
		row{id: "B35", name: "ver 1.0 under a v2 iss", request: read(b.user(map[string]any{"ver": "1.0"})), want: "401 tenant_mismatch"},
		row{id: "B35", name: "an issuer that this API doesn't name", request: to("partners", home, map[string]any{"iss": b.forge.url}), want: "401 issuer_not_trusted"},
		row{id: "B37", name: "the home tenant, the control", request: to("partners", home, nil), want: "200"},
		row{id: "B37", name: "the partner tenant, the control", request: to("partners", partner, nil), want: "200"},
		row{id: "B37", name: "iss of the partner, tid of the home tenant", request: to("partners", partner, map[string]any{"tid": home}), want: "401 tenant_mismatch"},
		row{id: "B37", name: "iss of the home tenant, tid of the partner", request: to("partners", home, map[string]any{"tid": partner}), want: "401 tenant_mismatch"},
		row{id: "B37", name: "no tid", request: to("partners", home, map[string]any{"tid": nil}), want: "401 tenant_mismatch"},
		row{id: "B37", name: "tid a list", request: to("partners", home, map[string]any{"tid": []string{home}}), want: "401 tenant_mismatch"},
		row{id: "B37", name: "tid the template", request: to("partners", home, map[string]any{"tid": "{tenantid}"}), want: "401 tenant_mismatch"},
		row{id: "B37", name: "a tenant that isn't listed", request: to("partners", estate.Stranger(), nil), want: "403 tenant_not_allowed"},
		row{id: "B37", name: "iss the template", request: to("partners", home, map[string]any{"iss": at("{tenantid}")}), want: "401 issuer_not_trusted"},
		row{id: "B37", name: "the partner where only the home tenant is listed", request: to("orders", partner, nil), want: "401 issuer_not_trusted"},
	)
}

// clipped keeps addresses of this run out of a row's name.
func clipped(v any, b *bench) any {
	if s, isText := v.(string); isText {
		return strings.NewReplacer(b.Local.Plan.SignIn, "ISSUER", strings.ToUpper(b.Local.Plan.SignIn), "ISSUER", b.forge.url, "FORGE").Replace(s)
	}
	return v
}

// times: cases 40, 41, 43. The handler's clock is the machine's, so the second
// right at the edge is shared/token's to test; here it is kept 15 s away.
func times(b *bench) (rows []row) {
	now := b.now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, c := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"B40 exp absent":              {map[string]any{"exp": nil}, "401 exp_missing"},
		"B40 exp null":                {map[string]any{"exp": raw("null")}, "401 malformed"},
		"B41 exp now":                 {map[string]any{"exp": at(0)}, "200"},
		"B41 exp within the skew":     {map[string]any{"exp": at(-45 * time.Second)}, "200"},
		"B41 exp beyond the skew":     {map[string]any{"exp": at(-61 * time.Second)}, "401 token_expired"},
		"B41 exp 0":                   {map[string]any{"exp": 0}, "401 token_expired"},
		"B41 exp -0":                  {map[string]any{"exp": raw("-0")}, "401 token_expired"},
		"B41 exp -1":                  {map[string]any{"exp": -1}, "401 malformed"},
		"B41 exp 1e400":               {map[string]any{"exp": raw("1e400")}, "401 malformed"},
		"B41 exp 9e9, in range":       {map[string]any{"exp": raw("9e9")}, "401 malformed"},
		"B41 exp as text":             {map[string]any{"exp": "9999999999"}, "401 malformed"},
		"B41 exp with a fraction":     {map[string]any{"exp": raw(fmt.Sprintf("%d.5", at(time.Hour)))}, "401 malformed"},
		"B41 exp 2^63":                {map[string]any{"exp": raw("9223372036854775808")}, "401 malformed"},
		"B41 exp 2^63-1":              {map[string]any{"exp": raw("9223372036854775807")}, "401 malformed"},
		"B41 exp 2^64 and an hour":    {map[string]any{"exp": raw("18446744073709555216")}, "401 malformed"},
		"B41 exp true":                {map[string]any{"exp": true}, "401 malformed"},
		"B41 exp a list":              {map[string]any{"exp": []int64{at(time.Hour)}}, "401 malformed"},
		"B41 exp an object":           {map[string]any{"exp": raw(`{}`)}, "401 malformed"},
		"B41 exp the text NaN":        {map[string]any{"exp": "NaN"}, "401 malformed"},
		"B41 nbf within the skew":     {map[string]any{"nbf": at(45 * time.Second)}, "200"},
		"B41 nbf beyond the skew":     {map[string]any{"nbf": at(90 * time.Second)}, "401 token_not_yet_valid"},
		"B41 nbf as text":             {map[string]any{"nbf": "0"}, "401 malformed"},
		"B41 iat in the future":       {map[string]any{"iat": at(90 * time.Second)}, "401 token_not_yet_valid"},
		"B43 a lifetime of 24 h":      {map[string]any{"iat": at(0), "exp": at(24 * time.Hour)}, "200"},
		"B43 a second over 24 h":      {map[string]any{"iat": at(0), "exp": at(24*time.Hour + time.Second)}, "401 lifetime_exceeded"},
		"B43 a lifetime of ten years": {map[string]any{"exp": at(10 * 365 * 24 * time.Hour)}, "401 lifetime_exceeded"},
		"B43 no iat":                  {map[string]any{"iat": nil}, "401 lifetime_exceeded"},
		"B43 a false iat":             {map[string]any{"iat": "0"}, "401 malformed"},
	} {
		id, rest, _ := strings.Cut(name, " ")
		rows = append(rows, row{id: id, name: rest, request: read(b.user(c.claims)), want: c.want})
	}
	// A number that isn't JSON is not a claim at all.
	nan := strings.Replace(b.payload(map[string]any{"exp": 5}), `"exp":5`, `"exp":NaN`, 1)
	return append(rows, row{id: "B41", name: "exp NaN", request: read(b.hand(nan)), want: "401 malformed"})
}
