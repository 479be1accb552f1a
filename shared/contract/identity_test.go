package contract_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io/fs"
	"math/big"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tollgate/shared/contract"
)

const clientFile = `kind: Client
name: batch
owner: b
uses: [ { api: orders, roles: [DataReader], scopes: [Orders.Read] } ]
credential: { kind: federated }
`

// identity is the estate with a client and words of identity; edits as those of estate.
func identity(edits ...string) fs.FS {
	out := estate("environments/prod.yaml", "backend:", "owners: { o: 10000000-0000-4000-8000-000000000001, b: 10000000-0000-4000-8000-000000000002 }\ngroups: { staff: 10000000-0000-4000-8000-000000000003 }\nbackend:").(fstest.MapFS)
	out["batch.yaml"] = &fstest.MapFile{Data: []byte(clientFile)}
	for i := 0; i+2 < len(edits); i += 3 {
		before := ""
		if file := out[edits[i]]; file != nil { // else it is a new one
			before = string(file.Data)
		}
		after := strings.Replace(before, edits[i+1], edits[i+2], 1)
		if before == after {
			panic("edit changes nothing: " + edits[i+1])
		}
		out[edits[i]] = &fstest.MapFile{Data: []byte(after)}
	}
	return out
}

// identityFaults is everything that Load and Registrations say.
func identityFaults(fsys fs.FS) contract.Faults {
	e, faults := contract.Load(fsys)
	if e == nil {
		return faults
	}
	_, more := e.Registrations("prod")
	return append(faults, more...)
}

func inEnv(words string) []string {
	return []string{"environments/prod.yaml", "backend:", words + "\nbackend:"}
}

func inAPI(words string) []string { return []string{"orders.yaml", "owner: o", "owner: o\n" + words} }

func TestEachFaultOfIdentityIsNamedWhereItStands(t *testing.T) {
	usedGroups := []string{"orders.yaml", "{ name: DataReader }", "{ name: DataReader, groups: [staff] }"}
	withContexts := func(op string) []string {
		return []string{"gateway.yaml", "forward:", "authenticationContexts: { c1: { name: Strong, require: mfa } }\nforward:", "orders.yaml", "{ id: get,", "{ id: get, stepUp: " + op + ","}
	}
	certificates := func(text string) []string {
		return append([]string{"batch.yaml", "kind: federated", "kind: certificate"}, inEnv("credentials: { batch: { certificates: [ "+quoted(text)+" ] } }")...)
	}
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"a group nobody binds":         {inAPI("groups: [stuff]"), `orders.yaml:4:10: error: environments/prod.yaml binds no group "stuff"; did you mean "staff"?; add its object id under groups:`},
		"a group that isn't an id":     {[]string{"environments/prod.yaml", "staff: 10000000-0000-4000-8000-000000000003", "staff: staff"}, `environments/prod.yaml:4:18: error: "staff" is not an id (a GUID)`},
		"a group no contract names":    {nil, `environments/prod.yaml:4:11: warning: no contract names the group "staff"`},
		"a group for programs":         {usedGroups, `orders.yaml:8:38: error: groups hold users, and no operation lets users in by the role "DataReader": name it under userRoles`},
		"groups where no user may":     {inAPI("groups: [staff]\nprincipals: applications"), `orders.yaml:4:9: error: groups hold users, and principals: applications lets none in`},
		"groups that change nothing":   {inAPI("groups: [staff]\nassignment: open"), `orders.yaml:4:9: warning: assignment: open lets the whole tenant in`},
		"another word for assignment":  {inAPI("assignment: optional"), `orders.yaml:4:13: error: "optional" is not one of required, open`},
		"an owner no contract has":     {[]string{"environments/prod.yaml", "owners: { o:", "owners: { oo:"}, `environments/prod.yaml:3:11: error: there is no owner "oo"; did you mean "o"?`},
		"an owner without an id":       {[]string{"environments/prod.yaml", "owners: { o: 10000000-0000-4000-8000-000000000001, ", "owners: { "}, `orders.yaml:3:8: warning: environments/prod.yaml binds no object id to "o"`},
		"a lifetime too short":         {inAPI("tokenLifetime: 9m"), `orders.yaml:4:16: error: 9m0s is not from 10m to 24h`},
		"a lifetime too long":          {inAPI("tokenLifetime: 25h"), `orders.yaml:4:16: error: 25h0m0s is not from 10m to 24h`},
		"a lifetime of parts":          {inAPI("tokenLifetime: 10m500ms"), `orders.yaml:4:16: error: 10m0.5s is not whole seconds`},
		"a lifetime that is refused":   {append(inAPI("tokenLifetime: 1h"), "gateway.yaml", "[v2] }", "[v2], maxLifetime: 1h }"), `orders.yaml:4:16: error: Entra dates tokens back by 5m, so they would live for 1h5m0s, and the gateway's maxLifetime refuses those over 1h0m0s`},
		"a lifetime of others' tokens": {append(inAPI("issuers: [other]\ntokenLifetime: 1h"), "gateway.yaml", "[v2] }", `[v2], issuers: [ { name: other, issuer: "https://i.example" } ] }`), `orders.yaml:5:16: error: is about Entra's tokens`},
		"an undeclared context":        {withContexts("c2"), `orders.yaml:10:24: error: the gateway's authenticationContexts have no c2; did you mean "c1"?`},
		"an unused context":            {withContexts("c1")[:3], `gateway.yaml:5:27: warning: no operation says stepUp: c1`},
		"a context's odd frequency":    {append(withContexts("c1"), "gateway.yaml", "require: mfa", "require: mfa, every: 25h"), `gateway.yaml:5:68: error: 25h0m0s is neither whole hours up to 23h nor whole days`},
		"a context's other id":         {[]string{"gateway.yaml", "forward:", "authenticationContexts: { c100: { name: S, require: mfa } }\nforward:"}, `gateway.yaml:5:27: error: "c100" can't be a name here`},
		"preauthorized: false":         {[]string{"batch.yaml", "scopes: [Orders.Read]", "scopes: [Orders.Read], preauthorized: false"}, `batch.yaml:4:83: error: false says nothing`},
		"preauthorized for nothing":    {[]string{"batch.yaml", "scopes: [Orders.Read]", "preauthorized: true"}, `batch.yaml:4:60: error: is about consent to scopes`},
		"a role only users hold":       {[]string{"orders.yaml", "roles: [DataReader] }", "userRoles: [DataReader] }"}, `batch.yaml:4:32: error: no operation of "orders" lets an application in by "DataReader"`},
		"a role that is a scope":       {[]string{"orders.yaml", "roles: [ { name: DataReader }", "roles: [ { name: Orders.Read }, { name: DataReader }"}, `orders.yaml:8:18: error: Entra lets a role and a scope of one registration have no name in common`},
		"its own id in its audience":   {[]string{"orders.yaml", "${tenant}/orders", "${clientId.orders}", "environments/prod.yaml", "clientId: { orders: 22222222-2222-2222-2222-222222222222 }\n", ""}, `orders.yaml:6:11: error: the client id is known only once the API is registered`},
		"keys of its own":              {inAPI("signingKeys: application"), `orders.yaml:4:14: warning: Terraform can't give the registration keys of its own`},

		"credentials of nobody":    {inEnv("credentials: { bach: { github: { repository: a/b, tag: v1 } } }"), `environments/prod.yaml:5:16: error: there is no client "bach"; did you mean "batch"?`},
		"no credential":            {nil, `batch.yaml:5:13: warning: environments/prod.yaml has nothing by which "batch" can prove itself`},
		"another kind":             {inEnv("credentials: { batch: { certificates: [x] } }"), `environments/prod.yaml:5:25: error: the client's credential is of kind federated, and this is for kind certificate`},
		"any job of a repository":  {inEnv("credentials: { batch: { github: { repository: a/b } } }"), `environments/prod.yaml:5:33: error: needs exactly one of environment, branch and tag`},
		"two kinds of job":         {inEnv("credentials: { batch: { github: { repository: a/b, tag: v1, branch: main } } }"), `environments/prod.yaml:5:33: error: needs exactly one of environment, branch and tag`},
		"a name that may be taken": {inEnv("credentials: { batch: { github: { repository: a/b, tag: v1 } } }"), `environments/prod.yaml:5:47: warning: a name may be somebody else's one day`},
		"one proof of two clients": {append(inEnv("credentials: { batch: { github: { repository: a@1/b@2, tag: v1 } }, other: { github: { repository: a@1/b@2, tag: v1 } } }"), "other.yaml", "", "kind: Client\nname: other\nowner: o\ncredential: { kind: federated }\nuses: [ { api: orders, scopes: [Orders.Read] } ]\n"), `environments/prod.yaml:5:86: warning: "batch" proves itself by the same`},
		"half an id":               {inEnv("credentials: { batch: { github: { repository: a@1/b, tag: v1 } } }"), `environments/prod.yaml:5:47: error: "a@1/b" must match`},
		"every repository":         {inEnv("credentials: { batch: { github: { repository: a/*, tag: v1 } } }"), `environments/prod.yaml:5:47: error: "a/*" must match`},
		"a cluster in the clear":   {inEnv(`credentials: { batch: { kubernetes: { issuer: "http://c.example", namespace: n, serviceAccount: s } } }`), `environments/prod.yaml:5:47: error: "http://c.example" is not an https URL`},
		"Entra as another":         {inEnv(`credentials: { batch: { kubernetes: { issuer: "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0", namespace: n, serviceAccount: s } } }`), `environments/prod.yaml:5:47: error: "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0" is Entra's own`},
		"an AWS user of any name":  {inEnv(`credentials: { batch: { aws: { issuer: "https://a.example", subject: "*" } } }`), `environments/prod.yaml:5:70: error: "*" must match`},
		"not a certificate":        {certificates("hello"), `environments/prod.yaml:5:41: error: is not one certificate as PEM text`},
		"two in one text":          {certificates(rsaPEM(t, 1) + rsaPEM(t, 1)), `environments/prod.yaml:5:41: error: is not one certificate as PEM text`},
		"a certificate of a curve": {certificates(curvePEM(t)), `environments/prod.yaml:5:41: error: Entra verifies what clients sign by RSA keys`},

		"redirects of nobody":        {inEnv("redirectURIs: { bach: [\"https://a/\"] }"), `environments/prod.yaml:5:17: error: there is no client "bach"`},
		"a redirect in the clear":    {inEnv("redirectURIs: { batch: [\"http://a.example/\"] }"), `environments/prod.yaml:5:25: error: "http://a.example/" is plain http`},
		"a redirect without a path":  {inEnv("redirectURIs: { batch: [\"https://a.example\"] }"), `environments/prod.yaml:5:25: error: "https://a.example" has no path`},
		"a redirect to anywhere":     {inEnv("redirectURIs: { batch: [\"https://*.a.example/\"] }"), `environments/prod.yaml:5:25: error: "https://*.a.example/" must hold no *`},
		"a program with a key":       {inEnv("redirectURIs: { batch: [\"batch://a\"] }"), `environments/prod.yaml:5:25: error: "batch://a" is a scheme of a program`},
		"redirects without sign-ins": {append(inEnv("redirectURIs: { batch: [\"https://a/\"] }"), "batch.yaml", ", scopes: [Orders.Read]", ""), `environments/prod.yaml:5:17: warning: "batch" asks for no scopes`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, identityFaults(identity(c.edits...)), c.want) })
	}
}

// A key that strayed into a contract must not stray on, into logs.
func TestAPrivateKeyIsRefusedAndNotRepeated(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	text := string(pem.EncodeToMemory(&block))
	secret := strings.Split(text, "\n")[1]
	for name, list := range map[string]string{
		"alone": quoted(text), "after its certificate": quoted(rsaPEM(t, 1) + text), "before it": quoted(text + rsaPEM(t, 1)), "twice": quoted(text) + ", " + quoted(text),
	} {
		t.Run(name, func(t *testing.T) {
			edits := append([]string{"batch.yaml", "kind: federated", "kind: certificate"}, inEnv("credentials: { batch: { certificates: [ "+list+" ] } }")...)
			faults := identityFaults(identity(edits...))
			if faults.Err() == nil || strings.Contains(faults.Err().Error(), secret) {
				t.Errorf("got %v", faults)
			}
			if name != "twice" {
				assertFault(t, faults, "environments/prod.yaml:5:41: error: holds a private key")
			}
		})
	}
}

func quoted(text string) string { return `"` + strings.ReplaceAll(text, "\n", `\n`) + `"` }

func rsaPEM(t *testing.T, serial int64) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return certified(t, serial, key.Public(), key)
}

func curvePEM(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certified(t, 1, key.Public(), key)
}

func certified(t *testing.T, serial int64, public, key any) string {
	t.Helper()
	template := x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "x"}, NotBefore: newYear.Add(-time.Hour), NotAfter: newYear}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
