package host

import (
	"net/http"
	"strings"
	"testing"
)

// simple is an http function with a level, methods and a route.
func simple(level, route, methods string) string {
	return function(`{"type":"httpTrigger","direction":"in","name":"req","authLevel":"` + level + `","route":"` + route + `","methods":[` + methods + `]},` + httpOut)
}

func keyed(o *Options) {
	o.MasterKey, o.HostKey, o.FunctionKeys = "master", "host", map[string]string{"keyed": "own"}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	h, _ := ready(t, files{
		"host.json":                hostJSON(proxying, ""),
		"b-wide/function.json":     simple("anonymous", "shop/{*rest}", `"get"`),
		"c-narrow/function.json":   simple("anonymous", "shop/cart", `"get","post"`),
		"keyed/function.json":      simple("function", "keyed", ""),
		"top/function.json":        simple("admin", "top", ""),
		"open/function.json":       simple("anonymous", "open/{id:int}", `"get"`),
		"off/function.json":        strings.Replace(simple("anonymous", "off", ""), `{`, `{"disabled":true,`, 1),
		"offbyname/function.json":  simple("anonymous", "offbyname", ""),
		"offbyvalue/function.json": strings.Replace(simple("anonymous", "offbyvalue", ""), `{`, `{"disabled":"OFF",`, 1),
		"administer/function.json": simple("anonymous", "x/admin", ""),
	}, func(o *Options) {
		keyed(o)
		o.Settings = map[string]string{"AzureWebJobs.offbyname.Disabled": "true", "OFF": "1"}
	})
	for name, test := range map[string]struct {
		method, target string
		headers        []string
		want           int
	}{
		// functions-host.md §3, sentence by sentence.
		"literals match without case":                 {"GET", "/OPEN/7", nil, 200},
		"a constraint that fails is no match":         {"GET", "/open/x", nil, 404},
		"a wrong method is 404, not 405":              {"DELETE", "/open/7", nil, 404},
		"no match is 404":                             {"GET", "/nothing", nil, 404},
		"routing sees resolved dot segments":          {"GET", "/nothing/../open/7", nil, 200},
		"an encoded slash splits nothing":             {"GET", "/open%2F7", nil, 404},
		"an early catch-all shadows later functions":  {"GET", "/shop/cart", nil, 200},
		"but not for methods it lacks":                {"POST", "/shop/cart", nil, 200},
		"function level without a key is 401":         {"GET", "/keyed", nil, 401},
		"function level with a wrong key is 401":      {"GET", "/keyed", []string{"x-functions-key: no"}, 401},
		"function level with its own key":             {"GET", "/keyed", []string{"x-functions-key: own"}, 200},
		"function level with the host key":            {"GET", "/keyed?code=host", nil, 200},
		"function level with the master key":          {"GET", "/keyed?x=1&CODE=master", nil, 200},
		"the header comes first, even a wrong one":    {"GET", "/keyed?code=own", []string{"x-functions-key: no"}, 401},
		"admin level takes no host key":               {"GET", "/top?code=host", nil, 401},
		"admin level takes the master key":            {"GET", "/top?code=master", nil, 200},
		"a wrong key does not fail an anonymous one":  {"GET", "/open/7?code=wrong", nil, 200},
		"a disabled function is 404":                  {"GET", "/off", nil, 404},
		"a disabled function answers the master key":  {"GET", "/off?code=master", nil, 200},
		"an app setting disables too":                 {"GET", "/offbyname", nil, 404},
		"so does a setting that function.json names":  {"GET", "/offbyvalue", nil, 404},
		"ping is open":                                {"GET", "/admin/host/ping", nil, 200},
		"ping takes POST":                             {"POST", "/ADMIN/host/ping", nil, 200},
		"other admin paths want the master key":       {"GET", "/admin/host/status", nil, 401},
		"other admin paths with the master key":       {"GET", "/admin/host/status?code=master", nil, 200},
		"unknown admin paths belong to the host too":  {"GET", "/admin/x?code=master", nil, 404},
		"runtime belongs to the host":                 {"GET", "/runtime/webhooks/x", nil, 401},
		"a path that only begins like admin does not": {"GET", "/administrators", nil, 404},
		"admin deeper in the path is the function's":  {"GET", "/x/admin", nil, 200},
		"admin behind dot segments is the host's":     {"GET", "/x/%2e%2e/admin/host/keys", nil, 401},
		"%00 in the path is refused before all":       {"GET", "/open/%00", nil, 400},
		"OPTIONS reaches functions with all methods":  {"OPTIONS", "/x/admin", nil, 200},
		"the home page":                               {"GET", "/", nil, 200},
		"the home page is for GET only":               {"POST", "/", nil, 404},
	} {
		got := raw(t, h, request(test.method, test.target, append(test.headers, "Content-Length: 0")...))
		if got.Status != test.want {
			t.Errorf("%s (%s %s): got %d, want %d", name, test.method, test.target, got.Status, test.want)
		}
		if (got.Status == 401 || got.Status == 404) && got.Body != "" {
			t.Errorf("%s: got body %q, want none", name, got.Body)
		}
	}
	if got := get(t, h, "/"); !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
		t.Errorf("home page: got %v, want HTML", got.Header)
	}
}

func TestACatchAllAtTheRootGetsTheHomePageToo(t *testing.T) {
	t.Parallel()
	// functions-host.md §3.
	h, _ := ready(t, proxyApp(), nil)
	if got := echoed(t, get(t, h, "/")); got.URI != "/" {
		t.Errorf("got %s, want the handler's answer for /", got.URI)
	}
	if got := echoed(t, raw(t, h, request("OPTIONS", "*"))); got.Method != http.MethodOptions {
		t.Errorf("got %s, want OPTIONS * at the handler", got.Method)
	}
}

func TestTheHomePageCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	// functions-host.md §3.
	h, _ := launch(t, files{"host.json": hostJSON(proxying, "")}, "", func(o *Options) {
		o.Settings = map[string]string{"AzureWebJobsDisableHomepage": "true"}
	})
	if got := get(t, h, "/"); got.Status != 204 {
		t.Errorf("got %d, want 204", got.Status)
	}
}

func TestTheRoutePrefixStaysInThePath(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: prefix included, function name not.
	app := proxyApp()
	app["host.json"] = strings.Replace(app["host.json"], `"routePrefix":""`, `"routePrefix":"/v1/"`, 1)
	h, _ := ready(t, app, nil)
	if got := echoed(t, get(t, h, "/V1/a")); got.URI != "/V1/a" {
		t.Errorf("got %s, want /V1/a", got.URI)
	}
	if got := get(t, h, "/a"); got.Status != 404 {
		t.Errorf("without the prefix: got %d, want 404", got.Status)
	}
}

func TestVariantAdminFallThrough(t *testing.T) {
	t.Parallel()
	// functions-host.md §3 [derived]: what no controller claims reaches a catch-all.
	h, _ := ready(t, proxyApp(), func(o *Options) { o.Variants.AdminFallThrough = true })
	for target, want := range map[string]int{"/admin/anything": 200, "/runtime/anything": 200, "/admin/host/keys": 401, "/runtime/webhooks/x/y": 401} {
		if got := get(t, h, target); got.Status != want {
			t.Errorf("%s: got %d, want %d", target, got.Status, want)
		}
	}
}

func TestMoreThanMaxOutstandingRequestsGet429(t *testing.T) {
	t.Parallel()
	// functions-host.md §4: header X-FUNCTION-SCALEOUT: 1, empty body, no Retry-After.
	app := proxyApp()
	app["host.json"] = strings.Replace(app["host.json"], `"routePrefix":""`, `"routePrefix":"","maxOutstandingRequests":2,"maxConcurrentRequests":1`, 1)
	h, _ := ready(t, app, nil)
	type outcome struct {
		got reply
		err error
	}
	answers := make(chan outcome, 2)
	for range 2 { // the first runs, the second queues
		go func() {
			got, err := tryRaw(t, h, request("GET", "/?do=stream&gate=limit"))
			answers <- outcome{got, err}
		}()
	}
	eventually(t, "two requests", func() bool { return h.throttle.count() == 2 })
	got := get(t, h, "/")
	if got.Status != 429 || got.Header.Get("X-FUNCTION-SCALEOUT") != "1" || got.Body != "" || got.Header.Get("Retry-After") != "" {
		t.Errorf("got %+v, want a bare 429 with X-FUNCTION-SCALEOUT: 1", got)
	}
	// The gate opens in the handler directly: the host would throttle us.
	open, err := http.Get("http://" + h.handler.address + "/?do=open&gate=limit")
	if err != nil {
		t.Fatal(err)
	}
	open.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	for range 2 {
		if o := <-answers; o.err != nil || o.got.Body != "onetwo" {
			t.Errorf("got %+v, want both queued requests answered", o)
		}
	}
}
