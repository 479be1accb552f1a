package forward_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/localrun/backend"
	"tollgate/shared/wire"
	"tollgate/shared/wire/wiretest"
)

// Time in these tests is not real: each says exactly when something happens.

// upload is a request whose body comes from read.
func upload(t testing.TB, length int64, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/orders", io.NopCloser(body))
	r.ContentLength = length
	return r
}

// silent is a backend that takes a request and never answers.
func silent(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// slowly gives its pieces with a pause before each, and one before the end.
type slowly struct {
	pieces []string
	pause  time.Duration
	at     context.Context
}

func (s *slowly) Read(p []byte) (int, error) {
	select {
	case <-time.After(s.pause):
	case <-s.at.Done():
		return 0, s.at.Err()
	}
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

func TestABackendThatKeepsUsWaitingMissesItsDeadline(t *testing.T) {
	big := strings.Repeat("x", maxBody)
	for name, c := range map[string]struct {
		backend http.HandlerFunc
		request func(t *testing.T) *http.Request
		after   time.Duration
	}{
		"silent, no body": {silent, func(t *testing.T) *http.Request {
			return httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil)
		}, timeout},
		"silent after the body": {silent, func(t *testing.T) *http.Request { return upload(t, -1, strings.NewReader(big)) }, timeout},
		"not reading the body":  {func(http.ResponseWriter, *http.Request) { <-time.After(24 * time.Hour) }, func(t *testing.T) *http.Request { return upload(t, maxBody, strings.NewReader(big)) }, timeout},
		"silent after a slow upload": {silent, func(t *testing.T) *http.Request {
			return upload(t, -1, &slowly{pieces: []string{"a", "b"}, pause: time.Hour, at: t.Context()})
		}, 3*time.Hour + timeout},
		"hints, and then nothing": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			<-r.Context().Done()
		}, func(t *testing.T) *http.Request {
			return httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil)
		}, timeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, w, began := bubble(t, c.backend), httptest.NewRecorder(), time.Now()
				f.ServeHTTP(w, c.request(t))
				if took := time.Since(began); took != c.after {
					t.Errorf("got the answer after %s, want %s", took, c.after)
				}
				if got := f.result(t); w.Code != 504 || got.code() != "backend_timeout" || got.refused.Cause() == "" {
					t.Errorf("got status %d and %s, want 504 with its cause", w.Code, got.code())
				}
			})
		})
	}
}

func TestADialThatHangsMissesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, transport, w, began := wiretest.NewMemory(), wire.NewClient(time.Now), httptest.NewRecorder(), time.Now()
		defer synctest.Wait()
		defer network.Close()
		transport.Dial = network.Dial // nobody accepts
		f := newFront(api(t, "http://backend.internal"), transport)
		f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil))
		if took := time.Since(began); took != timeout || w.Code != 504 {
			t.Errorf("got status %d after %s, want 504 after %s", w.Code, took, timeout)
		}
	})
}

func TestASlowClientIsNotBlamedOnTheBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := backend.Record(backend.New())
		f, w, began := bubble(t, rec), httptest.NewRecorder(), time.Now()
		pieces := strings.Split("slow as can be", "")
		f.ServeHTTP(w, upload(t, -1, &slowly{pieces: pieces, pause: 10 * timeout, at: t.Context()}))
		if took := time.Since(began); took != time.Duration(len(pieces)+1)*10*timeout || w.Code != 200 || string(rec.Requests()[0].Body) != "slow as can be" {
			t.Errorf("got status %d after %s and the body %q, want 200 and all of it", w.Code, took, rec.Requests()[0].Body)
		}
	})
}

func TestASlowClientWithAKnownLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, w := bubble(t, backend.New()), httptest.NewRecorder()
		f.ServeHTTP(w, upload(t, 2, &slowly{pieces: []string{"a", "b"}, pause: 10 * timeout, at: t.Context()}))
		if got := f.result(t); w.Code != 200 {
			t.Errorf("got status %d and %s, want 200", w.Code, got.code())
		}
	})
}

func TestAnAnswerJustInTimeIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, w := bubble(t, backend.New()), httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/orders?delay=29.999s", nil))
		if got := f.result(t); w.Code != 200 || got.outcome.Status != 200 {
			t.Errorf("got status %d and %s, want 200", w.Code, got.code())
		}
	})
}

func TestARunningStreamIsNotCut(t *testing.T) {
	for name, target := range map[string]string{"events": "/orders?events=50&every=1h", "a pause of a day": "/orders?events=2&every=24h"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, w := bubble(t, backend.New()), httptest.NewRecorder()
				f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", target, nil))
				if got := f.result(t); got.outcome.Broken != "" || got.outcome.ClientGone || strings.Count(w.Body.String(), "data: ") < 2 || int64(w.Body.Len()) != got.outcome.Bytes {
					t.Errorf("got %+v and %q, want the whole stream", got.outcome, w.Body)
				}
			})
		})
	}
}

func TestACallPastItsDeadlineFreesTheBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var freed time.Duration
		began, done := time.Now(), make(chan struct{})
		f := bubble(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			freed = time.Since(began)
			close(done)
		}))
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil))
		<-done
		if freed != timeout {
			t.Errorf("got the backend freed after %s, want %s", freed, timeout)
		}
	})
}

func TestAClientThatLeavesBeforeTheDeadlineIsNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(timeout-time.Second, cancel)
		f := bubble(t, http.HandlerFunc(silent))
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/orders", nil))
		if got := f.result(t); got.refused != nil || !got.outcome.ClientGone || got.outcome.Status != 0 {
			t.Errorf("got %s and %+v, want the outcome that the client is gone", got.code(), got.outcome)
		}
	})
}

// A backend that answers early stops its clock: upload and answer may go on for as long as they like.
func TestAnEarlyAnswerStopsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := bubble(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).EnableFullDuplex()
			w.WriteHeader(202)
			_ = http.NewResponseController(w).Flush()
			n, err := io.Copy(io.Discard, r.Body)
			if n != 3 || err != nil {
				t.Errorf("got %d bytes (%v) at the backend, want 3", n, err)
			}
			<-time.After(10 * timeout)
			_, _ = io.WriteString(w, "got it")
		}))
		w := httptest.NewRecorder()
		f.ServeHTTP(w, upload(t, -1, &slowly{pieces: []string{"a", "b", "c"}, pause: 10 * timeout, at: t.Context()}))
		if got := f.result(t); w.Code != 202 || w.Body.String() != "got it" || got.outcome.Broken != "" {
			t.Errorf("got status %d, %q and %+v, want 202 and the whole answer", w.Code, w.Body, got.outcome)
		}
	})
}

// refusing is a transport that fails at once.
type refusing struct{ err error }

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, r.err }

func TestWhoseFaultItIsThatNoAnswerCame(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"refused":            {&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}, "backend_unreachable"},
		"a timeout of dial":  {timeoutError{errors.New("dial tcp 10.0.0.4:443: i/o timeout")}, "backend_timeout"},
		"a context's":        {context.DeadlineExceeded, "backend_timeout"},
		"no such name":       {&net.DNSError{Err: "no such host", Name: "orders.internal"}, "backend_unreachable"},
		"a cancelled dial":   {context.Canceled, "backend_unreachable"},
		"a broken handshake": {&tls.CertificateVerificationError{Err: errors.New("x509: unknown authority")}, "backend_unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			f, w := newFront(api(t, "http://orders.internal"), refusing{c.err}), httptest.NewRecorder()
			f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/orders", nil))
			got := f.result(t)
			if got.code() != c.code || !strings.Contains(got.refused.Cause(), c.err.Error()) {
				t.Errorf("got %s because of %q, want %s because of %q", got.code(), got.refused.Cause(), c.code, c.err)
			}
			var all bytes.Buffer
			_ = w.Header().Write(&all)
			if text := all.String() + w.Body.String(); strings.Contains(text, "internal") || strings.Contains(text, "10.0.0.4") || strings.Contains(text, "tls") {
				t.Errorf("got the cause in the answer:\n%s", text)
			}
		})
	}
}
