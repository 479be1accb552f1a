package limit_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/limit/memory"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// noon is where the tests' clock stands.
func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 10, 0, time.UTC) }

// down is a store that can't be asked.
type down struct{}

func (down) Take(context.Context, limit.Key, int64) (limit.Grant, error) {
	return limit.Grant{}, &limit.Unavailable{Cause: errors.New("the store is down"), Wait: 3 * time.Second}
}

func (down) Settle(context.Context, limit.Grant, int64) error { return nil }

// of is a limit of calls a minute by subscription, unless edited.
func of(name string, amount int64, edit ...func(*contract.PlannedLimit)) contract.PlannedLimit {
	l := contract.PlannedLimit{
		Name: name, Scope: "api/orders", Rule: "limits." + name, Amount: amount, Period: contract.PeriodFixed, Window: time.Minute,
		By: []contract.CountedBy{{Kind: contract.PerSubscription}}, Outage: contract.OutageRefuse, LocalShare: 10,
	}
	for _, e := range edit {
		e(&l)
	}
	return l
}

// stage spends by these limits of an operation.
func stage(store limit.Store, weight int64, limits ...contract.PlannedLimit) pipeline.Stage {
	set := limit.NewSet(&contract.Plan{}, limit.Stores{Shared: store, Local: memory.New(noon)})
	return set.Spend(contract.PlannedAPI{Name: "orders"}, contract.PlannedOperation{ID: "get", Weight: weight, Limits: limits})
}

func call() *pipeline.Call {
	return &pipeline.Call{Request: &http.Request{Header: http.Header{}}, Subscription: &pipeline.Subscription{ID: "s1", Product: "partner"}}
}

// ask sends one call through, and finishes it with this answer.
func ask(t *testing.T, spend pipeline.Stage, o pipeline.Outcome) (*pipeline.Call, *refusal.Refusal) {
	t.Helper()
	c := call()
	refused := spend(t.Context(), c)
	c.Outcome = o
	for _, do := range c.Afterwards {
		do(t.Context(), c, refused)
	}
	return c, refused
}

// granted counts how many of twenty calls pass.
func granted(t *testing.T, spend pipeline.Stage, o pipeline.Outcome) (n int) {
	t.Helper()
	for range 20 {
		if _, refused := ask(t, spend, o); refused == nil {
			n++
		}
	}
	return n
}

func TestAUsedUpLimitSaysSo(t *testing.T) {
	spend := stage(memory.New(noon), 1, of("per-key", 2), of("daily", 100, func(l *contract.PlannedLimit) { l.Period, l.Window, l.Quota = "day", 0, true }))
	c, refused := ask(t, spend, pipeline.Outcome{})
	h := http.Header{}
	if c.Announce(h); refused != nil {
		t.Fatal(refused)
	}
	if got, want := h.Get("RateLimit-Policy"), `"per-key";q=2;w=60, "daily";q=100;w=86400`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := h.Get("RateLimit"), `"per-key";r=1;t=50, "daily";r=99;t=43190`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	ask(t, spend, pipeline.Outcome{})
	c, refused = ask(t, spend, pipeline.Outcome{})
	// G134: the wait that is told is the real one, in both headers, whole and rounded up.
	if refused == nil || refused.Kind != refusal.TooMany || refused.Code != "rate_exceeded" || refused.RetryAfter != 50*time.Second || refused.Rule != "limits.per-key" {
		t.Fatalf("got %+v, want a refusal for 50 s", refused)
	}
	h = http.Header{}
	if c.Announce(h); h.Get("RateLimit") != `"per-key";r=0;t=50` {
		t.Errorf("got %s, want nothing left for 50 s", h.Get("RateLimit"))
	}
	// And what it refused is not counted by the other limit.
	other := stage(memory.New(noon), 1, of("first", 100), of("second", 5))
	if n := granted(t, other, pipeline.Outcome{Status: 200}); n != 5 {
		t.Errorf("got %d granted, want 5", n)
	}
}

func TestARefusedCallCostsTheOtherLimitsNothing(t *testing.T) {
	store := memory.New(noon)
	both := stage(store, 1, of("first", 10), of("second", 3))
	granted(t, both, pipeline.Outcome{Status: 200})
	alone := stage(store, 1, of("first", 10))
	if n := granted(t, alone, pipeline.Outcome{Status: 200}); n != 7 {
		t.Errorf("got %d left of the first limit, want 7", n)
	}
}

func TestWhatIsCounted(t *testing.T) {
	for name, c := range map[string]struct {
		weight  int64
		edit    func(*contract.PlannedLimit)
		outcome pipeline.Outcome
		want    int // of twenty calls, at a limit of ten
	}{
		"every call":                       {1, func(*contract.PlannedLimit) {}, pipeline.Outcome{Status: 500}, 10},
		"by weight":                        {3, func(*contract.PlannedLimit) {}, pipeline.Outcome{Status: 200}, 3},
		"not answers of a class":           {1, func(l *contract.PlannedLimit) { l.Uncounted[5] = true }, pipeline.Outcome{Status: 503}, 20},
		"answers of another class":         {1, func(l *contract.PlannedLimit) { l.Uncounted[5] = true }, pipeline.Outcome{Status: 404}, 10},
		"no answer, as the client left":    {1, func(l *contract.PlannedLimit) { l.Uncounted[5] = true }, pipeline.Outcome{}, 10},
		"weight, given back whole":         {5, func(l *contract.PlannedLimit) { l.Uncounted[4] = true }, pipeline.Outcome{Status: 404}, 20},
		"bytes, both ways":                 {1, func(l *contract.PlannedLimit) { l.Amount, l.Bytes = 1000, true }, pipeline.Outcome{Status: 200, Bytes: 150, Received: 50}, 5},
		"bytes, beyond what is left":       {1, func(l *contract.PlannedLimit) { l.Amount, l.Bytes = 1000, true }, pipeline.Outcome{Status: 200, Bytes: 400}, 3},
		"no bytes of an uncounted class":   {1, func(l *contract.PlannedLimit) { l.Amount, l.Bytes, l.Uncounted[5] = 10, true, true }, pipeline.Outcome{Status: 500, Bytes: 400}, 20},
		"in shadow, and nothing refused":   {1, func(l *contract.PlannedLimit) { l.Shadow = true }, pipeline.Outcome{Status: 200}, 20},
		"a call that weighs more than all": {11, func(*contract.PlannedLimit) {}, pipeline.Outcome{Status: 200}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if n := granted(t, stage(memory.New(noon), c.weight, of("l", 10, c.edit)), c.outcome); n != c.want {
				t.Errorf("got %d of 20 granted, want %d", n, c.want)
			}
		})
	}
}

// G137: what a call weighs is the contract's to say.
func TestACallerCanNotSayWhatACallWeighs(t *testing.T) {
	spend := stage(memory.New(noon), 5, of("l", 10))
	n := 0
	for range 10 {
		c := call()
		c.Request.Header = http.Header{"X-Cost": {"0"}, "X-Weight": {"-5"}, "Ratelimit": {`"l";r=1000`}}
		if spend(t.Context(), c) == nil {
			n++
		}
	}
	if n != 2 {
		t.Errorf("got %d granted, want 2", n)
	}
}

func TestRefusedCallsMayBeUncounted(t *testing.T) {
	spend := stage(memory.New(noon), 1, of("l", 3, func(l *contract.PlannedLimit) { l.UncountedRefused = true }))
	for range 10 {
		c := call()
		if refused := spend(t.Context(), c); refused != nil {
			t.Fatalf("got %+v, want the call let through", refused)
		}
		for _, do := range c.Afterwards {
			do(t.Context(), c, refusal.New(refusal.BadGateway, "backend_unreachable", ""))
		}
	}
}

func TestOutages(t *testing.T) {
	for name, c := range map[string]struct {
		edit  func(*contract.PlannedLimit)
		want  int // of twenty calls
		code  string
		mark  string
		store limit.Store
	}{
		"refuse, which is what silence means": {func(*contract.PlannedLimit) {}, 0, "limit_unavailable", "", down{}},
		"allow":                               {func(l *contract.PlannedLimit) { l.Outage = contract.OutageAllow }, 20, "", "limit_outage:l:allow", down{}},
		"a local share":                       {func(l *contract.PlannedLimit) { l.Outage, l.Amount = contract.OutageLocal, 50 }, 5, "rate_exceeded", "limit_outage:l:local", down{}},
		"in shadow":                           {func(l *contract.PlannedLimit) { l.Shadow = true }, 20, "", "limit_outage:l:allow", down{}},
		"no store at all":                     {func(*contract.PlannedLimit) {}, 0, "limit_unavailable", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			spend, n := stage(c.store, 1, of("l", 10, c.edit)), 0
			for range 20 {
				call, refused := ask(t, spend, pipeline.Outcome{Status: 200})
				switch {
				case refused == nil:
					n++
				case refused.Code != c.code || refused.RetryAfter <= 0:
					t.Fatalf("got %+v, want %s with a time", refused, c.code)
				}
				if (refused == nil || c.code != "limit_unavailable") && !slices.Contains(call.Marks, c.mark) {
					t.Errorf("got marks %v, want %s", call.Marks, c.mark)
				}
			}
			if n != c.want {
				t.Errorf("got %d of 20 granted, want %d", n, c.want)
			}
		})
	}
}

func TestAMissingValueIsNeverSkipped(t *testing.T) {
	for kind, want := range map[string]refusal.Kind{
		contract.PerSubscription: refusal.Forbidden, contract.PerClaim: refusal.Forbidden, contract.PerToken: refusal.Forbidden,
		contract.PerAddress: refusal.Forbidden, contract.PerHeader: refusal.Malformed,
	} {
		by := func(l *contract.PlannedLimit) { l.By = []contract.CountedBy{{Kind: kind, Names: []string{"X-Team"}}} }
		keyless := func() *pipeline.Call { return &pipeline.Call{Request: &http.Request{Header: http.Header{}}} }
		refused := stage(memory.New(noon), 1, of("l", 10, by))(t.Context(), keyless())
		if refused == nil || refused.Kind != want || refused.Code != "limit_key_missing" || refused.Challenge != nil || !strings.Contains(refused.Detail, kind) {
			t.Errorf("%s: got %+v, want a refusal that says what is missing", kind, refused)
		}
		shared, n := stage(memory.New(noon), 1, of("l", 10, by, func(l *contract.PlannedLimit) { l.Shared = true })), 0
		for range 20 {
			if shared(t.Context(), keyless()) == nil {
				n++
			}
		}
		if n != 10 {
			t.Errorf("%s: got %d granted to all without one, want 10", kind, n)
		}
	}
}

// The key's product decides which limits hold, and one product's are one on every API.
func TestProducts(t *testing.T) {
	plan := &contract.Plan{Products: []contract.PlannedProduct{
		{Name: "partner", APIs: []string{"orders", "customers"}, Limits: []contract.PlannedLimit{of("l", 3, func(l *contract.PlannedLimit) { l.Scope = "product/partner" })}},
		{Name: "open", APIs: []string{"orders"}, Optional: true, Limits: []contract.PlannedLimit{of("l", 2, func(l *contract.PlannedLimit) { l.Scope, l.Shared = "product/open", true })}},
	}}
	set := limit.NewSet(plan, limit.Stores{Shared: memory.New(noon)})
	orders := set.Spend(contract.PlannedAPI{Name: "orders", Products: []string{"open", "partner"}}, contract.PlannedOperation{Weight: 1})
	customers := set.Spend(contract.PlannedAPI{Name: "customers", Products: []string{"partner"}}, contract.PlannedOperation{Weight: 1})
	count := func(spend pipeline.Stage, s *pipeline.Subscription) (n int) {
		for range 5 {
			c := call()
			if c.Subscription = s; spend(t.Context(), c) == nil {
				n++
			}
		}
		return n
	}
	partner := &pipeline.Subscription{ID: "s1", Product: "partner"}
	if n := count(orders, nil); n != 2 {
		t.Errorf("got %d granted without a key, want the open product's 2", n)
	}
	if n := count(orders, partner) + count(customers, partner); n != 3 {
		t.Errorf("got %d granted by one key on two APIs, want 3", n)
	}
	if n := count(orders, &pipeline.Subscription{ID: "s2", Product: "partner"}); n != 3 {
		t.Errorf("got %d granted by another key, want 3", n)
	}
	if n := count(orders, &pipeline.Subscription{ID: "s3", API: "orders"}); n != 5 {
		t.Errorf("got %d granted by a key of the API alone, want all", n)
	}
	if set.Spend(contract.PlannedAPI{Name: "other"}, contract.PlannedOperation{Weight: 1}) != nil {
		t.Error("got a stage where there is no limit")
	}
}
