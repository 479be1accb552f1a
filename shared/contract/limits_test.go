package contract_test

import (
	"slices"
	"strings"
	"testing"

	"tollgate/shared/contract"
)

// limited is the estate with a limit of the API, of its operation, or of a product.
func limited(words string) []string { return keyed(apiWith("limits: [ { " + words + " } ]")...) }

func limitedOperation(words string) []string {
	return keyed(operationWith("limits: [ { " + words + " } ]")...)
}

func limitedProduct(words string) []string {
	return keyed(gatewayWith("products: { partner: { apis: [orders], limits: [ { " + words + " } ] } }")...)
}

func many(n int) string {
	var all []string
	for i := range n {
		all = append(all, "{ name: l"+strings.Repeat("i", i)+", rate: 1/minute, by: [token] }")
	}
	return strings.Join(all, ", ")
}

func TestFaultsOfLimits(t *testing.T) {
	const token, at = "name: l, by: [token], ", "orders.yaml:4:"
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"no name":                    {limited("rate: 1/minute, by: [token]"), at + `11: error: "name" is missing`},
		"a name in capitals":         {limited("name: L, rate: 1/minute, by: [token]"), at + `19: error: "L" must match`},
		"a name that ends an item":   {limited(`name: 'a";q=9', rate: 1/minute, by: [token]`), at + `19: error: "a\";q=9" must match`},
		"nothing counted by":         {limited("name: l, rate: 1/minute"), at + `11: error: "by" is missing`},
		"an empty by":                {limited("name: l, rate: 1/minute, by: []"), at + `42: error: is an empty list`},
		"neither rate nor quota":     {limited("name: l, by: [token]"), at + `11: error: "l" limits nothing`},
		"rate and quota":             {limited(token + "rate: 1/minute, quota: 1/day"), at + `58: error: a limit is a rate or a quota`},
		"no amount":                  {limited(token + "rate: 0/minute"), at + `41: error: "0/minute" is not an amount`},
		"a negative amount":          {limited(token + "quota: -1/day"), at + `42: error: "-1/day" is not an amount`},
		"an amount beyond counting":  {limited(token + "quota: 999999999999999GiB/day"), at + `42: error: "999999999999999GiB/day" is not an amount`},
		"an amount over the most":    {limited(token + "quota: 99999999999999999/day"), at + `42: error: "99999999999999999/day" is not an amount`},
		"no window":                  {limited(token + "rate: 100/"), at + `41: error: "" is no window of a rate`},
		"a window of a day":          {limited(token + "rate: 1/day"), at + `41: error: "day" is no window of a rate`},
		"a window of two hours":      {limited(token + "rate: 1/120m"), at + `41: error: "120m" is no window of a rate, which is from 1s to 1h`},
		"a period there isn't":       {limited(token + "quota: 1/year"), at + `42: error: "year" is no period of a quota`},
		"a quota of minutes":         {limited(token + "quota: 1/5m"), at + `42: error: "5m" is no period of a quota`},
		"smooth: false":              {limited(token + "rate: 1/minute, smooth: false"), at + `59: error: false says nothing`},
		"a smooth quota":             {limited(token + "quota: 1/day, smooth: true"), at + `57: error: smooth is for rates of calls`},
		"smooth bytes":               {limited(token + "rate: 1MiB/minute, smooth: true"), at + `62: error: smooth is for rates of calls`},
		"smooth seconds":             {limited(token + "rate: 1/5s, smooth: true"), at + `55: error: smooth needs a window of 10s or more`},
		"shadow: false":              {limited(token + "rate: 1/minute, shadow: false"), at + `59: error: false says nothing`},
		"a rate from a subscription": {limited("name: l, by: [subscription], rate: 1/minute, from: subscription"), at + `64: error: is about the periods of a quota`},
		"total from a subscription":  {limited("name: l, by: [subscription], quota: 1/total, from: subscription"), at + `64: error: total has one period`},
		"from without one":           {limited(token + "quota: 1/day, from: subscription"), at + `55: error: needs subscription under by`},
		"from somewhere":             {limited(token + "quota: 1/day, from: january"), at + `55: error: "january" is not one of calendar, subscription`},
		"a share of nothing":         {limited(token + "rate: 1/minute, localShare: 5"), at + `63: error: localShare goes with whenUnavailable: local`},
		"a share of 101":             {limited(token + "rate: 1/minute, whenUnavailable: local, localShare: 101"), at + `87: error: is a percentage`},
		"a share of 0":               {limited(token + "rate: 1/minute, whenUnavailable: local, localShare: 0"), at + `87: error: `},
		"an outage word":             {limited(token + "rate: 1/minute, whenUnavailable: open"), at + `68: error: "open" is not one of refuse, allow, local`},
		"a missing word":             {limited(token + "rate: 1/minute, missing: skip"), at + `60: error: "skip" is not one of refuse, shared`},
		"a class there isn't":        {limited(token + "rate: 1/minute, uncounted: [6xx]"), at + `63: error: "6xx" is not one of refused, 2xx, 3xx, 4xx, 5xx`},
		"another word":               {limited(token + "rate: 1/minute, burst: 5"), at + `51: error: unknown field "burst"`},
		"a name twice":               {keyed(apiWith("limits: [ " + many(1) + ", " + many(1) + " ]")...), at + `61: error: the name "l" is taken`},
		"a name twice, of both":      {append(limited(token+"rate: 1/minute"), operationWith("limits: [ "+many(1)+" ]")...), `orders.yaml:11:25: error: the name "l" is taken`},
		"too many":                   {keyed(apiWith("limits: [ " + many(17) + " ]")...), at + `9: error: holds 17 limits, at most 16`},

		"by something else":          {limited("name: l, rate: 1/minute, by: [user]"), at + `42: error: "user" is not something to count by`},
		"by a nameless claim":        {limited(`name: l, rate: 1/minute, by: ["claim:"]`), at + `42: error: "claim:" is not something to count by`},
		"by half a claim":            {limited(`name: l, rate: 1/minute, by: ["claim:oid|"]`), at + `42: error: "claim:oid|" is not`},
		"by a claim of 201":          {limited(`name: l, rate: 1/minute, by: ["claim:` + strings.Repeat("x", 201) + `"]`), at + `42: error: "claim:x`},
		"by a named token":           {limited(`name: l, rate: 1/minute, by: ["token:x"]`), at + `42: error: "token:x" is not`},
		"by a nameless header":       {limited(`name: l, rate: 1/minute, by: ["header:"]`), at + `42: error: "header:" is not`},
		"by a header with _":         {limited(`name: l, rate: 1/minute, by: ["header:X_Team", token]`), at + `43: error: "header:X_Team" is not`},
		"by all and more":            {limited("name: l, rate: 1/minute, by: [all, token]"), at + `43: error: all is everybody together`},
		"by an unknown address":      {limited("name: l, rate: 1/minute, by: [address]"), at + `42: error: where a call comes from is not known`},
		"by a credential":            {limited(`name: l, rate: 1/minute, by: ["header:Authorization", token]`), at + `43: error: Authorization can't be counted by: it carries credentials`},
		"by a platform's header":     {limited(`name: l, rate: 1/minute, by: [token, "header:X-Forwarded-For"]`), at + `50: error: X-Forwarded-For can't be counted by: only the platform`},
		"by a header alone":          {limited(`name: l, rate: 1/minute, by: ["header:X-Team"]`), at + `42: warning: callers choose a header themselves`},
		"a product by operation":     {limitedProduct("name: l, rate: 1/minute, by: [operation]"), `gateway.yaml:4:81: warning: counts each operation for all subscriptions together`},
		"a product's name twice":     {keyed(gatewayWith("products: { partner: { apis: [orders], limits: [ " + many(1) + ", " + many(1) + " ] } }")...), `gateway.yaml:4:`},
		"twice the same":             {limited("name: l, rate: 1/minute, by: [token, token]"), at + `50: error: "token" is in the list twice`},
		"no operation has a key":     {limited("name: l, rate: 1/minute, by: [subscription]"), at + `42: error: no operation asks for the token, or the key, that "l" is counted by`},
		"the operation has no key":   {limitedOperation("name: l, rate: 1/minute, by: [subscription]"), `orders.yaml:10:48: error: "get" asks for no token, or no key, that "l" could be counted by`},
		"the operation has no token": {append(limitedOperation("name: l, rate: 1/minute, by: [token]"), "orders.yaml", "allow: { scopes: [Orders.Read], roles: [DataReader] }", "public: true"), `orders.yaml:10:48: error: "get" asks for no token`},

		"a weight over all":              {keyed(operationWith("weight: 1000001")...), `orders.yaml:10:15: error: is over 1000000`},
		"a weight of nothing":            {keyed(operationWith("weight: 0")...), `orders.yaml:10:15: error: `},
		"a weight over its limit":        {append(limitedOperation("name: l, rate: 4/minute, by: [token]"), "orders.yaml", "id: get,", "weight: 5, id: get,"), `orders.yaml:10:`},
		"a weight over the API's limit":  {append(limited(token+"rate: 4/minute"), operationWith("weight: 5")...), `orders.yaml:11:15: error: 5 is more than the 4 of "l" (limits.0)`},
		"a weight over a product's":      {append(limitedProduct("name: l, rate: 4/minute, by: [subscription]"), operationWith("weight: 5")...), `orders.yaml:10:15: error: 5 is more than the 4 of "l" (gateway.products.partner.limits.0)`},
		"a product by a token of nobody": {append(limitedProduct("name: l, rate: 4/minute, by: [token]"), "orders.yaml", "allow: { scopes: [Orders.Read], roles: [DataReader] }", "allow: { key: alone }"), `gateway.yaml:4:81: error: "get" of "orders" asks for no token that "l" could be counted by`},
		"an optional product by its key": {keyed(gatewayWith("products: { partner: { apis: [orders], key: optional, limits: [ { name: l, rate: 1/minute, by: [subscription] } ] } }")...), `gateway.yaml:4:96: error: "get" of "orders" may be called without a key`},
		"an optional product and public": {append(keyed(gatewayWith("products: { partner: { apis: [orders], key: optional, limits: [ { name: l, rate: 1/minute, by: [token] } ] } }")...), "orders.yaml", "allow: { scopes: [Orders.Read], roles: [DataReader] }", "public: true"), `gateway.yaml:4:96: error: "get" of "orders" asks for no token`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

func TestLimitsThatMayStand(t *testing.T) {
	for name, edits := range map[string][]string{
		"the least":                limited("name: l, rate: 1/second, by: [all]"),
		"the longest rate":         limited("name: l, rate: 999999999999999/60m, by: [token]"),
		"bytes":                    limited("name: l, rate: 1KiB/10s, by: [token, operation]"),
		"for good":                 limited(`name: l, quota: 1GiB/total, by: ["claim:azp|appid"]`),
		"smooth":                   limited("name: l, rate: 1/10s, by: [token], smooth: true, shadow: true"),
		"each policy":              limited("name: l, rate: 100/minute, by: [token], whenUnavailable: local, localShare: 100, missing: shared, uncounted: [refused, 2xx, 3xx, 4xx, 5xx]"),
		"sixteen":                  keyed(apiWith("limits: [ " + many(16) + " ]")...),
		"a product's, of one name": append(limitedProduct("name: l, quota: 1/month, by: [subscription], from: subscription"), apiWith("limits: [ "+many(1)+" ]")...),
		"a weight at the limit":    append(limited("name: l, rate: 5/minute, by: [token]"), operationWith("weight: 5")...),
		"a weight and bytes":       append(limited("name: l, rate: 1KiB/minute, by: [token]"), operationWith("weight: 2000")...),
		"a weight in shadow":       append(limited("name: l, rate: 4/minute, by: [token], shadow: true"), operationWith("weight: 5")...),
		"optional, and shared":     keyed(gatewayWith("products: { partner: { apis: [orders], key: optional, limits: [ { name: l, rate: 1/minute, by: [subscription], missing: shared } ] } }")...),
	} {
		if found := faultsOf(estate(edits...)).Errors(); len(found) > 0 {
			t.Errorf("%s: got %v, want none", name, found)
		}
	}
}

func TestFaultsOfTheStoreAndRevocation(t *testing.T) {
	store := func(old, words string) []string {
		return append(keyed(gatewayWith(product)...), "environments/prod.yaml", old, words)
	}
	const address, digest = `tables: "https://s.table.core.windows.net"`, "keyDigest: { vault: main, current: digest }"
	const env = "environments/prod.yaml:4:"
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"no address":            {store(address+", ", ""), env + `8: error: "tables" is missing`},
		"plain http":            {store("https://s.", "http://s."), env + `18: error: `},
		"no URL":                {store("https://s.table.core.windows.net", "s.table.core.windows.net"), env + `18: error: `},
		"a query":               {store("windows.net", "windows.net?sig=x"), env + `18: error: `},
		"a slow try":            {store(digest, digest+", try: 6s"), env + `104: error: is over 5s`},
		"a try that is none":    {store(digest, digest+", try: soon"), env + `104: error: `},
		"no vault":              {store(digest, "keyDigest: { current: digest }"), env + `65: error: "vault" is missing`},
		"another vault":         {store("vault: main", "vault: mian"), env + `74: error: there is no vault "mian" under vaults:; did you mean "main"?`},
		"the same twice":        {store("current: digest", "current: digest, previous: digest"), env + `107: error: is the current one`},
		"a secret's bad name":   {store("current: digest", "current: a/b"), env + `89: error: "a/b" must match`},
		"another word":          {store(digest, digest+", retries: 3"), env + `99: error: unknown field "retries"`},
		"a digest for nothing":  {keyed(), env + `65: warning: no contract uses subscription keys`},
		"limits without it":     {apiWith("limits: [ " + many(1) + " ]"), `orders.yaml:4:9: error: needs a store, and environments/prod.yaml has none`},
		"an operation's limits": {operationWith("limits: [ " + many(1) + " ]"), `orders.yaml:10:15: error: needs a store`},
		"keys without it":       {[]string{"orders.yaml", "allow: { scopes: [Orders.Read], roles: [DataReader] }", "allow: { key: alone }"}, `orders.yaml:10:50: error: needs a store`},
		"revocation without it": {gatewayWith("revocation: { maxStale: 1m }"), `gateway.yaml:4:13: error: needs a store`},
		"revocation in words":   {keyed(gatewayWith("revocation: { maxStale: soon }")...), `gateway.yaml:4:25: error: `},
		"revocation and more":   {keyed(gatewayWith("revocation: { interval: 1s }")...), `gateway.yaml:4:15: error: unknown field "interval"`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

func TestLimitsBound(t *testing.T) {
	_, plan := demands(t, slices.Concat(
		apiWith(`limits: [ { name: a, rate: 50MiB/5m, by: ["claim:azp|appid", "header:x-team"], whenUnavailable: local } ]`),
		operationWith("weight: 3, limits: [ { name: b, quota: 10/week, by: [all], uncounted: [refused, 5xx] } ]"))...)
	op := plan.APIs[0].Operations[0]
	if op.Weight != 3 || len(op.Limits) != 2 || plan.Store == nil || plan.Revocation == nil || plan.Revocation.MaxStale != contract.DefaultRevocationStale {
		t.Fatalf("got %+v", op)
	}
	a, b := op.Limits[0], op.Limits[1]
	if a.Amount != 50<<20 || !a.Bytes || a.Window.Minutes() != 5 || a.By[1].Names[0] != "X-Team" || a.LocalShare != contract.DefaultLocalShare || a.Scope != "api/orders" || a.Quota {
		t.Errorf("got %+v", a)
	}
	if b.Amount != 10 || b.Bytes || b.Period != contract.PeriodWeek || !b.UncountedRefused || !b.Uncounted[5] || b.Scope != "operation/orders/get" || b.Outage != contract.OutageRefuse || !b.Quota {
		t.Errorf("got %+v", b)
	}
}
