package tables_test

import (
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/faults"
	"tollgate/shared/renewal"
	"tollgate/shared/tables"
)

func unavailable(why string) error { return &renewal.Unavailable{Cause: errors.New(why), Wait: 1} }

// No error repeats what lets in, however the request fails: not even if the
// answer does. Each credential meets each failure in each operation.
func TestNoErrorRepeatsWhatLetsIn(t *testing.T) {
	over := make(chan struct{})
	failures := map[string]http.HandlerFunc{
		"echo in the body": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500); _, _ = io.WriteString(w, echo(r)) },
		"echo as the code": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("x-ms-error-code", echo(r))
			w.WriteHeader(400)
		},
		"echo as a value": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"value":[`+echo(r)) },
		"echo as another place": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/?"+url.QueryEscape(echo(r)))
			w.WriteHeader(307)
		},
		"echo as a challenge": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="?`+echo(r)+`"`)
			w.WriteHeader(401)
		},
		"hang up": func(w http.ResponseWriter, _ *http.Request) { faults.HangUp(w) },
		"cut":     func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "9") },
		"hang":    func(http.ResponseWriter, *http.Request) { <-over },
		"long":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 9<<20)) },
		"no HTTP": func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, echo(r)+"\r\n\r\n")
			_ = conn.Close()
		},
	}
	for name, answer := range failures {
		t.Run(name, func(t *testing.T) {
			address, _ := server(t, answer)
			t.Cleanup(func() {
				if name == "hang" {
					close(over) // before the server is closed, which waits
				}
			})
			repeatsNothing(t, address, 20*time.Millisecond)
		})
	}
	t.Run("nobody is there", func(t *testing.T) {
		s := httptest.NewServer(http.NotFoundHandler())
		s.Close()
		repeatsNothing(t, s.URL+"/contoso", patient)
	})
	t.Run("nobody of that name is there", func(t *testing.T) {
		repeatsNothing(t, "https://contoso.invalid", time.Second)
	})
	t.Run("it isn't who it says", func(t *testing.T) {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		t.Cleanup(s.Close)
		repeatsNothing(t, s.URL+"/contoso", patient)
	})
}

func echo(r *http.Request) string { return r.URL.String() + " " + r.Header.Get("Authorization") }

const (
	secretKey = "c2VjcmV0LWtleS1vZi1hbi1hY2NvdW50"
	secretSAS = "sv=2019-02-02&se=2099-01-01&sp=raud&sig=c2VjcmV0LXNhcw%3D%3D"
)

// repeatsNothing wants an error from each operation with each credential, without a trace of it.
func repeatsNothing(t *testing.T, address string, try time.Duration) {
	t.Helper()
	for form, whole := range map[string]string{
		"key": "AccountName=contoso;AccountKey=" + secretKey + ";TableEndpoint=" + address, "SAS": address + "?" + secretSAS,
		"SAS in parts": "TableEndpoint=" + address + ";SharedAccessSignature=" + secretSAS, "token": address,
	} {
		a, err := tables.Open(tables.Options{Address: whole, Tokens: &tokens{}, Transport: transport(t), Now: time.Now, Try: try})
		if err != nil {
			t.Fatal(err)
		}
		for name, do := range operations(a.Table("things")) {
			err := do(t.Context())
			if err == nil {
				t.Errorf("%s, %s: got no error", form, name)
			}
			for ; err != nil; err = errors.Unwrap(err) { // what a logger may reach, too
				for _, hidden := range traces() {
					if strings.Contains(err.Error(), hidden) {
						t.Errorf("%s, %s: got %v, which repeats %s", form, name, err, hidden)
					}
				}
			}
		}
	}
}

func traces() []string {
	plainly, _ := base64.StdEncoding.DecodeString(secretKey)
	return []string{secretKey, string(plainly), "c2VjcmV0LXNhcw", "sig=", "sv=2019", "SharedKey", "Bearer", signature, "e30."}
}
