package adversarial

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
	"tollgate/shared/subscription"
	"tollgate/shared/tables"
	"tollgate/tests/lab"
)

// metered is a gateway with keys and limits, over the stand-in for Table
// Storage. Its clock stands ten seconds behind the beginning of an hour: what a
// test does there is done in one window.
func metered(t testing.TB, e edit) *bench {
	t.Helper()
	b := inProcessOn(t, "metered", e, func(p *contract.Plan) { p.Store.Try = 5 * time.Second }) // a loaded machine is no outage
	b.until(time.Hour, 10*time.Second)
	return b
}

// until lets time pass up to so long after the next multiple of a period.
func (b *bench) until(period, after time.Duration) {
	now := b.clock()
	b.Pass(now.Truncate(period).Add(period + after).Sub(now))
}

// clock is the lab's time, which Pass moves.
func (b *bench) clock() time.Time { return b.Local.Options.Now() }

// account is the tables, as an operator reaches them.
func (b *bench) account(t testing.TB) *tables.Account {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return must(tables.Open(tables.Options{Address: b.Tables, Transport: transport, Now: b.clock, Try: 10 * time.Second}))
}

// inTheVault reads secrets as the stand-in for the vault has them.
type inTheVault struct{ *lab.Lab }

func (v inTheVault) Read(_ context.Context, ref contract.SecretRef) (string, error) {
	for name, value := range v.Vault.Values() {
		if strings.HasPrefix(name, ref.Name+" ") {
			return value, nil
		}
	}
	return "", io.EOF
}

// office is where subscriptions are opened and ended.
func (b *bench) office(t testing.TB) *subscription.Office {
	t.Helper()
	a := b.account(t)
	table := a.Table(subscription.Table)
	return subscription.NewOffice(table, a.Clock(), inTheVault{b.Lab}, b.Local.Plan.Store.Digest, rand.Reader)
}

// open makes a subscription and its key.
func open(t testing.TB, o *subscription.Office, w subscription.Wish) (id, key string) {
	t.Helper()
	w.Owner = "tests"
	r, key, err := o.Open(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID, key
}

// as is a user's token for the API metered, with claims laid over it.
func (b *bench) as(oid string, claims map[string]any) string {
	b.t.Helper()
	return b.mint(issuer.Token{API: "metered", Scopes: []string{"metered.use"}, User: oid, Claims: claims})
}

// version1 is the same user's, as Entra's older endpoint writes it.
func (b *bench) version1(oid string) string {
	b.t.Helper()
	return b.mint(issuer.Token{API: "metered", Version: "v1", Scopes: []string{"metered.use"}, User: oid})
}

// boundTo is the same user's, bound to the forge's EC key.
func (b *bench) boundTo(oid string) string {
	b.t.Helper()
	return b.as(oid, map[string]any{"cnf": map[string]any{"jkt": b.forge.thumbprint()}})
}

// underDPoP asks for a path with such a token and a fresh proof.
func (b *bench) underDPoP(path, token string) string {
	return ask("GET "+path, "Authorization: DPoP "+token, "DPoP: "+b.proof("GET", path, token, map[string]any{"iat": b.clock().Unix()}, nil))
}

// somebody is a user who hasn't called yet.
func somebody() string { return estate.GUID("user", rand.Text()) }

func withKey(methodAndPath, key string, lines ...string) string {
	return ask(methodAndPath, append([]string{contract.DefaultKeyHeader + ": " + key}, lines...)...)
}

// keyless: nothing that the backend heard holds a key, wherever.
func keyless(t *testing.T, b *bench, _ answer) {
	t.Helper()
	for _, seen := range b.Backend.Requests() {
		if text := fmt.Sprintf("%s %v %v", seen.Target, seen.Header, seen.Trailer); subscriptionKey.MatchString(text) {
			t.Errorf("the backend heard of a key: %s", text)
		}
	}
}

// status sends a request and tells what came of it, as a row's want: "200" or "429 rate_exceeded".
func (b *bench) status(t *testing.T, request string) (string, answer) {
	t.Helper()
	a := b.send(t, request)
	if a.StatusCode < 400 {
		return fmt.Sprint(a.StatusCode), a
	}
	_, rest, _ := strings.Cut(string(a.body), `"code":"`)
	code, _, _ := strings.Cut(rest, `"`)
	return strings.TrimSpace(fmt.Sprint(a.StatusCode, " ", code)), a
}

// granted counts how many of n requests pass; the others must be refused with want.
func (b *bench) granted(t *testing.T, n int, want string, request func(i int) string) (passed int) {
	t.Helper()
	for i := range n {
		switch got, a := b.status(t, request(i)); got {
		case "200":
			passed++
		case want:
		default:
			t.Fatalf("got %s %s, want 200 or %s", got, a.body, want)
		}
	}
	return passed
}

func anyRow() tables.Key { return tables.Key{Partition: "clock", Row: "clock"} }

func everything() tables.Query { return tables.Query{} }
