package host

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func forwardApp() files {
	return files{"host.json": hostJSON(`"enableForwardingHttpRequest":true`, ""), "all/function.json": catchAll("{*path}")}
}

func TestForward(t *testing.T) {
	t.Parallel()
	h, _ := ready(t, forwardApp(), nil)

	t.Run("path and query are rebuilt", func(t *testing.T) {
		// functions-host.md §2b.
		for target, want := range map[string]string{
			"/a%2Fb":      "/a%2Fb",
			"/a%3Fb":      "/a",
			"/%2541":      "/A",
			"/a?b=1&b=2":  "/a?b=1%2C2",
			"/a?code=key": "/a?code=key",
		} {
			if got := echoed(t, get(t, h, target)).URI; got != want {
				t.Errorf("%s: got %s, want %s", target, got, want)
			}
		}
	})

	t.Run("headers pass, the caller's chain and Host too", func(t *testing.T) {
		// functions-host.md §2b.
		got := echoed(t, get(t, h, "/", "X-Forwarded-For: 6.6.6.6", "Connection: keep-alive", "User-Agent: me"))
		if got.Host != "app.example" || got.Header.Get("X-Forwarded-For") != "6.6.6.6" {
			t.Errorf("got Host %s and %v, want them as sent", got.Host, got.Header)
		}
		if want := "me Azure-Functions-Host/" + defaultHostVersion; got.Header.Get("User-Agent") != want {
			t.Errorf("got User-Agent %q, want %q", got.Header.Get("User-Agent"), want)
		}
	})

	t.Run("a forged invocation id stays in front of the host's", func(t *testing.T) {
		// functions-host.md §2b: added, not set.
		got := echoed(t, get(t, h, "/", "X-Azure-Functions-InvocationId: forged")).Header["X-Azure-Functions-Invocationid"]
		if len(got) != 2 || got[0] != "forged" || len(got[1]) != 36 {
			t.Errorf("got %q, want the forged one and a UUID", got)
		}
	})

	t.Run("content headers are lost but for the type of a body", func(t *testing.T) {
		// functions-host.md §2b [derived].
		got := echoed(t, raw(t, h, request("POST", "/", "Content-Type: text/x", "Content-Encoding: x", "Content-Language: de", "Content-Length: 4")+"body"))
		if got.Header.Get("Content-Type") != "text/x" || got.Body != "body" || got.Length != 4 {
			t.Errorf("got %+v, want the body and its type", got)
		}
		if got.Header.Get("Content-Encoding")+got.Header.Get("Content-Language") != "" {
			t.Errorf("got %v, want the other content headers lost", got.Header)
		}
		if got := echoed(t, get(t, h, "/", "Content-Type: text/x")); got.Header.Get("Content-Type") != "" {
			t.Errorf("got %v, want no type without a body", got.Header)
		}
	})

	t.Run("a chunked body is dropped", func(t *testing.T) {
		// functions-host.md §2b [derived].
		got := echoed(t, raw(t, h, request("POST", "/", "Transfer-Encoding: chunked")+"5\r\nhello\r\n0\r\n\r\n"))
		if got.Body != "" || got.Length != 0 {
			t.Errorf("got %q, want no body", got.Body)
		}
	})

	t.Run("answers are buffered and passed on, redirects too", func(t *testing.T) {
		// functions-host.md §2b.
		for _, code := range []string{"200", "302", "404", "503"} {
			got := get(t, h, "/"+query("do", "answer", "code", code, "body", "b", "h-location", "/else", "h-set-cookie", "s=1"))
			if fmt.Sprint(got.Status) != code || got.Body != "b" || got.Header.Get("Location") != "/else" || got.Header.Get("Set-Cookie") != "s=1" {
				t.Errorf("%s: got %+v, want the handler's answer", code, got)
			}
		}
	})

	t.Run("an answer that breaks off is an empty 500, sent once", func(t *testing.T) {
		// functions-host.md §2b: buffered, so nothing was sent; no retries.
		got := get(t, h, "/?do=partial&count=partial")
		if got.Status != 500 || got.Body != "" {
			t.Errorf("got %d %q, want an empty 500", got.Status, got.Body)
		}
		if n := get(t, h, "/?do=counted&of=partial").Body; n != "1" {
			t.Errorf("got %s attempts, want 1", n)
		}
	})
}

func TestVariantForwardChunkedFail(t *testing.T) {
	t.Parallel()
	// functions-host.md §2b: dropped or 500 [derived].
	h, _ := ready(t, forwardApp(), func(o *Options) { o.Variants.ForwardChunkedFail = true })
	got := raw(t, h, request("POST", "/", "Transfer-Encoding: chunked")+"5\r\nhello\r\n0\r\n\r\n")
	if got.Status != 500 {
		t.Errorf("got %d, want 500", got.Status)
	}
}

func TestTheOldSectionForwardsToTheFunctionName(t *testing.T) {
	t.Parallel()
	// functions-host.md §2.0: httpWorker.
	app := files{"host.json": strings.Replace(hostJSON("", ""), "customHandler", "httpWorker", 1), "MyName/function.json": catchAll("a/{id}")}
	h, _ := ready(t, app, nil)
	if got, want := echoed(t, get(t, h, "/a/1?x=2")).URI, "/MyName?x=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestACrashFailsForwardedCallsAtOnce(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.3: 500 in JSON and forward modes.
	h, w := ready(t, forwardApp(), nil)
	if got := get(t, h, "/?do=exit&code=3"); got.Status != 500 || got.Body != "" {
		t.Errorf("got %d %q, want an empty 500", got.Status, got.Body)
	}
	eventually(t, "another life", func() bool { return w.count(EventReady) == 2 })
	if diff := cmp.Diff(1, w.count(EventFailure)); diff != "" {
		t.Error(diff)
	}
}
