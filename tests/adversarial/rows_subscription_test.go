package adversarial

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
	"tollgate/shared/revocation"
	"tollgate/shared/subscription"
)

const (
	oneClient = "0badf00d-0000-4000-8000-00000000000a"
	otherOne  = "0badf00d-0000-4000-8000-00000000000b"
)

// keyring is one key of each fate.
type keyring map[string]string

func (b *bench) keyring(t *testing.T) keyring {
	t.Helper()
	o, k := b.office(t), keyring{}
	end := func(name string, do func(id string) error) {
		id, key := open(t, o, subscription.Wish{Product: "partner"})
		if err := do(id); err != nil {
			t.Fatal(err)
		}
		k[name] = key
	}
	_, k["partner"] = open(t, o, subscription.Wish{Product: "partner"})
	_, k["another partner's"] = open(t, o, subscription.Wish{Product: "partner"})
	_, k["warehouse"] = open(t, o, subscription.Wish{Product: "warehouse"})
	_, k["alone's own"] = open(t, o, subscription.Wish{API: "alone"})
	_, k["bound"] = open(t, o, subscription.Wish{Product: "bound", Client: oneClient, Tenant: estate.Tenant()})
	_, k["of another tenant"] = open(t, o, subscription.Wish{Product: "bound", Client: oneClient, Tenant: estate.GUID("tenant", "partner")})
	_, k["bound to nothing"] = open(t, o, subscription.Wish{Product: "bound"})
	_, k["not approved"] = open(t, o, subscription.Wish{Product: "partner", Approval: true})
	_, k["short-lived"] = open(t, o, subscription.Wish{Product: "partner", Expires: b.clock().Add(10 * time.Minute)})
	end("suspended", func(id string) error { _, err := o.Suspend(t.Context(), id); return err })
	end("cancelled", func(id string) error { _, err := o.Cancel(t.Context(), id); return err })
	end("rotated away", func(id string) (err error) {
		_, k["its successor"], err = o.Rotate(t.Context(), id, subscription.Rotation{})
		return err
	})
	end("in its grace", func(id string) (err error) {
		_, k["beside it"], err = o.Rotate(t.Context(), id, subscription.Rotation{Grace: 5 * time.Minute})
		return err
	})
	return k
}

// opening: case 122.
func opening(k keyring) (rows []row) {
	alone := func(name, key, want string) row {
		return row{id: "G122", name: name, request: withKey("GET /alone/1", key), want: want, check: keyless}
	}
	for _, name := range []string{"partner", "another partner's", "alone's own", "short-lived", "its successor", "in its grace", "beside it"} {
		rows = append(rows, alone("a key, "+name, k[name], "200"))
	}
	for name, want := range map[string]string{
		"warehouse": "401 key_not_for_api", "bound": "401 key_not_for_api", "not approved": "401 key_inactive", "suspended": "401 key_inactive",
		"cancelled": "401 key_inactive", "rotated away": "401 key_expired",
	} {
		rows = append(rows, alone("a key, "+name, k[name], want))
	}
	key := k["partner"]
	flipped := key[:20] + next(key[20]) + key[21:]
	for name, text := range map[string]string{
		"one character flipped": flipped, "the last character flipped": key[:len(key)-1] + next(key[len(key)-1]), "in upper case": strings.ToUpper(key), "one character more": key + "a", "one character less": key[:len(key)-1],
		"with a space inside": key[:10] + " " + key[10:], "with a tab behind the prefix": "tgk_\t" + key[4:], "percent-encoded": "%74" + key[1:], "a no-break space behind": key + "\u00a0", "a fullwidth letter": "ｔ" + key[1:], "a soft hyphen inside": key[:9] + "\u00ad" + key[9:],
		"two in one line": key + "," + key, "quoted": `"` + key + `"`, "under a scheme": "Bearer " + key, "another's checksum": key[:36] + k["warehouse"][36:], "nonsense": "x", "very long": strings.Repeat("tgk_", 4000), "in Base64": b64(key),
	} {
		rows = append(rows, alone(name, text, "401 key_malformed"))
	}
	return append(rows,
		alone("spaces around it, which are none of it", "  "+key+" \t", "200"),
		alone("nothing", "", "401 key_missing"),
		row{id: "G122", name: "an API's own key, at another API", request: withKey("GET /stock/1", k["alone's own"]), want: "401 key_not_for_api"},
		row{id: "G122", name: "a warehouse's where it belongs", request: withKey("GET /stock/1", k["warehouse"]), want: "200", check: keyless},
	)
}

// places: a key counts where the contract says, and passes on from nowhere.
func places(k keyring) (rows []row) {
	key, other := k["partner"], k["another partner's"]
	missing := func(name string, request string) row {
		return row{id: "G125", name: name, request: request, want: "401 key_missing"}
	}
	both := func(name, want, query string, lines ...string) row {
		return row{id: "G125", name: name, request: ask("GET /parts/1"+query, lines...), want: want, check: keyless}
	}
	own := "X-Parts-Key: " + key
	rows = append(rows,
		both("header and query alike", "200", "?parts-key="+key, own),
		both("header and query differ", "400 key_ambiguous", "?parts-key="+other, own),
		both("header and an encoded query differ", "400 key_ambiguous", "?parts%2Dkey=%74"+other[1:], own),
		both("two headers differ", "400 key_ambiguous", "", own, "X-Parts-Key: "+other),
		both("two headers of different case differ", "400 key_ambiguous", "", own, "x-parts-key: "+other),
		both("two parameters differ", "400 key_ambiguous", "?parts-key="+key+"&a=1&parts-key="+other),
		both("a good key beside nonsense", "400 key_ambiguous", "?parts-key=x", own),
		both("another's under an underscore, which nobody reads", "200", "", own, "X_Parts_Key: "+other),
		both("another's in a parameter of another case, which nobody reads", "200", "?PARTS-KEY="+other, own),
		both("the gateway's header beside the API's own", "200", "", own, contract.DefaultKeyHeader+": "+other),
		both("the gateway's parameter, which it has none of", "200", "?subscription-key="+other+"&Subscription%2dKey="+other, own),
		both("the query alone, between others", "200", "?a=1&parts-key="+key+"&b=2"),
	)
	for name, lines := range map[string][]string{
		"the header of another API": {own}, "a cookie": {"Cookie: Ocp-Apim-Subscription-Key=" + key}, "Authorization": {"Authorization: SubscriptionKey " + key}, "the header with _": {"Ocp_Apim_Subscription_Key: " + key},
		"X-Api-Key": {"X-Api-Key: " + key}, "X-Forwarded-Ocp-Apim-Subscription-Key": {"X-Forwarded-Ocp-Apim-Subscription-Key: " + key}, "an empty header": {contract.DefaultKeyHeader + ": "},
	} {
		rows = append(rows, missing("in "+name, ask("GET /alone/1", lines...)))
	}
	for _, query := range []string{"subscription-key=", "Subscription-Key=", "subscription%2Dkey=", "ocp-apim-subscription-key=", "parts-key=", "api-key=", "key=", "subscription-key[]="} {
		rows = append(rows, missing("in the query "+query, ask("GET /alone/1?"+query+key)))
	}
	return append(rows,
		row{id: "G125", name: "a parameter beside the header, where none may be", request: withKey("GET /alone/1?subscription-key="+other+"&a=1&subscription%2dkey="+other, key), want: "200", check: func(t *testing.T, b *bench, a answer) {
			keyless(t, b, a)
			if got := b.Backend.Requests()[0].Target; got != "/alone/1?a=1" {
				t.Errorf("got %s at the backend, want what isn't a key alone", got)
			}
		}},
		row{id: "G125", name: "a parameter behind a semicolon", request: withKey("GET /alone/1?a=1;subscription-key="+other+";b=2&c=3", key), want: "200", check: func(t *testing.T, b *bench, a answer) {
			keyless(t, b, a)
			if got := b.Backend.Requests()[0].Target; got != "/alone/1?a=1;b=2&c=3" {
				t.Errorf("got %s at the backend, want what isn't a key alone", got)
			}
		}},
		row{id: "G125", name: "a key that Connection names", request: withKey("GET /alone/1", key, "Connection: Ocp-Apim-Subscription-Key"), want: "200", check: keyless},
	)
}

// bindings: case 124, and what a key and a token do together.
func bindings(b *bench, k keyring) (rows []row) {
	token := func(version, client, tenant string) string {
		return "Authorization: Bearer " + b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.read"}, Version: version, Client: client, Tenant: tenant})
	}
	row124 := func(name, key, want string, lines ...string) row {
		return row{id: "G124", name: name, request: withKey("GET /orders/1", key, lines...), want: want, check: keyless}
	}
	mine := token("", oneClient, "")
	rows = append(rows,
		row124("its client and tenant", k["bound"], "200", mine),
		row124("its client, in a v1 token", k["bound"], "200", token("v1", oneClient, "")),
		row124("another client", k["bound"], "403 key_token_mismatch", token("", otherOne, "")),
		row124("another client, in a v1 token", k["bound"], "403 key_token_mismatch", token("v1", otherOne, "")),
		row124("a key of another tenant", k["of another tenant"], "403 key_token_mismatch", mine),
		row124("a subscription that names nobody", k["bound to nothing"], "403 key_token_mismatch", mine),
		row124("no token", k["bound"], "401 token_missing"),
		row124("a key that is bound to nobody, with anyone's token", k["partner"], "200", token("", otherOne, "")),
		row124("another issuer's token that claims the client", k["bound"], "403 key_token_mismatch", "Authorization: Bearer "+b.hand(b.payload(map[string]any{"azp": oneClient}))),
		row124("appid beside another azp", k["bound"], "403 key_token_mismatch", "Authorization: Bearer "+b.user(map[string]any{"azp": otherOne, "appid": oneClient})),
		row{id: "G124", name: "a token without a key", request: ask("GET /orders/1", mine), want: "401 key_missing"},
	)
	for _, w := range []string{strings.ToUpper(oneClient), oneClient + " ", "{" + oneClient + "}"} {
		want := "403 key_token_mismatch"
		if strings.EqualFold(w, oneClient) {
			want = "200"
		}
		rows = append(rows, row124("the client as "+w, k["bound"], want, "Authorization: Bearer "+b.user(map[string]any{"azp": w})))
	}
	return rows
}

func TestKeysUnderAttack(t *testing.T) {
	b := metered(t, nil)
	k := b.keyring(t)
	b.run(t, slices.Concat(opening(k), places(k), bindings(b, k)))
	b.Pass(11 * time.Minute)
	b.run(t, []row{
		{id: "G122", name: "a key that expired meanwhile", request: withKey("GET /alone/1", k["short-lived"]), want: "401 key_expired"},
		{id: "G122", name: "a key whose grace is over", request: withKey("GET /alone/1", k["in its grace"]), want: "401 key_expired"},
		{id: "G122", name: "the key that came after it", request: withKey("GET /alone/1", k["beside it"]), want: "200"},
	})
}

// keysBehindHost is the same behind the host.
func keysBehindHost(t *testing.T, app string) {
	b := hostedOn(t, "metered", app, nil)
	k := b.keyring(t)
	b.run(t, slices.Concat(opening(k), places(k), bindings(b, k)))
	b.assertLines(t)
}

// G122: what can be told from the text costs no call of the store, and what was
// told once costs none again.
func TestG122AMalformedKeyAsksNobody(t *testing.T) {
	b := metered(t, nil)
	_, key := open(t, b.office(t), subscription.Wish{Product: "partner"})
	if got, a := b.status(t, withKey("GET /alone/1", key)); got != "200" {
		t.Fatalf("got %s %s", got, a.body)
	}
	before := b.Storage.Operations()
	for i := range 40 {
		if got, _ := b.status(t, withKey("GET /alone/1", key[:i]+next(key[i])+key[i+1:])); got != "401 key_malformed" {
			t.Errorf("got %s with character %d flipped", got, i)
		}
	}
	if got := b.Storage.Operations(); got.Total()-before.Total() > 2 { // the list of revocations is asked for by time
		t.Errorf("got %d calls of the store for 40 malformed keys, want none", got.Total()-before.Total())
	}
}

// G122, H140: a key that is suspended or renewed while it is known.
func TestAKnownKeyIsJudgedAnewWithinTheRefresh(t *testing.T) {
	b := metered(t, nil)
	o := b.office(t)
	first, key := open(t, o, subscription.Wish{Product: "partner"})
	second, rotated := open(t, o, subscription.Wish{Product: "partner"})
	b.run(t, []row{
		{id: "H140", name: "before it is suspended", request: withKey("GET /alone/1", key), want: "200"},
		{id: "H140", name: "before it is renewed", request: withKey("GET /alone/1", rotated), want: "200"},
	})
	if _, err := o.Suspend(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.Rotate(t.Context(), second, subscription.Rotation{}); err != nil {
		t.Fatal(err)
	}
	b.Pass(contract.DefaultKeyRefresh + time.Second)
	b.run(t, []row{
		{id: "H140", name: "after", request: withKey("GET /alone/1", key), want: "401 key_inactive"},
		{id: "H140", name: "after", request: withKey("GET /alone/1", rotated), want: "401 key_expired"},
	})
}

// A key that is enough by itself is enough beside a token of somebody who was cut
// off: the token isn't looked at. Where both are needed, both must be good.
func TestAKeyBesideARevokedUsersToken(t *testing.T) {
	b := metered(t, nil)
	id, key := open(t, b.office(t), subscription.Wish{Product: "partner"})
	_, other := open(t, b.office(t), subscription.Wish{Product: "partner"})
	oid := somebody()
	token := "Authorization: Bearer " + b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.read"}, User: oid})
	b.run(t, []row{{id: "G122", name: "both good", request: withKey("GET /orders/1", key, token), want: "200", check: keyless}})
	b.Pass(2 * time.Second)
	book := func(kind revocation.Kind, tenant, id string) {
		a := b.account(t)
		if _, err := (revocation.Book{Rows: a.Table(revocation.TableName), Clock: a.Clock(), NewID: somebody}).Revoke(t.Context(), revocation.Order{Subject: must(revocation.Of(kind, "", tenant, id)), By: "tests"}); err != nil {
			t.Fatal(err)
		}
		b.Pass(6 * time.Second)
	}
	book(revocation.User, estate.Tenant(), oid)
	b.run(t, []row{
		{id: "G122", name: "the key and the revoked user's token", request: withKey("GET /orders/1", key, token), want: "401 token_revoked"},
		{id: "G122", name: "the key alone, beside that token", request: withKey("GET /alone/1", key, token), want: "200", check: keyless},
	})
	book(revocation.Subscription, "", id)
	b.run(t, []row{
		{id: "G122", name: "a revoked subscription's key", request: withKey("GET /alone/1", key), want: "401 key_revoked"},
		{id: "G122", name: "another's key", request: withKey("GET /alone/1", other), want: "200"},
	})
}

// Nothing that a caller writes elsewhere brings its key to a backend, but for
// the body, which is the backend's.
func TestAKeyInATrailerIsHeardByNobody(t *testing.T) {
	b := metered(t, nil)
	_, key := open(t, b.office(t), subscription.Wish{Product: "partner"})
	for _, name := range []string{contract.DefaultKeyHeader, "X-Parts-Key", "X_Parts_Key"} {
		b.Backend.Reset()
		token := "Authorization: Bearer " + b.mint(issuer.Token{API: "orders", Scopes: []string{"orders.read"}})
		request := "POST /orders HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n" + token + "\r\n" + contract.DefaultKeyHeader + ": " + key + "\r\nTrailer: " + name + "\r\n" + te + "\r\n\r\n5\r\nhello\r\n0\r\n" + name + ": " + key + "\r\n\r\n"
		if got, a := b.status(t, request); got != "200" {
			t.Errorf("%s: got %s %s", name, got, a.body)
		}
		keyless(t, b, answer{})
	}
	for _, e := range b.Events() {
		if subscriptionKey.MatchString(fmt.Sprint(e)) {
			t.Errorf("the event holds a key: %+v", e)
		}
	}
}
