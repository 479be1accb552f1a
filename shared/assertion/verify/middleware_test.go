package verify_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/shared/assertion/verify"
)

func TestTheMiddlewareRefusesWithAProblemAndTellsTheLog(t *testing.T) {
	f := newForger(t)
	var told []string
	v := f.verifier(t, func(o *verify.Options) {
		o.Report = func(_ *http.Request, why *verify.Fault) { told = append(told, why.String()) }
	})
	reached := 0
	h := v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		c, ok := verify.CallerFrom(r.Context())
		fmt.Fprint(w, ok, c.Header("X-User-Id"))
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, f.request(t))
	if w.Code != 200 || w.Body.String() != "trueu-1" {
		t.Errorf("got %d %q, want the caller in the handler", w.Code, w.Body)
	}
	f.claims["aud"] = "https://other.example"
	w = httptest.NewRecorder()
	h.ServeHTTP(w, f.request(t))
	var problem struct{ Title, Detail, Code string }
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != 401 || problem.Code != "assertion_other_audience" || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("WWW-Authenticate") == "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v %s, want a problem document", w.Code, w.Header(), w.Body)
	}
	if reached != 1 || len(told) != 1 || !strings.HasPrefix(told[0], "assertion_other_audience") {
		t.Errorf("reached %d times and told %q, want one of each", reached, told)
	}
	if _, ok := verify.CallerFrom(t.Context()); ok {
		t.Error("got a caller outside of the middleware")
	}
}

func TestAnAssertionIsTakenOnceWhereThatIsAsked(t *testing.T) {
	f, now := newForger(t), noon
	v := f.verifier(t, func(o *verify.Options) { o.Replays, o.Now = 2, func() time.Time { return now } })
	f.wants(t, v, "believed")
	f.wants(t, v, "assertion_replayed")
	call := func(id string, issued time.Time) {
		f.claims = with(with(with(f.claims, "jti", id), "iat", issued.Unix()), "exp", issued.Add(time.Minute).Unix())
	}
	call("second", noon)
	f.wants(t, v, "believed")
	call("third", noon)
	f.wants(t, v, "assertion_memory_full") // never one unseen
	now = noon.Add(66 * time.Second)
	call("third", now)
	f.wants(t, v, "believed") // the first have expired
	f.wants(t, v, "assertion_replayed")
}

func TestAProxysRewritingCanBeUndone(t *testing.T) {
	f := newForger(t)
	v := f.verifier(t, func(o *verify.Options) { o.Target = func(r *http.Request) string { return "/orders" + r.RequestURI } })
	r := f.request(t)
	r.RequestURI = "/42?expand=lines"
	if _, fault := v.Request(r); fault != nil {
		t.Errorf("got %v, want the path as the gateway sent it", fault)
	}
}

func TestAPublicOperationHasAnAssertionAndNoCaller(t *testing.T) {
	f := newForger(t)
	f.claims = with(with(f.claims, "principal", nil), "headers", members{"X-User-Id": "", "X-Scopes": ""})
	r := f.request(t)
	r.Header.Del("X-User-Id")
	r.Header.Del("X-Scopes")
	caller, fault := f.verifier(t).Request(r)
	if fault != nil || caller.Principal != "" || caller.Values("X-User-Id") != nil {
		t.Errorf("got %+v, %v, want nobody", caller, fault)
	}
	r.Header.Set("X-User-Id", "u-1")
	if _, fault := f.verifier(t).Request(r); codeOf(fault) != "assertion_other_headers" {
		t.Errorf("got %v, want a user whom the gateway didn't name refused", fault)
	}
}

// Whatever is believed is the one text of what it says: decoded and encoded
// again it is the same, and any other text of it is refused.
func FuzzVerify(f *testing.F) {
	good := newForger(f)
	assertion, statement := good.tokens(f)
	v := good.verifier(f)
	f.Add(assertion, statement, "GET", "/orders/42?expand=lines")
	f.Add(statement, assertion, "GET", "/")
	claims, err := json.Marshal(good.claims)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(claims), "", "GET", "/orders/42?expand=lines") // to be signed, once altered
	f.Add("e30.e30.", "..", "", "")
	f.Fuzz(func(t *testing.T, a, s, method, target string) {
		// What a fuzzer can't sign is signed for it, so that it gets beyond the signatures.
		for _, pair := range [][2]string{{a, s}, {resigned(t, good, a), statement}} {
			caller, fault := v.Verify(t.Context(), pair[0], pair[1], method, target)
			if (caller == nil) == (fault == nil) {
				t.Fatalf("got %v and %v, want one of them", caller, fault)
			}
			if fault != nil {
				continue
			}
			if method != "GET" || target != "/orders/42?expand=lines" {
				var said struct{ HTM, Path string }
				payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(pair[0], ".")[1])
				if json.Unmarshal(payload, &said) != nil || said.HTM != method || !strings.HasPrefix(target, said.Path) {
					t.Errorf("believed %s for %s %s", payload, method, target)
				}
			}
			for _, token := range pair {
				for part := range strings.SplitSeq(token, ".") {
					data, err := base64.RawURLEncoding.DecodeString(part)
					if err != nil || base64.RawURLEncoding.EncodeToString(data) != part {
						t.Errorf("believed %q, which is not the one text of %q", part, data)
					}
				}
			}
		}
	})
}

// resigned takes the payload of a, raw or encoded, under a genuine header and signature.
func resigned(t *testing.T, f *forger, a string) string {
	parts := strings.Split(a, ".")
	if len(parts) == 3 {
		return sign(t, f.instance, encode(t, f.header)+"."+parts[1])
	}
	return sign(t, f.instance, encode(t, f.header)+"."+base64.RawURLEncoding.EncodeToString([]byte(a)))
}
