package subscription_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	. "tollgate/shared/subscription"
)

func TestG122AKeyOpensWhatItsSubscriptionIsTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		id, partner := d.open(t, Wish{Product: "partner"})
		_, internal := d.open(t, Wish{Product: "internal"})
		_, orders := d.open(t, Wish{API: "orders"})
		_, gone := d.open(t, Wish{Product: "retired"})
		stranger, _ := Mint(strings.NewReader(strings.Repeat("s", 20)))
		for _, c := range []struct {
			key           string
			orders, stock string
		}{
			{partner, "granted", "401 key_not_for_api"},
			{internal, "granted", "granted"},
			{orders, "granted", "401 key_not_for_api"},
			{gone, "401 key_not_for_api", "401 key_not_for_api"},
			{stranger, "401 key_unknown", "401 key_unknown"},
			{"", "401 key_missing", "401 key_missing"},
			{partner[:42] + "_", "401 key_malformed", "401 key_malformed"},
			{strings.ToUpper(partner), "401 key_malformed", "401 key_malformed"}, // G128: one spelling
		} {
			if a, b := d.ask(t, 0, c.key), d.ask(t, 1, c.key); a != c.orders || b != c.stock {
				t.Errorf("%.8s…: got %s and %s, want %s and %s", c.key, a, b, c.orders, c.stock)
			}
		}
		k := call(t, "/", with(partner))
		if r := d.Require(d.plan.APIs[0], needed)(t.Context(), k); r != nil || k.Subscription == nil || k.Subscription.ID != id || k.Subscription.Product != "partner" || k.Subscription.Created.IsZero() || k.Subscription.Started.IsZero() {
			t.Errorf("got %v and %+v", r, k.Subscription)
		}
	})
}

func TestG122AMalformedKeyCostsNoStorageCall(t *testing.T) {
	d := newDesk()
	_, key := d.open(t, Wish{Product: "partner"})
	for i := range key {
		c := byte('a')
		if key[i] == 'a' {
			c = 'b'
		}
		d.want(t, key[:i]+string(c)+key[i+1:], "401 key_malformed")
	}
	if got := d.reads(); got != 0 {
		// The office asked nothing either: it knew the time.
		t.Errorf("got %d reads, want none", got)
	}
}

func TestNobodyLearnsWhyAKeyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		id, suspended := d.open(t, Wish{Product: "partner"})
		_, expired := d.open(t, Wish{Product: "partner", Expires: time.Now().Add(time.Minute)})
		_, elsewhere := d.open(t, Wish{API: "stock"})
		unknown, _ := Mint(strings.NewReader(strings.Repeat("s", 20)))
		if _, err := d.Suspend(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		codes := map[string]bool{}
		for _, key := range []string{suspended, expired, elsewhere, unknown, "x"} {
			r := d.Require(d.plan.APIs[0], needed)(t.Context(), call(t, "/", with(key)))
			if r == nil || r.Kind != refusal.Unauthenticated || r.Detail != "The subscription key is not valid for this API." || r.Challenge.Error != "invalid_key" || r.Challenge.Scheme != Scheme {
				t.Fatalf("got %+v", r)
			}
			codes[r.Code] = true
		}
		if len(codes) != 5 {
			t.Errorf("got the codes %v, want one for each, for operators", codes)
		}
	})
}

func TestG125TwoDifferentKeysAreAmbiguous(t *testing.T) {
	d := newDesk()
	d.plan.APIs[0].Keys.Query = "api-key"
	_, one := d.open(t, Wish{Product: "partner"})
	_, two := d.open(t, Wish{Product: "partner"})
	require := d.Require(d.plan.APIs[0], needed)
	for name, c := range map[string]struct {
		target  string
		headers []string
		want    string
	}{
		"header and query":           {"/?api-key=" + two, []string{with(one)}, "400 key_ambiguous"},
		"the same in both":           {"/?api-key=" + one, []string{with(one)}, "granted"},
		"two headers":                {"/", []string{with(one), with(two)}, "400 key_ambiguous"},
		"the same header twice":      {"/", []string{with(one), with(one)}, "granted"},
		"two parameters":             {"/?api-key=" + one + "&a&api%2Dkey=" + two, nil, "400 key_ambiguous"},
		"the query alone":            {"/?a=1&api-key=" + one, nil, "granted"},
		"encoded":                    {"/?api-key=%74" + one[1:], nil, "granted"},
		"an empty header counts not": {"/?api-key=" + one, []string{with("")}, "granted"},
		"empty everywhere":           {"/?api-key=&api-key", []string{with("")}, "401 key_missing"},
		"good and nonsense":          {"/?api-key=x", []string{with(one)}, "400 key_ambiguous"},
		"two in one line":            {"/", []string{with(one + ", " + two)}, "401 key_malformed"},
		"another parameter":          {"/?subscription-key=" + one, nil, "401 key_missing"},
		"not quite a parameter":      {"/?api-key=%zz", nil, "401 key_malformed"},
	} {
		if got := said(require(t.Context(), call(t, c.target, c.headers...))); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	d.plan.APIs[0].Keys.Query = ""
	if got := said(d.Require(d.plan.APIs[0], needed)(t.Context(), call(t, "/?api-key="+one+"&subscription-key="+one))); got != "401 key_missing" {
		t.Errorf("got %s: a query carries no key unless the contract says so", got)
	}
}

func TestWithoutAKeyOnlyWhereTheContractSaysSo(t *testing.T) {
	d := newDesk()
	optional := contract.PlannedOperation{ID: "get", Key: contract.KeyOptional, Allow: &contract.Allow{}}
	c := call(t, "/")
	if got := said(d.Require(d.plan.APIs[0], optional)(t.Context(), c)); got != "granted" || c.Subscription != nil {
		t.Errorf("got %s and %v", got, c.Subscription)
	}
	if got := said(d.Require(d.plan.APIs[0], optional)(t.Context(), call(t, "/", with("x")))); got != "401 key_malformed" {
		t.Errorf("got %s: a key that is sent must be good", got)
	}
	r := d.Require(d.plan.APIs[0], needed)(t.Context(), call(t, "/"))
	if r.Challenge.Error != "" || r.Challenge.Name != contract.DefaultKeyHeader || r.Rule != "operations.get.allow.key" {
		t.Errorf("got %+v by %s", r.Challenge, r.Rule)
	}
	byProduct := contract.PlannedOperation{ID: "get", Key: contract.KeyAnd, Allow: &contract.Allow{}}
	if r := d.Require(d.plan.APIs[0], byProduct)(t.Context(), call(t, "/")); r.Rule != "gateway.products.internal" {
		t.Errorf("got the rule %s", r.Rule)
	}
}

func TestAStoreThatIsDownIsNotABadKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		_, known := d.open(t, Wish{Product: "partner"})
		_, other := d.open(t, Wish{Product: "partner"})
		d.want(t, known, "granted")
		d.down = true
		r := d.Require(d.plan.APIs[0], needed)(t.Context(), call(t, "/", with(other)))
		if said(r) != "503 keys_unavailable" || r.RetryAfter < time.Second || r.Challenge != nil || r.Cause() == "" {
			t.Fatalf("got %s %+v", said(r), r)
		}
		for passed := time.Duration(0); passed < 5*time.Minute; passed += 10 * time.Second {
			d.want(t, known, "granted")
			time.Sleep(10 * time.Second)
		}
		d.want(t, known, "503 keys_unavailable") // past maxStale
		d.down = false
		time.Sleep(10 * time.Second)
		d.want(t, known, "granted")
		d.want(t, other, "granted")
	})
}

func TestASlowStoreDoesNotMakeASlowGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		_, key := d.open(t, Wish{Product: "partner"})
		d.want(t, key, "granted")
		d.delay = 250 * time.Millisecond
		time.Sleep(time.Minute)
		d.mu.Lock()
		d.down = true // each try takes its quarter of a second, and fails
		d.mu.Unlock()
		began, waited := time.Now(), 0
		for range 100 {
			before := time.Now()
			d.want(t, key, "granted")
			if time.Since(before) > 0 {
				waited++
			}
			time.Sleep(10 * time.Millisecond)
		}
		if waited > 2 {
			t.Errorf("%d of 100 calls in %s waited for the store", waited, time.Since(began))
		}
	})
}

func TestWithoutASecretOrAStoreNothingIsGranted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		_, key := d.open(t, Wish{Product: "partner"})
		for name, source := range map[string]Source{
			"nothing":        {},
			"no secrets":     {d.table, d.table, nil},
			"no such secret": {d.table, d.table, secrets{}},
			"a short secret": {d.table, d.table, secrets{"new": strings.Repeat("n", 31), "old": "o"}},
		} {
			stage := NewRegister(d.plan, source, time.Now).Require(d.plan.APIs[0], needed)
			if r := stage(t.Context(), call(t, "/", with(key))); said(r) != "503 keys_unavailable" || strings.Contains(r.Cause(), "nnn") {
				t.Errorf("%s: got %s because %s", name, said(r), r.Cause())
			}
		}
	})
}

func TestASuspensionHoldsEverywhereWithinTheRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		id, key := d.open(t, Wish{Product: "partner"})
		instances := []*desk{d, d.another(), d.another()}
		d.delay = 20 * time.Millisecond
		var stop sync.WaitGroup
		var suspended time.Time
		var mu sync.Mutex
		for i, in := range instances {
			require := in.Require(in.plan.APIs[0], needed)
			stop.Go(func() {
				time.Sleep(time.Duration(i) * 7 * time.Second)
				for range 1500 {
					began := time.Now()
					verdict := said(require(context.Background(), call(t, "/", with(key))))
					mu.Lock()
					late := !suspended.IsZero() && began.Sub(suspended) > contract.DefaultKeyRefresh
					mu.Unlock()
					if late && verdict != "401 key_inactive" {
						t.Errorf("instance %d: got %s %s after the suspension", i, verdict, began.Sub(suspended))
						return
					}
					time.Sleep(53 * time.Millisecond)
				}
			})
		}
		time.Sleep(20 * time.Second)
		if _, err := d.Suspend(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		suspended = time.Now()
		mu.Unlock()
		stop.Wait()
	})
}

func TestABusyKeyCostsOneReadForEachRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		_, key := d.open(t, Wish{Product: "partner"})
		d.want(t, key, "granted")
		before := d.reads()
		for range 600 {
			time.Sleep(time.Second)
			d.want(t, key, "granted")
		}
		if got := d.reads() - before; got > 20 {
			t.Errorf("got %d reads in ten minutes, want one in 30 s", got)
		}
	})
}

func TestMadeUpKeysCannotPushGoodOnesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		_, key := d.open(t, Wish{Product: "partner"})
		d.want(t, key, "granted")
		require := d.Require(d.plan.APIs[0], needed)
		for i := range 20_000 {
			b := make([]byte, 20)
			b[0], b[1], b[2] = byte(i), byte(i>>8), 1
			made, _ := Mint(strings.NewReader(string(b)))
			if got := said(require(t.Context(), call(t, "/", with(made)))); got != "401 key_unknown" {
				t.Fatalf("got %s", got)
			}
		}
		before := d.reads()
		if d.want(t, key, "granted"); d.reads() != before {
			t.Error("the good key was forgotten")
		}
	})
}

func TestKnownTellsWhatCostsNoStorageCall(t *testing.T) {
	d := newDesk()
	_, key := d.open(t, Wish{Product: "partner"})
	known := d.Known(d.plan.APIs[0])
	of := func(headers ...string) bool { return known(t.Context(), call(t, "/", headers...)) }
	if !of() || !of(with("x")) || !of(with("a"), with("b")) || of(with(key)) {
		t.Error("a key that was never seen must be asked for, and nothing else")
	}
	if d.want(t, key, "granted"); !of(with(key)) {
		t.Error("a key that was seen costs a look")
	}
}

func TestG124AKeyIsHeldToItsTokensClientAndTenant(t *testing.T) {
	const a, b = "0badf00d-0000-4000-8000-00000000000a", "0badf00d-0000-4000-8000-00000000000b"
	bound := Bound(plan().Products)
	token := func(client, tenant string) *pipeline.Identity {
		return &pipeline.Identity{Authority: "entra/" + tenant, Claims: pipeline.Claims{"azp": client, "appid": b, "tid": b}}
	}
	for name, c := range map[string]struct {
		s    *pipeline.Subscription
		id   *pipeline.Identity
		want string
	}{
		"no key":                           {nil, token(a, a), "granted"},
		"both, as named":                   {&pipeline.Subscription{Product: "internal", Client: a, Tenant: a}, token(a, a), "granted"},
		"in another case":                  {&pipeline.Subscription{Product: "internal", Client: strings.ToUpper(a), Tenant: a}, token(a, strings.ToUpper(a)), "granted"},
		"another client":                   {&pipeline.Subscription{Product: "internal", Client: b, Tenant: a}, token(a, a), "403 key_token_mismatch"},
		"another tenant":                   {&pipeline.Subscription{Product: "internal", Client: a, Tenant: b}, token(a, a), "403 key_token_mismatch"},
		"the subscription names no client": {&pipeline.Subscription{Product: "internal", Tenant: a}, token(a, a), "403 key_token_mismatch"},
		"the subscription names no tenant": {&pipeline.Subscription{Product: "internal", Client: a}, token(a, a), "403 key_token_mismatch"},
		"a token without a client":         {&pipeline.Subscription{Product: "internal", Client: a, Tenant: a}, &pipeline.Identity{Authority: "entra/" + a}, "403 key_token_mismatch"},
		"an issuer without tenants":        {&pipeline.Subscription{Product: "internal", Client: a, Tenant: b}, token(a, ""), "403 key_token_mismatch"},
		"no token":                         {&pipeline.Subscription{Product: "internal", Client: a, Tenant: a}, nil, "403 key_token_mismatch"},
		"unbound":                          {&pipeline.Subscription{Product: "partner"}, nil, "granted"},
		"named all the same":               {&pipeline.Subscription{Product: "partner", Client: b}, token(a, a), "403 key_token_mismatch"},
		"named for an API":                 {&pipeline.Subscription{API: "orders", Tenant: b}, token(a, a), "403 key_token_mismatch"},
	} {
		r := bound(t.Context(), &pipeline.Call{Subscription: c.s, Identity: c.id})
		if got := said(r); got != c.want || r != nil && r.Challenge != nil {
			t.Errorf("%s: got %s, want %s without a challenge", name, got, c.want)
		}
	}
}

func TestAKnownKeyIsFoundWithoutMemory(t *testing.T) {
	d := newDesk()
	_, key := d.open(t, Wish{Product: "partner"})
	require := d.Require(d.plan.APIs[0], needed)
	c, ctx := call(t, "/orders/1?a=1", with(key)), t.Context()
	if n := testing.AllocsPerRun(200, func() {
		if r := require(ctx, c); r != nil {
			t.Error(said(r))
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}
