package contract_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
)

func registrationsOf(t *testing.T, edits ...string) *contract.Registrations {
	t.Helper()
	e, faults := contract.Load(identity(edits...))
	if e == nil {
		t.Fatal(faults)
	}
	r, faults := e.Registrations("prod")
	if r == nil {
		t.Fatal(faults)
	}
	return r
}

// The first deployment makes the ids.
func TestRegistrationsNeedNoClientID(t *testing.T) {
	r := registrationsOf(t, "environments/prod.yaml", "clientId: { orders: 22222222-2222-2222-2222-222222222222 }\n", "", "orders.yaml", "owner: o", "owner: o\nclients: [batch]")
	if len(r.APIs) != 1 || r.APIs[0].ClientID != "" || len(r.Clients) != 1 || r.Clients[0].ClientID != "" {
		t.Errorf("got %+v", r)
	}
}

func TestWhoMayHoldARoleFollowsFromTheRules(t *testing.T) {
	both := []string{contract.MemberApplication, contract.MemberUser}
	for name, c := range map[string]struct {
		edits []string
		want  []string
	}{
		"roles":                  {nil, both[:1]},
		"userRoles":              {[]string{"orders.yaml", "roles: [DataReader] }", "userRoles: [DataReader] }", "batch.yaml", "roles: [DataReader], ", ""}, both[1:]},
		"both":                   {[]string{"orders.yaml", "roles: [DataReader] }", "roles: [DataReader], userRoles: [DataReader] }"}, both},
		"neither":                {[]string{"orders.yaml", ", roles: [DataReader] }", " }"}, both},
		"neither, of users only": {append(inAPI("principals: users"), "orders.yaml", ", roles: [DataReader] }", " }", "batch.yaml", "roles: [DataReader], ", ""), both[1:]},
	} {
		t.Run(name, func(t *testing.T) {
			if got := registrationsOf(t, c.edits...).APIs[0].Roles[0].Members; !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestOptionalClaimsAreThoseThatRulesRead(t *testing.T) {
	stored := []string{"environments/prod.yaml", "backend:", "store: { tables: \"https://a.table.core.windows.net\" }\nbackend:"}
	v1 := []string{"gateway.yaml", "[v2]", "[v1]"}
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"none":             {nil, "idtyp"},
		"step-up":          {[]string{"orders.yaml", "{ id: get,", "{ id: get, stepUp: c1,"}, "acrs idtyp xms_cc"},
		"revocation":       {stored, "idtyp xms_cc"},
		"no guests":        {inAPI("guests: false"), "acct idtyp"},
		"a rule":           {inAPI(`require: [ { claim: tenant_ctry, match: any, values: [DE] } ]`), "idtyp tenant_ctry"},
		"the header":       {[]string{"gateway.yaml", "claim: oid", "claim: [upn, oid]"}, "idtyp upn"},
		"a verified mail":  {inAPI(`require: [ { claim: xms_edov, match: any, values: ["1"] } ]`), "email idtyp xms_edov"},
		"v2's own":         {[]string{"gateway.yaml", "claim: oid", "claim: ipaddr"}, "idtyp ipaddr"},
		"v1 has it anyway": {append(v1, "gateway.yaml", "claim: oid", "claim: ipaddr"), "idtyp"},
		"v1's own":         {append(v1, "gateway.yaml", "claim: oid", "claim: preferred_username"), "idtyp preferred_username"},
		"v2 has that":      {[]string{"gateway.yaml", "claim: oid", "claim: preferred_username"}, "idtyp"},
		"groups":           {inAPI(`require: [ { claim: groups, match: any, values: [x] } ]`), "idtyp"},
	} {
		t.Run(name, func(t *testing.T) {
			api := registrationsOf(t, c.edits...).APIs[0]
			if got := strings.Join(api.OptionalClaims, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if api.GroupClaims != (name == "groups") {
				t.Errorf("got group claims %v", api.GroupClaims)
			}
		})
	}
}

func TestTheRegistrationFollowsTheContract(t *testing.T) {
	r := registrationsOf(t, append(inAPI("tenants: [home, partner]\nassignment: open\ntokenLifetime: 30m\ndescription: Orders."),
		"environments/prod.yaml", "backend:", "tenants: { partner: 77777777-7777-7777-7777-777777777777 }\nbackend:")...)
	want := contract.Registration{
		Name: "orders", DisplayName: "g orders (prod)", Description: "Orders.", Audience: "api://11111111-1111-1111-1111-111111111111/orders",
		ClientID: "22222222-2222-2222-2222-222222222222", Owners: []string{"10000000-0000-4000-8000-000000000001"}, TokenVersion: 2, MultiTenant: true,
		Scopes:         []contract.Scope{{Name: "Orders.Read", Consent: "user"}},
		Roles:          []contract.RegisteredRole{{Name: "DataReader", Members: []string{"Application"}}},
		OptionalClaims: []string{"idtyp"}, Lifetime: 30 * time.Minute, File: "orders.yaml", Line: 1,
	}
	if diff := cmp.Diff(want, r.APIs[0]); diff != "" {
		t.Error(diff)
	}
	old := registrationsOf(t, "gateway.yaml", "[v2]", "[v1]").APIs[0]
	if old.TokenVersion != 1 || !old.AssignmentRequired || old.MultiTenant {
		t.Errorf("got %+v", old)
	}
}

func TestAnAPIThatTakesNoTokenOfEntraHasNoRegistration(t *testing.T) {
	r := registrationsOf(t, append(inAPI("issuers: [other]"), "gateway.yaml", "[v2] }", `[v2], issuers: [ { name: other, issuer: "https://i.example" } ] }`)...)
	if len(r.APIs) != 0 || len(r.Clients[0].Uses) != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestCredentialsAreWhatThePlatformsSay(t *testing.T) {
	const audience = "api://AzureADTokenExchange"
	github := func(words string) []string {
		return inEnv("credentials: { batch: { github: { repository: contoso/app, " + words + " } } }")
	}
	const issuer = "https://token.actions.githubusercontent.com"
	for name, c := range map[string]struct {
		edits    []string
		platform string
		want     contract.Federated
	}{
		"GitHub, an environment": {github("environment: prod"), "github", contract.Federated{Issuer: issuer, Subject: "repo:contoso/app:environment:prod", Audience: audience}},
		"GitHub, a branch":       {github("branch: main"), "github", contract.Federated{Issuer: issuer, Subject: "repo:contoso/app:ref:refs/heads/main", Audience: audience}},
		"GitHub, with ids":       {inEnv("credentials: { batch: { github: { repository: contoso@12/app@34, branch: main } } }"), "github", contract.Federated{Issuer: issuer, Subject: "repo:contoso@12/app@34:ref:refs/heads/main", Audience: audience}},
		"GitHub, a tag":          {github("tag: v1.2"), "github", contract.Federated{Issuer: issuer, Subject: "repo:contoso/app:ref:refs/tags/v1.2", Audience: audience}},
		"Kubernetes": {inEnv(`credentials: { batch: { kubernetes: { issuer: "https://c.example/x/", namespace: billing, serviceAccount: run } } }`), "kubernetes",
			contract.Federated{Issuer: "https://c.example/x/", Subject: "system:serviceaccount:billing:run", Audience: audience}},
		"AWS": {inEnv(`credentials: { batch: { aws: { issuer: "https://a.tokens.sts.global.api.aws", subject: "arn:aws:iam::123456789012:role/run" } } }`), "aws",
			contract.Federated{Issuer: "https://a.tokens.sts.global.api.aws", Subject: "arn:aws:iam::123456789012:role/run", Audience: audience}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(map[string]contract.Federated{c.platform: c.want}, registrationsOf(t, c.edits...).Clients[0].Federated); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheEndOfACertificateIsTold(t *testing.T) {
	edits := append([]string{"batch.yaml", "kind: federated", "kind: certificate"}, inEnv("credentials: { batch: { certificates: [ "+quoted(rsaPEM(t, 1))+" ] } }")...)
	r := registrationsOf(t, edits...)
	for now, want := range map[time.Time]string{newYear.AddDate(0, -2, 0): "", newYear.AddDate(0, 0, -20): "expires on", newYear.AddDate(0, 0, 1): "expired on"} {
		got := r.Outdated(now)
		if (want == "") != (len(got) == 0) || want != "" && !strings.Contains(got[0].String(), want) {
			t.Errorf("at %s: got %v, want %q", now, got, want)
		}
	}
}

// Without a credential, what runs in the user's hands; with one, a server.
func TestAPlatformFollowsFromTheAddressAndTheCredential(t *testing.T) {
	uris := `redirectURIs: { batch: ["https://a.example/in", "http://localhost:5173/in"`
	public := registrationsOf(t, append(inEnv(uris+`, "batch://in"] }`), "batch.yaml", "kind: federated", "kind: none", "batch.yaml", "roles: [DataReader], ", "")...).Clients[0].Redirects
	if diff := cmp.Diff(contract.RedirectURIs{SPA: []string{"https://a.example/in"}, Public: []string{"batch://in", "http://localhost:5173/in"}}, public); diff != "" {
		t.Error(diff)
	}
	server := registrationsOf(t, inEnv(uris+"] }")...).Clients[0].Redirects
	if diff := cmp.Diff(contract.RedirectURIs{Web: []string{"http://localhost:5173/in", "https://a.example/in"}}, server); diff != "" {
		t.Error(diff)
	}
}

func TestConsentIsGivenWhereTheContractsSay(t *testing.T) {
	admin := []string{"orders.yaml", "consent: user", "consent: admin"}
	use := registrationsOf(t, admin...).Clients[0].Uses[0]
	if diff := cmp.Diff(contract.RegisteredUse{API: "orders", Scopes: []string{"Orders.Read"}, Roles: []string{"DataReader"}, AdminConsent: []string{"Orders.Read"}}, use); diff != "" {
		t.Error(diff)
	}
	use = registrationsOf(t, append(admin, "batch.yaml", "scopes: [Orders.Read]", "scopes: [Orders.Read], preauthorized: true")...).Clients[0].Uses[0]
	if len(use.AdminConsent) != 0 || !slices.Equal(use.Preauthorized, []string{"Orders.Read"}) {
		t.Errorf("got %+v", use)
	}
	if use = registrationsOf(t).Clients[0].Uses[0]; len(use.AdminConsent) != 0 {
		t.Errorf("got %+v", use)
	}
}

func TestContextsAreInTheirOrder(t *testing.T) {
	r := registrationsOf(t, "gateway.yaml", "forward:", "authenticationContexts: { c10: { name: A, require: mfa }, c2: { name: B, require: compliantDevice, every: 48h } }\nforward:")
	if len(r.Contexts) != 2 || r.Contexts[0].ID != "c2" || r.Contexts[1].ID != "c10" {
		t.Errorf("got %+v", r.Contexts)
	}
}

func TestTwoEnvironmentsOfOneTenantNeedAudiencesThatDiffer(t *testing.T) {
	files := identity().(fstest.MapFS)
	files["environments/dev.yaml"] = files["environments/prod.yaml"]
	assertFault(t, identityFaults(files), `orders.yaml:6:11: warning: environments/prod.yaml and environments/dev.yaml have one tenant, where Entra registers "api://11111111-1111-1111-1111-111111111111/orders" only once`)
}

// Before the first deployment much is unbound: that is a fault with its place, or no matter at all.
func TestWhateverAnEnvironmentLacksIsAFaultAtMost(t *testing.T) {
	whole, err := os.ReadFile("../../contracts/environments/prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?m)^[a-zA-Z]+:.*\n(?:[ #].*\n)*`)
	for _, text := range section.FindAllString(string(whole), -1) {
		name, _, _ := strings.Cut(text, ":")
		if name == "kind" || name == "tenant" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{}
			for _, file := range exampleFiles(t) {
				data, err := os.ReadFile("../../contracts/" + file)
				if err != nil {
					t.Fatal(err)
				}
				files[file] = &fstest.MapFile{Data: data}
			}
			files["environments/prod.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(whole), text, "", 1))}
			e, faults := contract.Load(files)
			if e == nil {
				t.Fatal(faults)
			}
			r, faults := e.Registrations("prod")
			if needed := name == "groups"; needed != (r == nil) {
				t.Errorf("without %s: got %v", name, faults)
			}
		})
	}
}

func exampleFiles(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir("../../contracts")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".yaml") {
			names = append(names, e.Name())
		}
	}
	return names
}
