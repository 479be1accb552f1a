package host

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// jsonApp has one http function and one timer, both in JSON mode.
func jsonApp(flags string) files {
	return files{
		"host.json":            hostJSON(flags, ""),
		"Orders/function.json": catchAll("orders/{id}"),
		"Tick/function.json":   timerFunction,
	}
}

// answering starts a handler that gives every invocation one answer.
func answering(t *testing.T, app files, answer string, change func(*Options)) (*Host, *witness) {
	t.Helper()
	return ready(t, app, func(o *Options) {
		if change != nil {
			change(o)
		}
		if o.Settings[childVariable] != "" {
			o.Settings = map[string]string{}
		}
		o.Settings["CHILD_JSON"] = answer
	})
}

type invoked struct {
	Data     map[string]json.RawMessage
	Metadata map[string]map[string]any
}

func TestAnHTTPFunctionInJSONModeGetsTheRequestAsAnObject(t *testing.T) {
	t.Parallel()
	// functions-host.md §2a.
	h, w := answering(t, jsonApp(""), `200 application/json {"Outputs":{"res":{"statusCode":"201","body":"made","headers":{"x-a":"1"}}},"Logs":["a log"]}`, nil)
	got := raw(t, h, request("POST", "/orders/a%20b?q=1&q=2", "Content-Type: text/plain", "X-Two: 1", "X-Two: 2", "Content-Length: 4")+"body")
	if got.Status != 201 || got.Body != "made" || got.Header.Get("X-A") != "1" {
		t.Errorf("got %+v, want the http output", got)
	}
	if !w.has(Line{Information, "a log"}) {
		t.Errorf("got %v, want the handler's Logs", w.lines)
	}
	s := invocation(t, h)
	if s.Method != "POST" || s.URI != "/Orders" || s.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s %s %s, want POST /Orders application/json", s.Method, s.URI, s.Header.Get("Content-Type"))
	}
	if len(s.Header.Get("X-Azure-Functions-InvocationId")) != 36 || s.Header.Get("X-Forwarded-For") != "" {
		t.Errorf("got %v, want an invocation id and no X-Forwarded-For (§5: that tells them from public calls)", s.Header)
	}
	var in invoked
	var object struct {
		URL, Method, Body string
		Query, Params     map[string]string
		Headers           map[string][]string
		Identities        []any
	}
	if err := errors.Join(json.Unmarshal([]byte(s.Body), &in), json.Unmarshal(in.Data["req"], &object)); err != nil {
		t.Fatal(err)
	}
	if object.URL != "http://app.example/orders/a b?q=1&q=2" || object.Method != "POST" || object.Body != "body" || len(object.Identities) != 1 {
		t.Errorf("got %+v, want the request with its decoded path", object)
	}
	if !cmp.Equal(object.Params, params{"id": "a b"}) || !cmp.Equal(object.Query, params{"q": "1,2"}) || !cmp.Equal(object.Headers["X-Two"], []string{"1", "2"}) {
		t.Errorf("got %+v, want params, query and headers", object)
	}
	if in.Metadata["sys"]["MethodName"] != "Orders" || in.Metadata["sys"]["UtcNow"] == nil || in.Metadata["sys"]["RandGuid"] == nil {
		t.Errorf("got %v, want sys with MethodName, UtcNow and RandGuid", in.Metadata)
	}
}

func TestABinaryBodyIsBase64InJSONMode(t *testing.T) {
	t.Parallel()
	// functions-host.md §2a: octet streams and multipart; a body only with a length.
	for kind, want := range map[string]string{"application/octet-stream": "AP8=", "multipart/form-data; boundary=x": "AP8=", "text/plain": "\x00\uFFFD"} {
		if got := bodyValue(kind, []byte{0, 0xff}); got != want {
			t.Errorf("%s: got %q, want %q", kind, got, want)
		}
	}
}

func TestWhatTheHandlerMayAnswerInJSONMode(t *testing.T) {
	t.Parallel()
	// functions-host.md §2a.
	dollar := strings.Replace(catchAll("orders/{id}"), `"res"`, `"$return"`, 1)
	for name, test := range map[string]struct {
		answer, function string
		status           int
		body, kind       string
	}{
		"a status as number":          {`200 application/json {"Outputs":{"res":{"status":404}}}`, "", 404, "", ""},
		"a body that is an object":    {`200 application/json {"Outputs":{"res":{"body":{"a":1}}}}`, "", 200, `{"a":1}`, "application/json; charset=utf-8"},
		"an output as text":           {`200 text/json {"Outputs":{"res":"{\"body\":\"b\"}"}}`, "", 200, "b", "text/plain; charset=utf-8"},
		"no outputs":                  {`200 application/json {}`, "", 200, "", ""},
		"a null output":               {`200 application/json {"Outputs":{"res":null}}`, "", 200, "", ""},
		"an output that is no object": {`200 application/json {"Outputs":{"res":"text"}}`, "", 500, "", ""},
		"a status that is none":       {`200 application/json {"Outputs":{"res":{"statusCode":"ok"}}}`, "", 500, "", ""},
		"another media type":          {`200 text/plain {}`, "", 500, "", ""},
		"no media type":               {`200 - {}`, "", 500, "", ""},
		"no JSON":                     {`200 application/json {`, "", 500, "", ""},
		"no 2xx":                      {`404 application/json {}`, "", 500, "", ""},
		"a redirect is followed":      {`307 application/json {}`, "", 200, "redirected", "text/plain; charset=utf-8"},
		"$return":                     {`200 application/json {"ReturnValue":{"statusCode":"202","body":"r"}}`, dollar, 202, "r", "text/plain; charset=utf-8"},
		"$return as text":             {`200 application/json {"ReturnValue":"r"}`, dollar, 200, "r", "text/plain; charset=utf-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := jsonApp("")
			if test.function != "" {
				app["Orders/function.json"] = test.function
			}
			h, _ := answering(t, app, test.answer, nil)
			got := get(t, h, "/orders/1")
			if got.Status != test.status || got.Body != test.body || got.Header.Get("Content-Type") != test.kind {
				t.Errorf("got %d %q %q, want %d %q %q", got.Status, got.Body, got.Header.Get("Content-Type"), test.status, test.body, test.kind)
			}
		})
	}
}

func TestRedirectsAreNotFollowedWhereTheAppForwards(t *testing.T) {
	t.Parallel()
	// functions-host.md §2a: AllowAutoRedirect = !forwarding. The timer is in JSON
	// mode whatever the flags.
	h, _ := answering(t, jsonApp(`"enableForwardingHttpRequest":true`), `307 application/json {}`, nil)
	if err := h.FireTimer(t.Context(), "Tick"); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("got %v, want the redirect as a failure", err)
	}
}

func TestATimerFires(t *testing.T) {
	t.Parallel()
	// functions-host.md §5: object or string is UNCONFIRMED.
	for name, variants := range map[string]Variants{"as an object": {}, "Variants.TimerAsString": {TimerAsString: true}, "Variants.TimerStatusNull": {TimerStatusNull: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
			h, _ := answering(t, jsonApp(proxying), `200 application/json {}`, func(o *Options) {
				o.Variants, o.Now = variants, func() time.Time { return now }
			})
			if err := h.FireTimer(t.Context(), "tick"); err != nil {
				t.Fatal(err)
			}
			s := invocation(t, h)
			var in invoked
			if err := json.Unmarshal([]byte(s.Body), &in); err != nil || s.URI != "/Tick" || s.Method != "POST" {
				t.Fatalf("got %s %s, %v, want POST /Tick", s.Method, s.URI, err)
			}
			data := in.Data["tick"]
			var text string
			if isText := json.Unmarshal(data, &text) == nil; isText != variants.TimerAsString {
				t.Errorf("got %s, want a string: %v", data, variants.TimerAsString)
			} else if isText {
				data = json.RawMessage(text)
			}
			want := `{"IsPastDue":false,"Schedule":{"AdjustForDST":true},"ScheduleStatus":{"Last":"0001-01-01T00:00:00Z","LastUpdated":"2026-05-06T07:08:09Z","Next":"2026-05-06T07:09:09Z"}}`
			if variants.TimerStatusNull {
				want = `{"IsPastDue":false,"Schedule":{"AdjustForDST":true},"ScheduleStatus":null}`
			}
			if diff := cmp.Diff(want, string(data)); diff != "" {
				t.Error(diff)
			}
			if _, ok := in.Metadata["TimerTrigger"]; ok || in.Metadata["sys"]["UtcNow"] != "2026-05-06T07:08:09Z" {
				t.Errorf("got %v, want sys and no TimerTrigger", in.Metadata)
			}
		})
	}
}

func TestAnAnswerWithoutAResultHangsUntilFunctionTimeout(t *testing.T) {
	t.Parallel()
	// functions-host.md §5, the trap: an empty 200 or null; then the handler is restarted.
	for name, answer := range map[string]string{"empty": "200 - ", "null": "200 application/json null"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, w := answering(t, jsonApp(""), answer, func(o *Options) { o.Budgets.Function = 400 * time.Millisecond })
			before := h.PID()
			if err := h.FireTimer(t.Context(), "Tick"); !errors.Is(err, errFunctionTimeout) {
				t.Errorf("got %v, want the function timeout", err)
			}
			eventually(t, "another process", func() bool { return w.count(EventReady) == 2 && h.PID() != before })
			if got := get(t, h, "/orders/1"); got.Status != 500 {
				// The public route falls into the same trap.
				t.Errorf("got %d, want 500", got.Status)
			}
		})
	}
}

func TestTheTimerPathIsOpenToThePublicThroughACatchAll(t *testing.T) {
	t.Parallel()
	// functions-host.md §5: such a call is told apart by X-Forwarded-*.
	app := jsonApp(proxying)
	app["Orders/function.json"] = catchAll("{*path}")
	h, _ := answering(t, app, `200 application/json {}`, nil)
	if got := raw(t, h, request("POST", "/Tick", "Content-Length: 0")); got.Status != 200 {
		t.Errorf("got %d, want the handler's answer", got.Status)
	}
	if s := invocation(t, h); s.URI != "/Tick" || s.Header.Get("X-Forwarded-For") == "" {
		t.Errorf("got %s %v, want the timer's path with X-Forwarded-For", s.URI, s.Header)
	}
}

func TestFireTimerRefuses(t *testing.T) {
	t.Parallel()
	app := jsonApp("")
	app["Off/function.json"] = strings.Replace(timerFunction, `{`, `{"disabled":true,`, 1)
	h, _ := answering(t, app, `500 - `, nil)
	for name, want := range map[string]string{"Orders": "want timerTrigger", "None": "no such function", "Off": "disabled", "Tick": "500"} {
		if err := h.FireTimer(t.Context(), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want it to tell %q", name, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.FireTimer(ctx, "Tick"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own end", err)
	}
	_ = h.Close()
	if err := h.FireTimer(t.Context(), "Tick"); !errors.Is(err, errClosed) {
		t.Errorf("got %v, want the closed host", err)
	}
}
