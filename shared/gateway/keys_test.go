package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/storage"
	"tollgate/shared/contract"
	"tollgate/shared/revocation"
	"tollgate/shared/subscription"
	"tollgate/shared/tables"
)

// storeAddress reaches the stand-in within this process.
const storeAddress = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:10002/devstoreaccount1"

// digestSecret is what the vault holds; "" none.
type digestSecret string

func (d digestSecret) Read(context.Context, contract.SecretRef) (string, error) {
	if d == "" {
		return "", errors.New("the vault didn't answer in time")
	}
	return string(d), nil
}

// keyed is a gateway whose operations ask for keys in each way, and the office for them.
type keyed struct {
	*stand
	*subscription.Office
	store *inProcess
	down  atomic.Bool
}

func (k *keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	if k.down.Load() {
		return nil, errors.New("no route to the store")
	}
	return k.store.RoundTrip(r)
}

const partnerKeys = `products:
  partner: { apis: [orders, alone], key: required }
  trial: { apis: [manage], key: optional }
  bound: { apis: [orders], bind: [client] }
subscriptionKeys: { header: X-Api-Key, query: api-key }`

func newKeyed(t testing.TB) *keyed {
	t.Helper()
	s := newStand(t, echo(),
		"gateway.yaml", gatewayFile("clientAddress: { source: host }", "floodGuard: { refused: 30, window: 1h }", partnerKeys),
		"alone.yaml", apiText("alone", `  - { id: get, match: "GET /{id}", allow: { key: alone } }
  - { id: open, match: "GET /open/{id}", public: true }`),
		"environments/test.yaml", contracts["environments/test.yaml"]+"vaults: { main: \"https://v.vault.azure.net\" }\n"+
			"store: { tables: \"https://s.table.core.windows.net\", keyDigest: { vault: main, current: digest } }\n")
	k := &keyed{stand: s, store: &inProcess{Handler: storage.New(storage.Options{Key: "a2V5"})}}
	account, err := tables.Open(tables.Options{Address: storeAddress, Transport: k, Now: time.Now, Try: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	secret, table := digestSecret(strings.Repeat("d", 32)), account.Table(subscription.Table)
	k.Office = subscription.NewOffice(table, account.Clock(), secret, s.Gateway.plan.Store.Digest, rand.Reader)
	s.parts.Subscriptions = func(contract.PlannedStore) subscription.Source {
		return subscription.Source{Rows: table, Clock: account.Clock(), Secrets: secret}
	}
	s.parts.Revocations = func(*contract.Plan) revocation.Lists { return revocation.Fixed(revocation.NewList(nil)) }
	s.Gateway = Compile(s.Gateway.plan, s.parts)
	return k
}

func (k *keyed) open(t testing.TB, w subscription.Wish) (id, header string) {
	t.Helper()
	w.Owner = "o"
	r, key, err := k.Open(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID, "X-Api-Key: " + key
}

func TestAKeyAndATokenOpenAnOperation(t *testing.T) {
	k := newKeyed(t)
	token := bearer(mint(t, reader))
	id, key := k.open(t, subscription.Wish{Product: "partner"})
	_, other := k.open(t, subscription.Wish{Product: "trial"})
	k.refused(t, request(t, "GET", "/orders/1", token), 401, "key_missing")
	k.refused(t, request(t, "GET", "/orders/1", key), 401, "token_missing")
	k.refused(t, request(t, "GET", "/orders/1", token, other), 401, "key_not_for_api")
	k.refused(t, request(t, "GET", "/orders/1", token, strings.ToUpper(key)), 401, "key_malformed")

	w, seen := k.granted(t, request(t, "GET", "/orders/1?api-key="+key[len("X-Api-Key: "):]+"&a=1", token, key, "x_api-key: "+key, "Ocp-Apim-Subscription-Key: "+key))
	for name := range seen.Header {
		if f := contract.FoldHeader(name); f == "x-api-key" || f == "ocp-apim-subscription-key" {
			t.Errorf("the backend heard %s", name)
		}
	}
	if seen.Target != "/orders/1?a=1" || seen.Header.Get("X-Auth-Sub") == "" || w.Header().Get("X-Api-Key") != "" {
		t.Errorf("got %s and %v", seen.Target, seen.Header)
	}
	k.answer(request(t, "GET", "/orders/1", token, key))
	event, line := k.events.next(t)
	if event.Subscription != id || event.Product != "partner" || strings.Contains(line, "tgk_") {
		t.Errorf("got %s", line)
	}
}

func TestWhatTheChallengeForAKeySays(t *testing.T) {
	k := newKeyed(t)
	for header, want := range map[string]string{
		"X-None: 1":    `SubscriptionKey realm="contoso", name="X-Api-Key"`,
		"X-Api-Key: x": `SubscriptionKey realm="contoso", name="X-Api-Key", error="invalid_key", error_description="The subscription key is not valid for this API."`,
	} {
		w, _ := k.answer(request(t, "GET", "/orders/1", header))
		if got := w.Header().Get("WWW-Authenticate"); got != want || w.Code != 401 {
			t.Errorf("got %d %s, want %s", w.Code, got, want)
		}
	}
}

func TestKeysInAPIManagementsStyle(t *testing.T) {
	k := newKeyed(t)
	p := *k.Gateway.plan
	for i := range p.APIs {
		p.APIs[i].Errors = contract.ErrorsAPIM
	}
	k.Gateway = Compile(&p, k.parts)
	const challenge = `AzureApiManagementKey realm="contoso",name="X-Api-Key",type="header"`
	for header, text := range map[string]string{
		"X-None: 1":    `{ "statusCode": 401, "message": "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API." }`,
		"X-Api-Key: x": `{ "statusCode": 401, "message": "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription." }`,
	} {
		w, _ := k.answer(request(t, "GET", "/alone/1", header))
		if w.Code != 401 || w.Body.String() != text || w.Header().Get("WWW-Authenticate") != challenge {
			t.Errorf("got %d %s %s", w.Code, w.Header().Get("WWW-Authenticate"), w.Body)
		}
	}
}

// RFC 9111 §3.5 is about Authorization only.
func TestNoSharedCacheHandsOnWhatAKeyOpened(t *testing.T) {
	k := newKeyed(t)
	_, key := k.open(t, subscription.Wish{Product: "partner"})
	w, _ := k.granted(t, request(t, "GET", "/alone/1", key))
	if got := w.Header().Values("Vary"); len(got) != 1 || got[0] != "X-Api-Key" {
		t.Errorf("got Vary %q, want the key's header", got)
	}
	if w, _ := k.answer(request(t, "GET", "/public/1")); w.Header().Get("Vary") != "" {
		t.Errorf("got Vary %q where no key is looked at", w.Header().Get("Vary"))
	}
}

func TestAKeyAloneSendsNoIdentity(t *testing.T) {
	k := newKeyed(t)
	_, key := k.open(t, subscription.Wish{Product: "partner"})
	_, api := k.open(t, subscription.Wish{API: "alone"})
	_, named := k.open(t, subscription.Wish{API: "alone", Client: "0badf00d-0000-4000-8000-000000000001"})
	k.refused(t, request(t, "GET", "/alone/1", bearer(mint(t, reader))), 401, "key_missing")
	k.refused(t, request(t, "GET", "/alone/1", named), 403, "key_token_mismatch")
	for _, header := range []string{key, api} {
		_, seen := k.granted(t, request(t, "GET", "/alone/1", header, bearer(mint(t, reader)), "X-Auth-Sub: me"))
		if seen.Header.Get("X-Auth-Sub")+seen.Header.Get("Authorization") != "" {
			t.Errorf("the backend heard %v", seen.Header)
		}
	}
	_, seen := k.granted(t, request(t, "GET", "/alone/open/1", "X-Api-Key: nonsense")) // public: what the header holds is not read
	if seen.Header.Get("X-Api-Key") != "" {
		t.Error("the backend heard what was not read")
	}
}

func TestAnOptionalKeyMustBeGoodIfItIsSent(t *testing.T) {
	k := newKeyed(t)
	token := bearer(mint(t, admin))
	_, key := k.open(t, subscription.Wish{Product: "trial"})
	k.granted(t, request(t, "GET", "/manage/1", token))
	k.granted(t, request(t, "GET", "/manage/1", token, key))
	k.refused(t, request(t, "GET", "/manage/1", token, key+"x"), 401, "key_malformed")
}

func TestG124AKeyOfAnotherClientIsRefusedAfterTheToken(t *testing.T) {
	k := newKeyed(t)
	_, key := k.open(t, subscription.Wish{Product: "bound", Client: "0badf00d-0000-4000-8000-000000000001"})
	_, nobodys := k.open(t, subscription.Wish{Product: "bound"})
	as := func(client string) string {
		token := reader
		token.Client = client
		return bearer(mint(t, token))
	}
	k.granted(t, request(t, "GET", "/orders/1", as("0badf00d-0000-4000-8000-000000000001"), key))
	k.refused(t, request(t, "GET", "/orders/1", as("0badf00d-0000-4000-8000-000000000002"), key), 403, "key_token_mismatch")
	k.refused(t, request(t, "GET", "/orders/1", as("0badf00d-0000-4000-8000-000000000001"), nobodys), 403, "key_token_mismatch")
	k.refused(t, request(t, "GET", "/orders/1", key), 401, "token_missing")
}

func TestAnOutageOfTheStoreIs503(t *testing.T) {
	k := newKeyed(t)
	_, key := k.open(t, subscription.Wish{Product: "partner"})
	_, fresh := k.open(t, subscription.Wish{Product: "partner"})
	token := bearer(mint(t, reader))
	k.granted(t, request(t, "GET", "/orders/1", token, key))
	k.down.Store(true)
	k.granted(t, request(t, "GET", "/orders/1", token, key))
	w, _ := k.answer(request(t, "GET", "/orders/1", token, fresh))
	event, _ := k.events.next(t)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" || event.Code != "keys_unavailable" || event.Cause == "" {
		t.Errorf("got %d %v and %+v", w.Code, w.Header(), event)
	}
}

func TestWithoutAStoreEveryCallThatNeedsAKeyIsRefused(t *testing.T) {
	k := newKeyed(t)
	_, key := k.open(t, subscription.Wish{Product: "partner"})
	k.parts.Subscriptions = nil
	k.Gateway = Compile(k.Gateway.plan, k.parts)
	k.refused(t, request(t, "GET", "/orders/1", bearer(mint(t, reader)), key), 503, "keys_unavailable")
	k.granted(t, request(t, "GET", "/public/1"))
}

// G122 and the flood guard: made-up keys cost few look-ups, and lock nobody out.
func TestAFloodOfMadeUpKeysCostsFewLookUps(t *testing.T) {
	k := newKeyed(t)
	_, key := k.open(t, subscription.Wish{Product: "partner"})
	token := bearer(mint(t, reader))
	const attacker = "203.0.113.7"
	k.granted(t, request(t, "GET", "/orders/1", token, key, from(attacker)))
	began, before, got := time.Now(), k.store.calls.Load(), map[int]int{}
	for i := range 500 {
		made, err := subscription.Mint(strings.NewReader(fmt.Sprintf("%020d", i)))
		if err != nil {
			t.Fatal(err)
		}
		w, _ := k.answer(request(t, "GET", "/orders/1", "X-Api-Key: "+made, from(attacker)))
		got[w.Code]++
		k.events.next(t)
	}
	most := int64(30 + 20*(int(time.Since(began)/time.Second)+2))
	if asked := k.store.calls.Load() - before; asked > most || got[429] == 0 || got[401]+got[429] != 500 {
		t.Errorf("got %v and %d look-ups, want at most %d", got, asked, most)
	}
	k.granted(t, request(t, "GET", "/orders/1", token, key, from(attacker)))
	k.refused(t, request(t, "GET", "/orders/1", from(attacker)), 401, "key_missing")
}

func TestExplainNamesTheStageOfTheKey(t *testing.T) {
	k := newKeyed(t)
	_, key := k.open(t, subscription.Wish{Product: "partner"})
	_, _, steps := k.Explain(t.Context(), k.NewCall(request(t, "GET", "/orders/1", key, bearer(mint(t, reader)))))
	var names []string
	for _, s := range steps {
		names = append(names, s.Stage)
		if s.Took < 0 || s.Stage == "token" && s.Took == 0 { // a signature takes its time
			t.Errorf("got %v for %s", s.Took, s.Stage)
		}
	}
	if got := strings.Join(names, " "); got != "route key token revocation callers allow binding require forward" {
		t.Errorf("got %s", got)
	}
}
