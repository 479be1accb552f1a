package host

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProxy(t *testing.T) {
	t.Parallel()
	h, _ := ready(t, proxyApp(), nil)

	t.Run("the path is decoded once and encoded again, the query stays raw", func(t *testing.T) {
		// functions-host.md §2c: %2F and %252F become indistinguishable.
		for target, want := range map[string]string{
			"/a%2Fb":                       "/a%252Fb",
			"/a%252Fb":                     "/a%252Fb",
			"/%41":                         "/A",
			"/%2541":                       "/%2541",
			"/a/../b/%2e%2e/c":             "/c",
			"/a/./b/.":                     "/a/b/",
			"/a%20b%3Fc%23d":               "/a%20b%3Fc%23d",
			"/caf%C3%A9":                   "/caf%C3%A9",
			"/bad%FFutf8":                  "/bad%25FFutf8",
			"/x//y":                        "/x//y",
			"/p;v=1/(q)?a=1&a=2&b=%41+%2f": "/p;v=1/(q)?a=1&a=2&b=%41+%2f",
			"/x?":                          "/x?",
			"/back%5Cslash":                "/back%5Cslash",
			`/"<>^|`:                       "/%22%3C%3E%5E%7C",
		} {
			if got := echoed(t, get(t, h, target)).URI; got != want {
				t.Errorf("%s: got %s, want %s", target, got, want)
			}
		}
	})

	t.Run("headers to the connection are dropped, those that Connection names are not", func(t *testing.T) {
		// functions-host.md §2c.
		got := echoed(t, get(t, h, "/", "Connection: X-Named, keep-alive", "X-Named: stays", "Keep-Alive: 5", "TE: trailers",
			"Upgrade: h2c", "HTTP2-Settings: x", "Proxy-Authorization: x", "Proxy-Connection: x", "Alt-Svc: x", "ALPN: x", "Close: x",
			"Upgrade-Insecure-Requests: 1", "X-Twice: a", "X-Twice: b", "Cookie: c=1", "User-Agent: me/1"))
		for _, name := range []string{"Connection", "Keep-Alive", "Te", "Upgrade", "Http2-Settings", "Proxy-Authorization",
			"Proxy-Connection", "Alt-Svc", "Alpn", "Close", "Upgrade-Insecure-Requests"} {
			if values, ok := got.Header[name]; ok {
				t.Errorf("%s: got %q, want it dropped", name, values)
			}
		}
		want := http.Header{"X-Named": {"stays"}, "X-Twice": {"a", "b"}, "Cookie": {"c=1"}, "User-Agent": {"me/1"}}
		for name, values := range want {
			if diff := cmp.Diff(values, got.Header[name]); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})

	t.Run("Host and X-Forwarded-* are set, the caller's chain and Forwarded are discarded", func(t *testing.T) {
		// functions-host.md §2c.
		got := echoed(t, get(t, h, "/", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "X-Forwarded-Prefix: /evil", "Forwarded: for=6.6.6.6"))
		if got.Host != h.handler.address {
			t.Errorf("got Host %s, want %s", got.Host, h.handler.address)
		}
		want := http.Header{"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"app.example"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Prefix": nil, "Forwarded": nil}
		for name, values := range want {
			if diff := cmp.Diff(values, got.Header[name]); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})

	t.Run("the host believes DISGUISED-HOST and X-Forwarded-Proto blindly", func(t *testing.T) {
		// functions-host.md §7.
		got := echoed(t, get(t, h, "/", "DISGUISED-HOST: public.example", "X-Forwarded-Proto: https"))
		if got.Header.Get("X-Forwarded-Host") != "public.example" || got.Header.Get("X-Forwarded-Proto") != "https" {
			t.Errorf("got %s://%s, want https://public.example", got.Header.Get("X-Forwarded-Proto"), got.Header.Get("X-Forwarded-Host"))
		}
	})

	t.Run("invocation headers can't be forged", func(t *testing.T) {
		// functions-host.md §2c: overwritten per request.
		got := echoed(t, get(t, h, "/", "X-Azure-Functions-InvocationId: forged", "x-ms-invocation-id: forged", "X-Azure-Functions-HostVersion: 9"))
		id := got.Header.Values("X-Azure-Functions-InvocationId")
		if len(id) != 1 || len(id[0]) != 36 || got.Header.Get("X-Ms-Invocation-Id") != id[0] {
			t.Errorf("got ids %q and %q, want one UUID twice", id, got.Header.Values("X-Ms-Invocation-Id"))
		}
		if v := got.Header.Values("X-Azure-Functions-HostVersion"); !cmp.Equal(v, []string{defaultHostVersion}) {
			t.Errorf("got version %q, want %s", v, defaultHostVersion)
		}
	})

	t.Run("keys are not stripped before the handler", func(t *testing.T) {
		// functions-host.md §3.
		got := echoed(t, get(t, h, "/?code=secret", "x-functions-key: wrong"))
		if got.URI != "/?code=secret" || got.Header.Get("X-Functions-Key") != "wrong" {
			t.Errorf("got %s and key %q, want both as sent", got.URI, got.Header.Get("X-Functions-Key"))
		}
	})

	t.Run("a request without User-Agent and Accept-Encoding gets none", func(t *testing.T) {
		got := echoed(t, get(t, h, "/"))
		if got.Header.Get("User-Agent") != "" || got.Header.Get("Accept-Encoding") != "" {
			t.Errorf("got %v, want neither", got.Header)
		}
	})

	t.Run("bodies keep their framing", func(t *testing.T) {
		// functions-host.md §2c.
		known := echoed(t, raw(t, h, request("POST", "/", "Content-Length: 5")+"hello"))
		if known.Length != 5 || known.Body != "hello" {
			t.Errorf("got length %d and %q, want 5 and hello", known.Length, known.Body)
		}
		chunked := echoed(t, raw(t, h, request("POST", "/", "Transfer-Encoding: chunked")+"5\r\nhello\r\n0\r\nX-T: lost\r\n\r\n"))
		if !cmp.Equal(chunked.Encoding, []string{"chunked"}) || chunked.Body != "hello" || len(chunked.Trailer) != 0 {
			t.Errorf("got %v %q trailers %v, want chunked hello and no trailer", chunked.Encoding, chunked.Body, chunked.Trailer)
		}
		empty := echoed(t, raw(t, h, request("POST", "/", "Content-Length: 0")))
		if empty.Length != 0 || len(empty.Encoding) != 0 {
			t.Errorf("got length %d, encoding %v, want 0 and none", empty.Length, empty.Encoding)
		}
	})

	t.Run("a chunked body streams before it is complete", func(t *testing.T) {
		// functions-host.md §2c: chunked bodies are not pre-read.
		read, write := io.Pipe()
		defer write.Close()
		r, _ := http.NewRequest("POST", "http://x/?do=firstchunk", read)
		go func() { _, _ = io.WriteString(write, "abc") }()
		response, err := send(t, h, r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		got := make([]byte, len("got abc"))
		if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != "got abc" {
			t.Errorf("got %q, %v, want the answer to the first chunk while the body is open", got, err)
		}
	})

	t.Run("the handler's answers pass untouched, errors and redirects too", func(t *testing.T) {
		// functions-host.md §2c.
		for _, code := range []string{"200", "302", "404", "418", "500", "503"} {
			got := get(t, h, "/"+query("do", "answer", "code", code, "body", "b", "h-location", "/else", "h-x-twice", "1", "h-x-twice", "2", "h-set-cookie", "s=1"))
			if fmt.Sprint(got.Status) != code || got.Body != "b" || got.Header.Get("Location") != "/else" || !cmp.Equal(got.Header["X-Twice"], []string{"1", "2"}) {
				t.Errorf("%s: got %+v, want the handler's own answer", code, got)
			}
		}
	})

	t.Run("headers to the connection are dropped from the answer", func(t *testing.T) {
		// functions-host.md §2c.
		got := get(t, h, "/"+query("do", "answer", "code", "200", "body", "b", "h-alt-svc", "h3", "h-proxy-authenticate", "x", "h-strict-transport-security", "max-age=1"))
		if got.Header.Get("Alt-Svc") != "" || got.Header.Get("Proxy-Authenticate") != "" {
			t.Errorf("got %v, want Alt-Svc and Proxy-Authenticate dropped", got.Header)
		}
		if got.Header.Get("Strict-Transport-Security") != "max-age=1" {
			t.Errorf("got %v, want the handler's Strict-Transport-Security kept (YARP 2.2+)", got.Header)
		}
	})

	t.Run("no Content-Type is invented", func(t *testing.T) {
		got := get(t, h, "/"+query("do", "answer", "code", "200", "body", "<html>", "h-content-type", ""))
		if v := got.Header.Get("Content-Type"); v != "" {
			t.Errorf("got Content-Type %q, want none", v)
		}
	})

	t.Run("trailers of the answer arrive, announced or not", func(t *testing.T) {
		// functions-host.md §2c.
		got := get(t, h, "/?do=trailer")
		if got.Trailer.Get("X-Announced") != "a" || got.Trailer.Get("X-Late") != "b" {
			t.Errorf("got trailers %v, want both", got.Trailer)
		}
	})

	t.Run("each chunk is flushed", func(t *testing.T) {
		// functions-host.md §2c: buffering is disabled.
		r, _ := http.NewRequest("GET", "http://x/?do=stream&gate=flush", nil)
		response, err := send(t, h, r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		first := make([]byte, 3)
		if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "one" {
			t.Fatalf("got %q, %v, want the first chunk while the handler waits", first, err)
		}
		get(t, h, "/?do=open&gate=flush")
		rest, err := io.ReadAll(response.Body)
		if err != nil || string(rest) != "two" {
			t.Errorf("got %q, %v, want the second chunk", rest, err)
		}
	})

	t.Run("an answer cut after its headers breaks the connection", func(t *testing.T) {
		// functions-host.md §2c.
		if got, err := tryRaw(t, h, request("GET", "/?do=partial")); err == nil {
			t.Errorf("got %+v, want a broken connection", got)
		}
	})

	t.Run("a failure between headers and the first byte of the body is still 500", func(t *testing.T) {
		// functions-host.md §2c, and YARP: headers leave with the first byte.
		got := get(t, h, "/?do=headersthenabort")
		if got.Status != 500 || got.Body != "" {
			t.Errorf("got %d %q, want an empty 500", got.Status, got.Body)
		}
	})

	t.Run("a WebSocket upgrade joins both ends", func(t *testing.T) {
		// functions-host.md §2c: 101 is supported by YARP.
		if got := dialUpgrade(t, h); got != "echo ping\n" {
			t.Errorf("got %q, want the handler's echo", got)
		}
	})

	t.Run("an upgrade to anything else is not passed on", func(t *testing.T) {
		got := echoed(t, get(t, h, "/?do=upgrade", "Connection: Upgrade", "Upgrade: h2c"))
		if got.Header.Get("Upgrade") != "" || got.Header.Get("Connection") != "" {
			t.Errorf("got %v, want neither Upgrade nor Connection", got.Header)
		}
	})

	t.Run("a caller who leaves cancels the handler's request", func(t *testing.T) {
		// functions-host.md §2c: logged only.
		before := fileSize(h, "cancelled")
		ctx, leave := context.WithCancel(t.Context())
		r, _ := http.NewRequestWithContext(ctx, "GET", "http://x/?do=stream&gate=never", nil)
		response, err := send(t, h, r)
		if err != nil {
			t.Fatal(err)
		}
		leave()
		_ = response.Body.Close()
		eventually(t, "the handler's context to end", func() bool { return fileSize(h, "cancelled") > before })
	})
}
