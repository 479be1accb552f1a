package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/localrun/issuer"
)

const (
	discoveryPath = "/" + home + "/v2.0/.well-known/openid-configuration"
	keysPath      = "/" + home + "/discovery/v2.0/keys"
)

// status returns the status and the body, whatever that is.
func (s stand) status(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := s.client.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestAFaultHitsWhatItNamesAndOnlyAsOftenAsItSays(t *testing.T) {
	s := start(t)
	s.Fail(issuer.Fault{On: "keys", Kind: "status", Status: 429})
	s.Fail(issuer.Fault{Kind: "status", Times: 2})
	var got []int
	for _, path := range []string{keysPath, discoveryPath, keysPath, discoveryPath, keysPath} {
		status, _ := s.status(t, path)
		got = append(got, status)
	}
	// The later fault is met first; the earlier one is there again when it is used up.
	if diff := cmp.Diff([]int{503, 503, 429, 200, 429}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	s.Heal()
	if status, _ := s.status(t, keysPath); status != 200 {
		t.Errorf("healed: got %d, want 200", status)
	}
}

func TestAPortalsPageIsNotADocument(t *testing.T) {
	s := start(t)
	s.Fail(issuer.Fault{Kind: "html"})
	status, text := s.status(t, keysPath)
	if status != 200 || !strings.HasPrefix(text, "<!doctype html>") {
		t.Errorf("got %d %q, want 200 and a page", status, text)
	}
}

func TestAHugeDocumentIsRightButForItsSize(t *testing.T) {
	s := start(t)
	s.Fail(issuer.Fault{Kind: "huge"})
	_, text := s.status(t, keysPath)
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal([]byte(text), &set); err != nil || len(set.Keys) != 1 || len(text) < 32<<20 {
		t.Errorf("got %d bytes with %d keys, %v; want over 32 MiB with 1", len(text), len(set.Keys), err)
	}
}

func TestAWrongIssuerIsNamedByDiscoveryOnly(t *testing.T) {
	s := start(t)
	s.Fail(issuer.Fault{Kind: "issuer"})
	_, got := s.call(t, "GET", discoveryPath, "", nil)
	if got["issuer"] != "https://issuer.invalid/"+home+"/v2.0" || got["jwks_uri"] != s.url+keysPath {
		t.Errorf("discovery: got issuer %v, keys at %v", got["issuer"], got["jwks_uri"])
	}
	if status, _ := s.status(t, keysPath); status != 200 {
		t.Errorf("keys: got %d, want 200", status)
	}
}

func TestARefusedConnectionHasNoAnswer(t *testing.T) {
	s := start(t)
	s.Fail(issuer.Fault{On: "keys", Kind: "refuse"})
	response, err := s.client.Get(s.url + keysPath)
	if err == nil {
		_ = response.Body.Close()
		t.Fatalf("got status %d, want no answer", response.StatusCode)
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
}

func TestARedirectLeadsToTheRightDocumentAndFollowingItIsCounted(t *testing.T) {
	s := start(t)
	s.Fail(issuer.Fault{Kind: "redirect"})
	if status, _ := s.status(t, keysPath); status != 302 || s.Fetches()["redirected"] != 0 {
		t.Errorf("not followed: got %d, %v", status, s.Fetches())
	}
	s.client.CheckRedirect = nil
	if status, _ := s.status(t, keysPath); status != 200 || s.Fetches()["redirected"] != 1 {
		t.Errorf("followed: got %d, %v", status, s.Fetches())
	}
}

func TestASlowAnswerComesAfterItsDelayUnlessTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.BaseURL = "http://127.0.0.1:4001/"
		i, err := issuer.New(o)
		if err != nil {
			t.Fatal(err)
		}
		get := func(ctx context.Context) (took time.Duration, bytes int) {
			start, w := time.Now(), httptest.NewRecorder()
			i.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", keysPath, nil))
			return time.Since(start), w.Body.Len()
		}
		i.Fail(issuer.Fault{Kind: "slow"})
		if took, bytes := get(t.Context()); took != 30*time.Second || bytes == 0 {
			t.Errorf("by default: got %d bytes after %s, want the keys after 30s", bytes, took)
		}
		i.Fail(issuer.Fault{Kind: "status", Delay: time.Minute, Times: 1})
		if took, _ := get(t.Context()); took != time.Minute {
			t.Errorf("another kind: got an answer after %s, want 1m", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if took, bytes := get(ctx); took != time.Second || bytes != 0 {
			t.Errorf("left: got %d bytes after %s, want none after 1s", bytes, took)
		}
	})
}

func TestAMisspeltFaultIsLoud(t *testing.T) {
	s := start(t)
	s.Fail(issuer.Fault{Kind: "slwo"})
	if status, text := s.status(t, keysPath); status != http.StatusInternalServerError || !strings.Contains(text, "slwo") {
		t.Errorf("got %d %q, want 500 naming it", status, text)
	}
}

func TestAFaultSurvivesJSON(t *testing.T) {
	want := issuer.Fault{On: "keys", Kind: "slow", Status: 500, Delay: 2 * time.Second, Times: 3}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got issuer.Fault
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fault (-want +got):\n%s", diff)
	}
}
