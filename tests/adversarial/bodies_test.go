package adversarial

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// controls are requests that have one reading, however unusual: what follows
// them is the next request, and is answered.
func controls() map[string]string {
	return map[string]string{
		"a length":                                 post("hello", "Content-Length: 5"),
		"no length and no body":                    plain("X: y"),
		"a length of 0":                            post("", "Content-Length: 0"),
		"chunks":                                   post(hello, te),
		"chunks, the coding in upper case":         post(hello, "TRANSFER-ENCODING: CHUNKED"),
		"a chunk size in upper and lower case":     post("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", te),
		"spaces and tabs around a length":          post("hello", "Content-Length: \t 5 \t"),
		"spaces and tabs around a coding":          post(hello, "Transfer-Encoding: \t chunked \t"),
		"no space after the colon":                 post("hello", "Content-Length:5"),
		"a body that looks like a request":         post(smuggled, fmt.Sprintf("Content-Length: %d", len(smuggled))),
		"chunks that look like a request":          post(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled), te),
		"a GET with a body that looks like one":    plain(fmt.Sprintf("Content-Length: %d", len(smuggled))) + smuggled,
		"obsolete but valid text in a value":       plain("X: caf\u00e9"),
		"an empty value":                           plain("X:"),
		"a value of punctuation":                   plain(`X: !"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`"),
		"a name of all characters a name can have": plain("!#$%&'*+-.^_`|~09azAZ: y"),
	}
}

// F109, F110: the strict rules refuse nothing that has one reading.
func TestWhatHasOneReadingIsReadThatWay(t *testing.T) {
	b := direct(t)
	for name, request := range controls() {
		t.Run(name, func(t *testing.T) {
			b.Backend.Reset()
			x := b.exchange(t, request+"GET /public/next HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n", false)
			var targets []string
			for _, seen := range b.Backend.Requests() {
				targets = append(targets, seen.Target)
			}
			if !slices.Equal(x.statuses(), []int{200, 200}) || !slices.Equal(targets, []string{"/public/x0000", "/public/next"}) || !x.closed {
				t.Errorf("got the answers %v and the backend heard %v, want two of 200, for x0000 and next", x.statuses(), targets)
			}
		})
	}
}

// unread are refusals that leave a body, and what is in it, behind.
func unread(b *bench) map[string]string {
	body := strings.Repeat(smuggled, 200)
	length := fmt.Sprintf("Content-Length: %d", len(body))
	to := func(methodAndPath string, lines ...string) string {
		return methodAndPath + " HTTP/1.1\r\nHost: api.example\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n" + body
	}
	bad := "Authorization: Bearer " + b.user(map[string]any{"exp": 5})
	return map[string]string{
		"401 without a token":            to("POST /orders", length),
		"401 with a bad token":           to("POST /orders", bad, length),
		"401 of a GET":                   to("GET /manage/x", length),
		"401 of a HEAD":                  to("HEAD /manage/x", length),
		"403":                            to("POST /orders", "Authorization: Bearer "+b.user(nil), length),
		"404":                            to("POST /nowhere", length),
		"405":                            to("PUT /manage/x", length),
		"400 for the path":               to("POST /public/../x", length),
		"401 with chunks":                to("POST /orders", te) + "\r\n",
		"401 with a length beyond":       to("POST /orders", "Content-Length: 1000000000000"),
		"413":                            to("POST /public/x", "Content-Length: 1000000000000"),
		"401 that expects 100-continue":  to("POST /orders", bad, "Expect: 100-continue", length),
		"401 that asks to be kept alive": to("POST /orders", "Connection: keep-alive", length),
	}
}

// F112: after a refusal the body's bytes are no requests.
func TestF112ABodyThatWasRefusedIsNotReadAsRequests(t *testing.T) {
	b := direct(t)
	for name, request := range unread(b) {
		t.Run(name, func(t *testing.T) {
			b.Backend.Reset()
			x := b.exchange(t, request+smuggled, false)
			status, _, _ := strings.Cut(name, " ")
			if len(x.answers) != 1 || fmt.Sprint(x.answers[0].StatusCode) != status || !x.answers[0].Close || !x.closed {
				t.Errorf("got the answers %v (closed: %v), want one of %s with Connection: close, and the end", x.statuses(), x.closed, status)
			}
			if got := b.Backend.Count(); got != 0 || len(x.interim) != 0 {
				t.Errorf("got %d calls of the backend and the interim answers %v, want none", got, x.interim)
			}
		})
	}
}

// F112, the control: a refusal without a body ends nothing.
func TestF112ARequestBehindARefusalWithoutABodyIsItsOwn(t *testing.T) {
	b := direct(t)
	x := b.exchange(t, "GET /manage/x HTTP/1.1\r\nHost: a\r\n\r\nGET /public/next HTTP/1.1\r\nHost: a\r\n\r\nPOST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /public/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false)
	if got := x.statuses(); !slices.Equal(got, []int{401, 200, 401, 200}) || b.Backend.Count() != 2 {
		t.Errorf("got the answers %v and %d calls, want 401, 200, 401, 200 and two", got, b.Backend.Count())
	}
}

// E104: nobody is asked for a body that will be thrown away, and ten megabytes
// of it are not waited for.
func TestE104ARefusalDoesNotAskForTheBody(t *testing.T) {
	b := direct(t)
	head := "POST /orders HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer x\r\nExpect: 100-continue\r\n"
	for name, request := range map[string]string{
		"10 MB announced":           head + "Content-Length: 10485760\r\n\r\n",
		"10 MB announced, 1 sent":   head + "Content-Length: 10485760\r\n\r\nx",
		"chunks announced":          head + te + "\r\n\r\n",
		"10 MB sent without asking": head + "Content-Length: 10485760\r\n\r\n" + strings.Repeat("x", 10<<20),
		"in another case":           strings.Replace(head, "100-continue", "100-CONTINUE", 1) + "Content-Length: 10485760\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			x := b.exchange(t, request, false)
			if !slices.Equal(x.statuses(), []int{401}) || len(x.interim) > 0 || !x.answers[0].Close || !x.closed {
				t.Errorf("got %v after %v (closed: %v), want 401 at once, Connection: close and the end", x.statuses(), x.interim, x.closed)
			}
		})
	}
	t.Run("a body that will be read is asked for", func(t *testing.T) {
		conn := b.Dial(t)
		_, _ = io.WriteString(conn, "POST /public/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n")
		in := bufio.NewReader(conn)
		if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 100 {
			t.Fatalf("got %v, %v, want 100", resp, err)
		}
		_, _ = io.WriteString(conn, "hello")
		if x := receive(in, "POST"); !slices.Equal(x.statuses(), []int{200}) || !strings.Contains(string(x.answers[0].body), `"body":"hello"`) {
			t.Errorf("got %v, want 200 with the body", x.statuses())
		}
	})
}

// expectations are those that nobody can meet (RFC 9110 §10.1.1).
func expectations() (frames []frame) {
	for _, e := range []string{"200-ok", "100-continue, 200-ok", "100-continued", "x", "100-continue; q=1", `"100-continue"`, "100"} {
		frames = append(frames, frame{id: "E104", name: "Expect: " + e, request: post("hello", "Content-Length: 5", "Expect: "+e), want: "417"})
	}
	return frames
}

// F113: a protocol that the gateway doesn't speak is never switched to.
func upgrades(b *bench) (rows []row) {
	for name, lines := range map[string][]string{
		"h2c":                 {"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"},
		"h2c without the hop": {"Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"},
		"h2c in upper case":   {"Connection: UPGRADE, http2-settings", "Upgrade: H2C", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"},
		"h2c among others":    {"Connection: Upgrade", "Upgrade: websocket, h2c, TLS/1.3"},
		"websocket":           {"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="},
		"TLS":                 {"Connection: Upgrade", "Upgrade: TLS/1.0"},
		"SPDY":                {"Connection: Upgrade", "Upgrade: SPDY/3.1"},
	} {
		plainly := func(path string) string {
			return "GET " + path + " HTTP/1.1\r\nHost: api.example\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
		}
		rows = append(rows,
			row{id: "F113", name: name + " on a protected path", request: plainly("/manage/x"), want: "401 token_missing"},
			row{id: "F113", name: name + " on a public path", request: plainly("/public/x"), want: "200", check: unheard("Upgrade", "HTTP2-Settings", "Connection")})
	}
	return rows
}

// F113: what follows an upgrade that wasn't made is no tunnel.
func TestF113NothingTunnelsBehindAnUpgrade(t *testing.T) {
	b := direct(t)
	x := b.exchange(t, "GET /public/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"+smuggled, false)
	if got := x.statuses(); len(got) != 2 || got[0] != 200 || got[1] != 400 && got[1] != 505 || !x.closed || b.Backend.Count() != 1 {
		t.Errorf("got the answers %v (closed: %v) and %d calls, want 200, a refusal of the preface, and one", got, x.closed, b.Backend.Count())
	}
}
