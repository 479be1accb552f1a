package host

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func function(bindings string) string { return `{"bindings":[` + bindings + `]}` }

const (
	httpIn  = `{"type":"httpTrigger","direction":"in","name":"req"}`
	httpOut = `{"type":"http","direction":"out","name":"res"}`
)

func TestLoadReportsEveryFaultWithItsFile(t *testing.T) {
	t.Parallel()
	root := writeApp(t, files{
		"host.json": `{"version":"1.0","functionTimeout":"00:00:00.5","configurationProfile":"mcp-custom-handler",
			"customHandler":{"description":{},"initializationTimeout":"soon","port":0,"enableProxyingHttpRequest":"maybe"},
			"extensions":{"http":{"maxOutstandingRequests":"many"}}}`,
		"a/function.json":      function(`{"type":"httpTrigger","direction":"in","name":"req","route":"administrators"},` + httpOut),
		"b/function.json":      function(`{"type":"httpTrigger","direction":"in","name":"req","route":"Same/{id}","methods":["get"]},` + httpOut),
		"c/function.json":      function(`{"type":"httpTrigger","direction":"in","name":"req","route":"/same/{ID}/"},` + httpOut),
		"d/function.json":      function(`{"type":"httpTrigger","direction":"in","name":"req","authLevel":"anyone","route":"x/{id:even}"},` + httpOut),
		"e/function.json":      function(httpOut),
		"f/function.json":      `{"bindings":[`,
		"g/function.json":      function(`{"type":"httpTrigger","direction":"sideways","name":"req"}`),
		"h/function.json":      function(`{"type":"httpTrigger","direction":"in"}`),
		"i/function.json":      function(`{"type":"httpTrigger","direction":"in","name":"req","route":"{**rest}"},` + httpOut),
		"9bad/function.json":   function(httpIn),
		"j/deep/function.json": "ignored: two folders below the root",
	})
	_, err := Load(root)
	if err == nil {
		t.Fatal("got an app, want every fault")
	}
	for _, want := range []string{
		`host.json: version: got "1.0", want "2.0"`,                             // functions-host.md §4
		`host.json: functionTimeout: 500ms is too short`,                        // §4: minimum 1 s
		`host.json: configurationProfile: "mcp-custom-handler" is not emulated`, // §4
		`host.json: customHandler.description.defaultExecutablePath: empty`,     // §1.1
		`host.json: customHandler.initializationTimeout: got "soon"`,
		`host.json: customHandler.port: got 0`, // §1.1
		`host.json: customHandler.enableProxyingHttpRequest: got "maybe"`,
		`host.json: extensions.http.maxOutstandingRequests: got "many"`,
		`a/function.json: route "administrators" starts with admin or runtime`,                  // §3: a prefix test
		`c/function.json: its route "api/same/{ID}" with the same methods belongs to b already`, // §3
		`d/function.json: got authLevel "anyone"`,
		`d/function.json: route "x/{id:even}": {id:even}: constraint even()`,
		`e/function.json: got 0 trigger bindings`,
		`f/function.json: line 1: not valid JSON`,
		`g/function.json: bindings[0]: got direction "sideways"`,
		`h/function.json: bindings[0]: type or name is empty`,
		`i/function.json: route "{**rest}": {**rest}: whether the host knows **`, // §3: UNCONFIRMED
		`9bad/function.json: the folder name "9bad" can't be a function name`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got\n%v\nwant it to tell %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "deep") {
		t.Errorf("got a fault of the deep folder, want it ignored")
	}
}

func TestLoadTellsWhereTheAppRootShouldBe(t *testing.T) {
	t.Parallel()
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "the app root must be the folder that is deployed") {
		t.Errorf("got %v, want the missing host.json explained", err)
	}
}

func TestTheModeFollowsBindingsAndFlags(t *testing.T) {
	t.Parallel()
	// functions-host.md §2.0.
	const (
		both   = `"enableProxyingHttpRequest":true,"enableForwardingHttpRequest":true`
		fwd    = `"enableForwardingHttpRequest":true`
		timer  = `{"type":"timerTrigger","direction":"in","name":"t","schedule":"x"}`
		queue  = `{"type":"queue","direction":"out","name":"q"}`
		table  = `{"type":"table","direction":"in","name":"t"}`
		dollar = `{"type":"http","direction":"out","name":"$return"}`
	)
	section := func(name, flags string) string {
		return `{"version":"2.0","` + name + `":{` + flags + `,"description":{"defaultExecutablePath":"x"}}}`
	}
	custom := func(flags string) string { return section("customHandler", flags) }
	for name, test := range map[string]struct {
		host, bindings string
		want           Mode
	}{
		"proxying wins over forwarding":              {custom(both), httpIn + "," + httpOut, Proxy},
		"forwarding":                                 {custom(fwd), httpIn + "," + httpOut, Forward},
		"neither flag":                               {custom(`"x":1`), httpIn + "," + httpOut, JSON},
		"$return is a name like any other":           {custom(proxying), httpIn + "," + dollar, Proxy},
		"one more output silently switches to JSON":  {custom(proxying), httpIn + "," + httpOut + "," + queue, JSON},
		"one more input silently switches to JSON":   {custom(proxying), httpIn + "," + table + "," + httpOut, JSON},
		"no http output":                             {custom(proxying), httpIn, JSON},
		"a timer":                                    {custom(both), timer, JSON},
		"the old httpWorker section always forwards": {section("httpWorker", `"x":1`), httpIn + "," + httpOut, Forward},
		"the old section knows no proxying":          {section("httpWorker", proxying), httpIn + "," + httpOut, Forward},
		"customHandler wins over httpWorker (§4)": {`{"version":"2.0","httpWorker":{"description":{"defaultExecutablePath":"x"}},
			"customHandler":{"description":{"defaultExecutablePath":"y"},` + proxying + `}}`, httpIn + "," + httpOut, Proxy},
	} {
		app, err := Load(writeApp(t, files{"host.json": test.host, "f/function.json": function(test.bindings)}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := app.Functions[0].Mode; got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestFunctionsAreSortedByNameWithoutCase(t *testing.T) {
	t.Parallel()
	// functions-host.md §3: also http-handler10 before http-handler2.
	app := files{"host.json": hostJSON(proxying, "")}
	for _, name := range []string{"b", "A", "http-handler10", "http-handler2", "Z", "c_d", "cd"} {
		app[name+"/function.json"] = catchAll(name)
	}
	loaded, err := Load(writeApp(t, app))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range loaded.Functions {
		got = append(got, f.Name)
	}
	if diff := cmp.Diff([]string{"A", "b", "cd", "c_d", "http-handler10", "http-handler2", "Z"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSameRouteWithOtherMethodsIsNoConflict(t *testing.T) {
	t.Parallel()
	// functions-host.md §3: only overlapping methods are an error.
	_, err := Load(writeApp(t, files{
		"host.json":       hostJSON(proxying, ""),
		"a/function.json": simple("anonymous", "same", `"get","HEAD"`),
		"b/function.json": simple("anonymous", "same", `"post"`),
	}))
	if err != nil {
		t.Errorf("got %v, want both functions", err)
	}
}

func TestRouteAndLevelHaveDefaults(t *testing.T) {
	t.Parallel()
	// functions-host.md §3: prefix api, route = name, level function, all methods.
	app, err := Load(writeApp(t, files{
		"host.json":            `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"x"}}}`,
		"Orders/function.json": function(httpIn + "," + httpOut),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if f := app.Functions[0]; f.Route != "api/Orders" || f.AuthLevel != "function" || f.Methods != nil {
		t.Errorf("got route %s, level %s, methods %v, want api/Orders, function and all", f.Route, f.AuthLevel, f.Methods)
	}
}

func TestRoutesOfHostJSONBecomeFunctions(t *testing.T) {
	t.Parallel()
	// functions-host.md §4: customHandler.http.routes.
	withRoutes := func(routes string) files {
		return files{"host.json": hostJSON(proxying+`,"http":{"defaultAuthorizationLevel":"anonymous","routes":[`+routes+`]}`, "")}
	}
	app, err := Load(writeApp(t, withRoutes(`{"route":"a/{id}"},{"route":"{*rest}","authorizationLevel":"admin"}`)))
	if err != nil {
		t.Fatal(err)
	}
	first, second := app.Functions[0], app.Functions[1]
	if first.Name != "http-handler1" || first.Mode != Proxy || first.AuthLevel != "anonymous" || len(first.Methods) != 7 || second.AuthLevel != "admin" {
		t.Errorf("got %+v and %+v, want two simple functions", first, second)
	}
	mixed := withRoutes(`{"route":"a b"},{"route":"a//b"},{"route":"{}"},{"route":"{a"}`)
	mixed["f/function.json"] = function(httpIn)
	_, err = load(writeApp(t, mixed), newEnvironment(nil, map[string]string{"FUNCTIONS_WORKER_RUNTIME": "node"}), Variants{})
	for _, want := range []string{"can't stand beside function.json files", `"custom", got "node"`, "[0]:", "[1]:", "[2]:", "[3]:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to tell %q", err, want)
		}
	}
}

func TestEnvironmentOverridesHostJSON(t *testing.T) {
	t.Parallel()
	// functions-host.md §4: AzureFunctionsJobHost__a__b.
	env := newEnvironment([]string{
		"AzureFunctionsJobHost__extensions__http__routePrefix=v1", "azurefunctionsjobhost__functionTimeout=-1",
		`AzureFunctionsJobHost__customHandler__description__arguments=["a","b"]`,
	}, nil)
	app, err := load(writeApp(t, files{"host.json": hostJSON("", "")}), env, Variants{})
	if err != nil {
		t.Fatal(err)
	}
	if c := app.config; c.prefix != "v1" || c.timeout != 0 || !cmp.Equal(c.worker.args, []string{"a", "b"}) {
		t.Errorf("got prefix %q, timeout %s, arguments %q, want v1, none and a b", c.prefix, c.timeout, c.worker.args)
	}
}

func TestFunctionTimeoutDefaultsToHalfAnHour(t *testing.T) {
	t.Parallel()
	// functions-host.md §4; the probe's budget is 30 s (§1.2).
	app, err := load(writeApp(t, files{"host.json": hostJSON("", "")}), environment{}, Variants{})
	if err != nil {
		t.Fatal(err)
	}
	if app.config.timeout != 30*time.Minute || app.config.init != 30*time.Second {
		t.Errorf("got %s and %s, want 30m and 30s", app.config.timeout, app.config.init)
	}
}

func TestTimeSpansAreThoseOfDotNET(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"00:05:00": 5 * time.Minute, "1.02:03:04.5": 26*time.Hour + 3*time.Minute + 4500*time.Millisecond,
		"00:30": 30 * time.Minute, "2": 48 * time.Hour, "-00:00:01": -time.Second,
	} {
		if got, err := parseTimeSpan(text); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5m", "24:00:00", "00:60:00", "00:00:60", "1:2:3:4", "a.00:00:00", "00:00:00.12345678"} {
		if got, err := parseTimeSpan(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, got)
		}
	}
}
