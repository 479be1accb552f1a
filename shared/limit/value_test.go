package limit_test

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/pipeline"
)

// FuzzValue: G130. No two lists of parts are written alike, and what was written is read.
func FuzzValue(f *testing.F) {
	f.Add("a", "bc", "ab", "c")
	f.Add("", "a", "a", "")
	f.Add("a/b", "#", "é", "e\u0301")
	f.Add("\x00", "\x01\x01", "\x02", string(make([]byte, 300)))
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		one, other := []string{a, b}, []string{c, d}
		if same := string(limit.Value(one...)) == string(limit.Value(other...)); same != slices.Equal(one, other) {
			t.Errorf("%q and %q: got written alike %v", one, other, same)
		}
		if got := limit.Parts(limit.Value(one...)); !slices.Equal(got, one) {
			t.Errorf("got %q, want %q", got, one)
		}
		r := rule("day", 0)
		k, l := limit.Key{Rule: r, Value: limit.Value(one...)}, limit.Key{Rule: r, Value: limit.Value(other...)}
		if (k.ID() == l.ID()) != slices.Equal(one, other) {
			t.Errorf("%q and %q share a row", one, other)
		}
	})
}

// counter notes what calls are counted by.
type counter struct{ keys []string }

func (c *counter) Take(_ context.Context, k limit.Key, _ int64) (limit.Grant, error) {
	c.keys = append(c.keys, string(k.Value))
	return limit.Grant{OK: true}, nil
}

func (c *counter) Settle(context.Context, limit.Grant, int64) error { return nil }

// alike tells whether two calls are one to a limit that counts by this.
func alike(t *testing.T, one, other pipeline.Call, by ...contract.CountedBy) bool {
	t.Helper()
	c := &counter{}
	l := contract.PlannedLimit{Name: "l", Amount: 1, Period: contract.PeriodFixed, Window: time.Minute, By: by, Shared: true}
	set := limit.NewSet(&contract.Plan{}, limit.Stores{Shared: c})
	spend := set.Spend(contract.PlannedAPI{}, contract.PlannedOperation{Weight: 1, Limits: []contract.PlannedLimit{l}})
	for _, call := range []pipeline.Call{one, other} {
		if call.Request == nil {
			call.Request = &http.Request{Header: http.Header{}}
		}
		if refused := spend(t.Context(), &call); refused != nil {
			t.Fatal(refused)
		}
	}
	return c.keys[0] == c.keys[1]
}

func caller(authority string, claims pipeline.Claims) pipeline.Call {
	return pipeline.Call{Identity: &pipeline.Identity{Authority: authority, Claims: claims}}
}

func from(address string) pipeline.Call { return pipeline.Call{Client: netip.MustParseAddr(address)} }

func with(name string, values ...string) pipeline.Call {
	return pipeline.Call{Request: &http.Request{Header: http.Header{name: values}}}
}

// G128, G130: what a caller can vary doesn't give another count, and what tells callers apart does.
func TestWhatIsOneCaller(t *testing.T) {
	claim := func(names ...string) contract.CountedBy {
		return contract.CountedBy{Kind: contract.PerClaim, Names: names}
	}
	address, header := contract.CountedBy{Kind: contract.PerAddress}, contract.CountedBy{Kind: contract.PerHeader, Names: []string{"X-Team"}}
	token, all := contract.CountedBy{Kind: contract.PerToken}, contract.CountedBy{Kind: contract.PerAll}
	for name, c := range map[string]struct {
		one, other pipeline.Call
		by         []contract.CountedBy
		want       bool
	}{
		"one user": {caller("entra/t", pipeline.Claims{"oid": "u"}), caller("entra/t", pipeline.Claims{"oid": "u", "other": "x"}), []contract.CountedBy{claim("oid")}, true},
		"a user of another tenant, of the same id":       {caller("entra/t", pipeline.Claims{"oid": "u"}), caller("entra/s", pipeline.Claims{"oid": "u"}), []contract.CountedBy{claim("oid")}, false},
		"authority and value, cut elsewhere":             {caller("entra/t", pipeline.Claims{"oid": "xu"}), caller("entra/tx", pipeline.Claims{"oid": "u"}), []contract.CountedBy{claim("oid")}, false},
		"composed and decomposed letters":                {caller("a", pipeline.Claims{"sub": "é"}), caller("a", pipeline.Claims{"sub": "e\u0301"}), []contract.CountedBy{claim("sub")}, false},
		"a client by a v1 and a v2 token":                {caller("entra/t", pipeline.Claims{"appid": "c"}), caller("entra/t", pipeline.Claims{"azp": "c"}), []contract.CountedBy{claim("azp", "appid")}, true},
		"a list and the text that it would be joined to": {caller("a", pipeline.Claims{"r": []any{"x", "y"}}), caller("a", pipeline.Claims{"r": "x,y"}), []contract.CountedBy{claim("r")}, false},
		"an empty list and an empty text":                {caller("a", pipeline.Claims{"r": []any{}}), caller("a", pipeline.Claims{"r": ""}), []contract.CountedBy{claim("r")}, false},
		"a list and the text that it is written as":      {caller("a", pipeline.Claims{"r": []any{"x"}}), caller("a", pipeline.Claims{"r": "\x02x"}), []contract.CountedBy{claim("r")}, false},
		"no claim and an empty one":                      {caller("a", pipeline.Claims{}), caller("a", pipeline.Claims{"oid": ""}), []contract.CountedBy{claim("oid")}, false},
		"two parts, cut elsewhere":                       {caller("a", pipeline.Claims{"x": "1", "y": "23"}), caller("a", pipeline.Claims{"x": "12", "y": "3"}), []contract.CountedBy{claim("x"), claim("y")}, false},
		"one address":                                    {from("203.0.113.7"), from("203.0.113.7"), []contract.CountedBy{address}, true},
		"another address":                                {from("203.0.113.7"), from("203.0.113.8"), []contract.CountedBy{address}, false},
		"one network of IPv6":                            {from("2001:db8::1"), from("2001:db8::ffff:2"), []contract.CountedBy{address}, true},
		"another network of IPv6":                        {from("2001:db8::1"), from("2001:db8:0:1::1"), []contract.CountedBy{address}, false},
		"a zone":                                         {from("fe80::1%eth0"), from("fe80::1%eth1"), []contract.CountedBy{address}, true},
		"one header":                                     {with("X-Team", "a"), with("X-Team", "a"), []contract.CountedBy{header}, true},
		"another header that nobody asked for":           {with("User-Agent", "a"), with("User-Agent", "b"), []contract.CountedBy{header}, true},
		"another value":                                  {with("X-Team", "a"), with("X-Team", "A"), []contract.CountedBy{header}, false},
		"one token by its own id, written differently":   {caller("a", pipeline.Claims{"uti": "1"}), caller("a", pipeline.Claims{"uti": "1", "x": "y"}), []contract.CountedBy{token}, true},
		"another token":                                  {caller("a", pipeline.Claims{"uti": "1"}), caller("a", pipeline.Claims{"uti": "2"}), []contract.CountedBy{token}, false},
		"everybody":                                      {from("203.0.113.7"), caller("a", pipeline.Claims{"oid": "u"}), []contract.CountedBy{all}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := alike(t, c.one, c.other, c.by...); got != c.want {
				t.Errorf("got one count %v, want %v", got, c.want)
			}
		})
	}
}

// Without an id in the token, what is signed names it: bits of the signature's
// text that mean nothing don't give another count.
func TestATokenWithoutAnIDIsNamedByWhatIsSigned(t *testing.T) {
	call := func(authorization string) pipeline.Call {
		c := caller("a", pipeline.Claims{})
		c.Request = &http.Request{Header: http.Header{"Authorization": {authorization}}}
		return c
	}
	token := contract.CountedBy{Kind: contract.PerToken}
	if !alike(t, call("Bearer a.b.c"), call("bearer  a.b.d"), token) {
		t.Error("got two counts for one token")
	}
	if alike(t, call("Bearer a.b.c"), call("Bearer a.e.c"), token) {
		t.Error("got one count for two tokens")
	}
}
