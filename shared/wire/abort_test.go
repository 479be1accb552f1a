package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
)

// An answer that broke off must not look whole, however its end is told.
func TestAnAbortedAnswerNeverLooksWhole(t *testing.T) {
	for name, c := range map[string]struct {
		handler handler
		request string
	}{
		"before the header": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }, get},
		"held back":         {write("hello"), get},
		"chunked":           {func(w http.ResponseWriter, _ *http.Request) { flushed(w, "hello") }, get},
		"short of its length": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			flushed(w, "hello")
		}, get},
		"all of it, not yet out": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "hello")
		}, get},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, handler(func(w http.ResponseWriter, r *http.Request) {
				c.handler(w, r)
				panic(http.ErrAbortHandler)
			})).dial(t, c.request+get)
			resp, err := http.ReadResponse(p.in, nil)
			if err != nil {
				return
			}
			if body, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("got the whole answer %q, want one that breaks off", body)
			}
		})
	}
}

func TestAPanicIsReportedAndAnAbortIsNot(t *testing.T) {
	for _, fault := range []any{"a fault", fmt.Errorf("wrapped: %w", http.ErrAbortHandler)} {
		var reports bytes.Buffer
		s := serve(t, handler(func(http.ResponseWriter, *http.Request) { panic(fault) }), func(s *wire.Server) {
			s.Report = func(err error) { fmt.Fprintln(&reports, err) }
		})
		_, answer := s.converse(&notes{}, get+get)
		if answer != "" {
			t.Errorf("got %q, want no answer", answer)
		}
		if got, want := strings.Contains(reports.String(), "a fault"), fault == "a fault"; got != want {
			t.Errorf("%v: got the reports %q", fault, &reports)
		}
	}
}

// A close-delimited answer has nothing but the reset to tell that it broke off.
func TestAnAbortedAnswerThatEndsWithItsConnectionIsReset(t *testing.T) {
	s := wiretest.Start(t, handler(func(w http.ResponseWriter, _ *http.Request) {
		flushed(w, "hello")
		panic(http.ErrAbortHandler)
	}), nil)
	p := dial(t, s.Listener, "GET / HTTP/1.0\r\n\r\n")
	if text, err := io.ReadAll(p.in); err == nil {
		t.Errorf("got %q with a proper end, want a reset", text)
	}
}
