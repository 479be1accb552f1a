package host

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestABodylessRequestIsSentTenTimes(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: a handler that aborts sees the request again.
	h, _ := ready(t, proxyApp(), nil)
	get(t, h, "/") // leaves a connection to reuse, on which Go would retry by itself
	began := time.Now()
	got := get(t, h, "/?do=abort&count=get")
	if got.Status != 500 || got.Body != "" {
		t.Errorf("got %d %q, want an empty 500", got.Status, got.Body)
	}
	if took := time.Since(began); took < 1850*time.Millisecond {
		t.Errorf("got an answer after %s, want the nine delays of 1.85 s in all", took)
	}
	if n := get(t, h, "/?do=counted&of=get").Body; n != "10" {
		t.Errorf("got %s attempts, want 10", n)
	}
}

func TestRetryDelays(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c.
	var got []int64
	for n := range 5 {
		got = append(got, retryDelay(n+1).Milliseconds())
	}
	if diff := cmp.Diff([]int64{50, 100, 200, 250, 250}, got); diff != "" {
		t.Error(diff)
	}
}

func TestARequestWhoseBodyWasBegunIsNotSentAgain(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c [derived].
	h, _ := ready(t, proxyApp(), nil)
	got := raw(t, h, request("POST", "/?do=abort&count=post", "Content-Length: 3")+"abc")
	if got.Status != 500 || got.Body != "" {
		t.Errorf("got %d %q, want an empty 500", got.Status, got.Body)
	}
	if n := get(t, h, "/?do=counted&of=post").Body; n != "1" {
		t.Errorf("got %s attempts, want 1", n)
	}
}

func TestARetryReachesTheRestartedHandler(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.3: in-flight calls at a crash are retried first (2c).
	h, w := ready(t, proxyApp(), nil)
	if got := get(t, h, "/?do=exitonce"); got.Body != "survived" {
		t.Errorf("got %d %q, want the second life's answer", got.Status, got.Body)
	}
	if n := w.count(EventFailure); n != 1 {
		t.Errorf("got %d counted errors, want 1", n)
	}
}

func TestVariantNoRetryAfterExit(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: newer hosts stop once the invocation faulted (PR #11210).
	h, w := ready(t, proxyApp(), func(o *Options) { o.Variants.NoRetryAfterExit = true })
	if got := get(t, h, "/?do=exit&code=3"); got.Status != 500 {
		t.Errorf("got %d, want 500", got.Status)
	}
	eventually(t, "another life", func() bool { return w.count(EventReady) == 2 })
	if n := fileSize(h, "starts"); n != 2 {
		t.Errorf("got %d starts, want the second life spared", n)
	}
}

func TestSilenceInBothDirectionsEndsTheCall(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: activity timeout 240 s, here 1.5 s.
	h, w := ready(t, proxyApp(), func(o *Options) { o.Budgets.Activity = 1500 * time.Millisecond })
	t.Run("before the answer it is an empty 500", func(t *testing.T) {
		t.Parallel()
		if got := get(t, h, "/?do=hang"); got.Status != 500 || got.Body != "" {
			t.Errorf("got %d %q, want an empty 500", got.Status, got.Body)
		}
	})
	t.Run("within the answer the connection breaks", func(t *testing.T) {
		t.Parallel()
		if got, err := tryRaw(t, h, request("GET", "/?do=stream&gate=never")); err == nil {
			t.Errorf("got %+v, want a broken connection", got)
		}
	})
	t.Run("every byte resets it", func(t *testing.T) {
		t.Parallel()
		if got := get(t, h, "/?do=drip"); got.Body != strings.Repeat(".", 20) { // 2 s in all
			t.Errorf("got %q, want all of it", got.Body)
		}
	})
	t.Cleanup(func() {
		if n := w.count(EventStarted); n != 1 {
			t.Errorf("got %d starts, want the handler left alone", n)
		}
	})
}

func TestAFunctionTimeoutWithinTheAnswerBreaksTheConnection(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: functionTimeout applies to streaming time too.
	h, _ := ready(t, proxyApp(), func(o *Options) { o.Budgets.Function = 500 * time.Millisecond })
	if got, err := tryRaw(t, h, request("GET", "/?do=stream&gate=never")); err == nil {
		t.Errorf("got %+v, want a broken connection", got)
	}
}

func TestABodyOverTheLimitFails(t *testing.T) {
	t.Parallel()
	// functions-host.md §2d: 500 is derived, UNCONFIRMED.
	for name, test := range map[string]struct {
		variants Variants
		want     int
	}{"with 500": {Variants{}, 500}, "Variants.BodyTooLarge": {Variants{BodyTooLarge: 413}, 413}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := ready(t, proxyApp(), func(o *Options) {
				o.Variants = test.variants
				o.Settings = map[string]string{"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "4"}
			})
			if got := raw(t, h, request("POST", "/", "Content-Length: 5")); got.Status != test.want || got.Body != "" {
				t.Errorf("known length: got %d %q, want an empty %d", got.Status, got.Body, test.want)
			}
			if got := raw(t, h, request("POST", "/", "Transfer-Encoding: chunked")+"5\r\nhello\r\n0\r\n\r\n"); got.Status != test.want {
				t.Errorf("chunked: got %d, want %d", got.Status, test.want)
			}
			if got := raw(t, h, request("POST", "/", "Content-Length: 4")+"four"); got.Status != 200 {
				t.Errorf("at the limit: got %d, want 200", got.Status)
			}
		})
	}
}

func TestTheBodyLimitIs100MiB(t *testing.T) {
	t.Parallel()
	// functions-host.md §2d.
	if got, err := bodyLimit(environment{}); err != nil || got != 104857600 {
		t.Errorf("got %d, %v, want 104857600", got, err)
	}
}

func TestVariantPassForwarded(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: hosts of mid 2025 left all of these untouched.
	h, _ := ready(t, proxyApp(), func(o *Options) { o.Variants.PassForwarded = true })
	got := echoed(t, get(t, h, "/", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6"))
	if got.Host != "app.example" || got.Header.Get("X-Forwarded-For") != "6.6.6.6" || got.Header.Get("Forwarded") == "" || got.Header.Get("X-Forwarded-Host") != "" {
		t.Errorf("got Host %s and %v, want them as sent", got.Host, got.Header)
	}
}

func TestVariantDropHSTS(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: YARP 2.0.1.
	h, _ := ready(t, proxyApp(), func(o *Options) { o.Variants.DropHSTS = true })
	got := get(t, h, "/"+query("do", "answer", "code", "200", "h-strict-transport-security", "max-age=1"))
	if v := got.Header.Get("Strict-Transport-Security"); v != "" {
		t.Errorf("got %q, want it dropped", v)
	}
}

func TestVariantReplaceTraceparent(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: UNCONFIRMED.
	const sent = "00-11111111111111111111111111111111-2222222222222222-01"
	for name, replace := range map[string]bool{"kept": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := ready(t, proxyApp(), func(o *Options) { o.Variants.ReplaceTraceparent = replace })
			got := echoed(t, get(t, h, "/", "traceparent: "+sent)).Header.Get("Traceparent")
			if (got != sent) != replace || len(got) != len(sent) {
				t.Errorf("got %q, want it %s", got, name)
			}
		})
	}
}

func TestBodiesOfKnownLengthAreReadBeforehand(t *testing.T) {
	t.Parallel()
	// functions-host.md §2c: the trigger binding reads them in every mode; a later
	// change is UNCONFIRMED, so Variants.NoPreBuffer streams them.
	for name, stream := range map[string]bool{"read beforehand": false, "Variants.NoPreBuffer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := ready(t, proxyApp(), func(o *Options) { o.Variants.NoPreBuffer = stream })
			conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL(), "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, request("POST", "/?do=hang", "Content-Length: 6")+"abc")
			if stream {
				eventually(t, "the handler's start before the body's end", func() bool { return fileSize(h, "hanging") == 1 })
			} else {
				eventually(t, "the request at the host", func() bool { return h.throttle.count() == 1 })
				// A later request goes through while this one still misses half its body.
				if got := get(t, h, "/"); got.Status != 200 || fileSize(h, "hanging") != 0 {
					t.Errorf("got the request at the handler, want it held until the body is complete")
				}
			}
			_, _ = io.WriteString(conn, "def")
			eventually(t, "the handler's start", func() bool { return fileSize(h, "hanging") == 1 })
		})
	}
}

func TestCustomHeadersAreAddedUnlessTheHandlerSetThem(t *testing.T) {
	t.Parallel()
	// functions-host.md §2d: in all modes, TryAdd at the start of the answer.
	app := proxyApp()
	app["host.json"] = strings.Replace(app["host.json"], `"routePrefix":""`,
		`"routePrefix":"","customHeaders":{"X-Added":"host","X-Both":"host"},"hsts":{"isEnabled":true,"maxAge":"10","includeSubDomains":true}`, 1)
	h, _ := ready(t, app, nil)
	got := get(t, h, "/"+query("do", "answer", "code", "200", "h-x-both", "handler"), "X-Forwarded-Proto: https")
	for name, want := range map[string]string{"X-Added": "host", "X-Both": "handler", "Strict-Transport-Security": "max-age=864000; includeSubDomains"} {
		if v := got.Header.Values(name); !cmp.Equal(v, []string{want}) {
			t.Errorf("%s: got %q, want %q", name, v, want)
		}
	}
	if got := get(t, h, "/"+query("do", "answer", "code", "200")); got.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("got HSTS over http, want it on https only")
	}
}
