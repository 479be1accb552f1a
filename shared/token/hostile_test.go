package token

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/pipeline"
)

// hang answers nothing until the client gives up.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// drip sends a byte a second for ever.
func drip(r *http.Request) (*http.Response, error) {
	read, write := io.Pipe()
	go func() {
		for {
			select {
			case <-r.Context().Done():
				_ = write.CloseWithError(context.Cause(r.Context()))
				return
			case <-time.After(time.Second):
				_, _ = write.Write([]byte(" "))
			}
		}
	}()
	return answered(r, http.StatusOK, read), nil
}

func TestC64ASlowIssuerIsGivenUpAfterFiveSeconds(t *testing.T) {
	token := rsaK1().token(t, rsaK1().header(), swap(t, claimsText(), "1795439700", "1795639700"))
	onlyKeys := func(f func(*http.Request) (*http.Response, error), p *idp) func(*http.Request) (*http.Response, error) {
		healthy := newIDP(p.keys...)
		return func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/keys") {
				return f(r)
			}
			return healthy.RoundTrip(r)
		}
	}
	for name, f := range map[string]func(*http.Request) (*http.Response, error){"C64 no answer": hang, "C64 a byte a second": drip} {
		synctest.Test(t, func(t *testing.T) {
			took := func(stage pipeline.Stage) (string, time.Duration) {
				began := time.Now()
				_, refused := send(t.Context(), stage, "Bearer "+token)
				return verdictOf(refused), time.Since(began)
			}
			p := newIDP(rsaK1().jwk())
			p.fail(f)
			cold := p.stage()
			if got, d := took(cold); got != "503 keys_unavailable" || d != fetchTimeout {
				t.Errorf("%s, cold: got %s after %s, want 503 keys_unavailable after %s", name, got, d, fetchTimeout)
			}
			p.fail(onlyKeys(f, p))
			p.clock.pass(maxRetry)
			if got, d := took(cold); got != "503 keys_unavailable" || d != fetchTimeout {
				t.Errorf("%s for the keys, cold: got %s after %s, want 503 keys_unavailable after %s", name, got, d, fetchTimeout)
			}
			p.fail(nil)
			warm := p.stage()
			if got, _ := took(warm); got != "granted" {
				t.Errorf("healed: got %s, want granted", got)
			}
			p.clock.pass(freshFor)
			p.fail(f)
			// A key that is held is used, whether its renewal hangs or not.
			if got, d := took(warm); got != "granted" || d != staleWait {
				t.Errorf("%s, warm: got %s after %s, want granted after %s", name, got, d, staleWait)
			}
			p.clock.pass(staleWait)
			if got, d := took(warm); got != "granted" || d != 0 {
				t.Errorf("%s, warm, a moment later: got %s after %s, want granted at once", name, got, d)
			}
			time.Sleep(2 * fetchTimeout) // the bubble's clock: the try ends
			if got, d := took(warm); got != "granted" || d != 0 {
				t.Errorf("%s, warm, in the back-off: got %s after %s, want granted at once", name, got, d)
			}
		})
	}
}

func TestC64ACompressedBombIsCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		spaces := make([]byte, 1<<20)
		for i := range spaces {
			spaces[i] = ' '
		}
		for range 24 {
			if _, err := z.Write(spaces); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	p := newIDP(rsaK1().jwk())
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	p.fail(func(r *http.Request) (*http.Response, error) {
		there, err := http.NewRequestWithContext(r.Context(), "GET", server.URL, nil)
		must(err)
		return transport.RoundTrip(there)
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, refused := send(t.Context(), p.stage(), "Bearer "+rsaK1().valid(t))
	runtime.ReadMemStats(&after)
	assertVerdict(t, verdictOf(refused), "503 keys_unavailable")
	if !strings.Contains(refused.Cause(), "more than") {
		t.Errorf("got the cause %q, want the size", refused.Cause())
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 12<<20 {
		t.Errorf("got %d bytes allocated for an answer that unpacks to 24 MiB, want under 12 MiB", grown)
	}
}

func TestC64DiscoveryCanNotLeadToALessSafePlace(t *testing.T) {
	for _, jwks := range []any{"http://login.idp.example/keys", "http://169.254.169.254/keys", "file:///etc/passwd", "/keys", "//login.idp.example/keys", "", nil, "https:///keys", "https://%zz/keys", 5, "ftp://login.idp.example/keys"} {
		p := newIDP(rsaK1().jwk())
		p.members = map[string]any{"jwks_uri": jwks}
		if got := presentToken(t, p.stage(), rsaK1().valid(t)); got != "503 keys_unavailable" || p.fetches("keys") != 0 {
			t.Errorf("jwks_uri %v: got %s and %d fetches, want 503 keys_unavailable and none", jwks, got, p.fetches("keys"))
		}
	}
	for _, is := range []any{"https://evil.example", idpIssuer + "/", "", nil, []string{idpIssuer}, strings.ToUpper(idpIssuer)} {
		p := newIDP(rsaK1().jwk())
		p.members = map[string]any{"issuer": is}
		if got := presentToken(t, p.stage(), rsaK1().valid(t)); got != "503 keys_unavailable" || p.fetches("keys") != 0 {
			t.Errorf("issuer %v: got %s and %d fetches, want 503 keys_unavailable and none", is, got, p.fetches("keys"))
		}
	}
}
