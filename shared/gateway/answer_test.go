package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decorated are the base contracts with responseHeaders on the gateway, and others on one API.
func decorated() []string {
	return append(shopFiles(),
		"gateway.yaml", strings.Replace(contracts["gateway.yaml"], "claimsContract: 1", "claimsContract: 1\nresponseHeaders: { X-Content-Type-Options: nosniff, referrer-policy: no-referrer }", 1),
		"shop.yaml", strings.Replace(shop, "owner: o", `owner: o
responseHeaders: { Referrer-Policy: same-origin, Content-Security-Policy: "default-src 'none'; frame-ancestors 'none'" }`, 1))
}

// careless is a backend that says less than the contract demands, and more.
func careless() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Referrer-Policy"] = []string{"unsafe-url", "origin"}
		h["referrer_policy"] = []string{"unsafe-url"}
		h["Content-Security-Policy"] = []string{"default-src *"}
		h["X-Own"] = []string{"a", "b"}
		h.Set("Trailer", "Referrer-Policy, X-Late")
		_, _ = io.WriteString(w, "ok")
		h["Referrer-Policy"], h["X-Late"] = []string{"unsafe-url"}, []string{"told"}
	})
}

func TestEveryAnswerCarriesTheContractsHeaders(t *testing.T) {
	s := newStand(t, careless(), decorated()...)
	gateway := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": ""}
	api := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
	for name, c := range map[string]struct {
		r      *http.Request
		status int
		want   map[string]string
	}{
		"a grant of the API":          {request(t, "GET", "/shop/items/1"), 200, api},
		"a refusal of it":             {request(t, "GET", "/shop/items"), 401, api},
		"a wrong method":              {request(t, "PUT", "/shop/items"), 405, api},
		"a path that it doesn't have": {request(t, "GET", "/shop/none"), 404, api},
		"a preflight":                 {preflight(t, "/shop/items", page, "GET"), 204, api},
		"a refused preflight":         {preflight(t, "/shop/items", "null", "GET"), 403, api},
		"its metadata":                {request(t, "GET", wellKnown+"/shop"), 200, api},
		"a refusal of another API":    {request(t, "GET", "/manage/x"), 401, gateway},
		"no API":                      {request(t, "GET", "/nowhere"), 404, gateway},
		"no path":                     {request(t, "GET", "/shop/../shop"), 400, gateway},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := s.answer(c.r)
			s.events.next(t)
			for header, want := range c.want {
				if got := heard(w.Header(), header); got != want || w.Code != c.status {
					t.Errorf("got %d with %s: %q, want %d with %q", w.Code, header, got, c.status, want)
				}
			}
		})
	}
	t.Run("in place of the backend's, trailers too; others stay", func(t *testing.T) {
		w, _ := s.granted(t, request(t, "GET", "/shop/items/1"))
		if diff := cmp.Diff(http.Header{"X-Late": {"told"}}, w.Result().Trailer); diff != "" || heard(w.Header(), "X-Own") != "a,b" {
			t.Errorf("got X-Own %q and trailers (-want +got):\n%s", heard(w.Header(), "X-Own"), diff)
		}
	})
	t.Run("a refusal stays one that nobody keeps", func(t *testing.T) {
		w, _ := s.answer(request(t, "GET", "/shop/items"))
		if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/problem+json" || h.Get("WWW-Authenticate") == "" {
			t.Errorf("got %v, want what every refusal says", h)
		}
	})
}

// Answers are made from lists that were compiled once; no request changes them.
func TestNoAnswerChangesTheNext(t *testing.T) {
	s := newStand(t, speaking("Accept"), decorated()...)
	for range 2 {
		w, _ := s.answer(request(t, "GET", "/shop/items/1", "Origin: "+page))
		if got := strings.Join(w.Header()["Vary"], "; "); got != "Accept, Origin" || len(w.Header()["Access-Control-Allow-Origin"]) != 1 {
			t.Errorf("got Vary %q and %v", got, w.Header()["Access-Control-Allow-Origin"])
		}
		w, _ = s.answer(request(t, "GET", "/shop/items"))
		if got := w.Header(); got.Get("Vary") != "Origin" || got.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("got %v without an origin, want Vary alone", protocol(got))
		}
	}
}
