package wire_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

type handler = http.HandlerFunc

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

// raw is what a handler's answer to a request looks like, without the time of day.
func raw(t *testing.T, h handler, text string) string {
	t.Helper()
	_, answer := serve(t, h).converse(&notes{}, text)
	return answer
}

func write(pieces ...string) handler {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, p := range pieces {
			_, _ = io.WriteString(w, p)
		}
	}
}

func status(code int) handler {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func flushed(w http.ResponseWriter, text string) {
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
}

func TestAnAnswerIsFramedByWhatIsKnownOfItsLength(t *testing.T) {
	big := strings.Repeat("x", 5000)
	for name, c := range map[string]struct {
		handler handler
		request string
		want    string
	}{
		"nothing":            {write(), get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		"a small one":        {write("a", "b"), get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"},
		"a large one":        {write("ab", big), get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1388\r\n" + big + "\r\n0\r\n\r\n"},
		"a flushed one":      {func(w http.ResponseWriter, _ *http.Request) { flushed(w, "a"); flushed(w, ""); flushed(w, "b") }, get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"},
		"a declared length":  {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "2"); flushed(w, "ab") }, get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"},
		"a large one, 1.0":   {write(big), "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + big},
		"a small one, 1.0":   {write("a"), "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na"},
		"HEAD":               {write("abc"), "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"},
		"HEAD with a length": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "3") }, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"},
		"204":                {status(204), get, "HTTP/1.1 204 No Content\r\n\r\n"},
		"204 with a length": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(204)
		}, get, "HTTP/1.1 204 No Content\r\n\r\n"},
		"304": {status(304), get, "HTTP/1.1 304 Not Modified\r\n\r\n"},
		"304 with a length": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(304)
		}, get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"},
		"an unknown status":    {status(599), get, "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n"},
		"the handler's close":  {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "x, close") }, get + get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		"the client's close":   {write(), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		"a length that is two": {func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Length"] = []string{"5", "6"} }, get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		"101 without a hijack": {status(101), get + get, "HTTP/1.1 101 Switching Protocols\r\nConnection: close\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := raw(t, c.handler, c.request); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhatSteersAMessageIsNotTheHandlersToSay(t *testing.T) {
	for _, name := range []string{
		"Transfer-Encoding", "transfer-encoding", "content-length", "CONNECTION", "Keep-Alive", "trailer",
		"X: y\r\nInjected", "X-A\r\n", "X A", "", "X-A:", "X-Ä",
	} {
		got := raw(t, func(w http.ResponseWriter, _ *http.Request) { w.Header()[name] = []string{"7"} }, get)
		if want := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"; got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestAValueNeverEndsItsLine(t *testing.T) {
	got := raw(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "b\r\nX-C: d\x00e\x7f\tf") }, get)
	if want := "HTTP/1.1 200 OK\r\nX-A: b  X-C: d e \tf\r\nContent-Length: 0\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnAnswerIsDated(t *testing.T) {
	p := serve(t, write()).dial(t, get)
	if got := p.reply(t, "GET").Header.Get("Date"); !strings.HasSuffix(got, " GMT") {
		t.Errorf("got the date %q, want it as RFC 9110 §5.6.7 has it", got)
	}
	got := raw(t, func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil }, get)
	if strings.Contains(got, "Date") {
		t.Errorf("got %q, want no date where the handler wants none", got)
	}
}

// A client must be able to tell that less came than was said.
func TestAnAnswerThatIsShorterThanItSaidIsTheLastOne(t *testing.T) {
	p := serve(t, handler(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "short")
	})).dial(t, get)
	if got := p.reply(t, "GET"); got.Body != "short" || got.Err == nil {
		t.Errorf("got %q (%v), want a body that breaks off", got.Body, got.Err)
	}
}

func TestAnAnswerIsNeverLongerThanItSaid(t *testing.T) {
	got := raw(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "hello")
		if n, err := io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n"); n != 0 || err != http.ErrContentLength {
			t.Errorf("got %d bytes written (%v), want http.ErrContentLength", n, err)
		}
	}, get)
	if !strings.HasSuffix(got, "\r\n\r\nhello") {
		t.Errorf("got %q, want no more than was said", got)
	}
}

func TestWhatCanHaveNoContentGetsNone(t *testing.T) {
	for _, code := range []int{204, 304} {
		got := raw(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			if _, err := io.WriteString(w, "hello"); err != http.ErrBodyNotAllowed {
				t.Errorf("%d: got %v, want http.ErrBodyNotAllowed", code, err)
			}
		}, get)
		if !strings.HasSuffix(got, "\r\n\r\n") {
			t.Errorf("%d: got %q, want no content", code, got)
		}
	}
}

func TestTrailersFollowTheContent(t *testing.T) {
	got := raw(t, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Trailer", "x-sum, Content-Length, X-Absent")
		h.Set(http.TrailerPrefix+"content-length", "5")
		_, _ = io.WriteString(w, "hi")
		h.Set("X-Sum", "1\r\nX-Injected: 2")
		h.Set("X-Late", "not announced")
	}, get)
	want := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-Absent\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1  X-Injected: 2\r\n\r\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p := serve(t, handler(func(w http.ResponseWriter, _ *http.Request) {
		flushed(w, "hi")
		w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
	})).dial(t, get)
	if got := p.reply(t, "GET"); got.Trailer.Get("X-Sum") != "1" || got.Body != "hi" {
		t.Errorf("got %q and the trailers %v, want one that wasn't announced, too", got.Body, got.Trailer)
	}
}

func TestHintsComeBeforeTheAnswer(t *testing.T) {
	hints := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(103)
		w.Header().Del("Link")
		w.WriteHeader(201)
		w.WriteHeader(500) // too late
	}
	if got, want := raw(t, hints, get), "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := raw(t, hints, "GET / HTTP/1.0\r\n\r\n"); strings.Contains(got, "103") {
		t.Errorf("got %q, want no hints with HTTP/1.0 (RFC 9110 §15.2)", got)
	}
}

func TestAFlushIsSeenAtOnce(t *testing.T) {
	goOn := make(chan bool)
	p := serve(t, handler(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-goOn
		flushed(w, "one")
		<-goOn
		flushed(w, "two")
		<-goOn
	})).dial(t, get)
	resp, err := http.ReadResponse(p.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		goOn <- true
		got := make([]byte, 3)
		if _, err := io.ReadFull(resp.Body, got); string(got) != want {
			t.Errorf("got %q (%v) while the handler waits, want %q", got, err, want)
		}
	}
	goOn <- true
}
