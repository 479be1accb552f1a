package azure_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/adapter/azure"
)

// ticking is a handler with one timer that counts.
func ticking(gateway http.Handler, result error) (http.Handler, *int) {
	ticks := new(int)
	return azure.Handler(gateway, azure.Timers{"refresh": func(context.Context) error { *ticks++; return result }}), ticks
}

// functions-host.md §5: a timer's answer is JSON with its members, whatever happened; an empty one hangs the host.
func TestATimerIsAnsweredAsTheHostWantsIt(t *testing.T) {
	for status, result := range map[int]error{200: nil, 500: errors.New("unreachable")} {
		gateway, w := &behind{}, httptest.NewRecorder()
		h, ticks := ticking(gateway, result)
		h.ServeHTTP(w, request(t, "POST /refresh HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 0\r\n"))
		var answer struct{ Outputs *map[string]any }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Outputs == nil || w.Code != status || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("got status %d and %q (%v), want %d and JSON with Outputs", w.Code, w.Body, err, status)
		}
		if *ticks != 1 || gateway.calls != 0 {
			t.Errorf("got %d ticks and %d calls of the gateway, want one and none", *ticks, gateway.calls)
		}
	}
}

func TestWhatIsNoTimersCallGoesToTheGateway(t *testing.T) {
	for name, text := range map[string]string{
		"through the proxy":          "POST /refresh HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4\r\n",
		"through it, another header": "POST /refresh HTTP/1.1\r\nx-forwarded-host: a\r\n",
		"GET":                        "GET /refresh HTTP/1.1\r\n",
		"another method":             "PUT /refresh HTTP/1.1\r\n",
		"a query":                    "POST /refresh?x HTTP/1.1\r\n",
		"another case":               "POST /Refresh HTTP/1.1\r\n",
		"a slash more":               "POST /refresh/ HTTP/1.1\r\n",
		"another slash":              "POST //refresh HTTP/1.1\r\n",
		"encoded":                    "POST /%72efresh HTTP/1.1\r\n",
		"absolute-form":              "POST http://a/refresh HTTP/1.1\r\n",
		"the root":                   "POST / HTTP/1.1\r\n",
		"another function":           "POST /gateway HTTP/1.1\r\n",
		"asterisk-form":              "OPTIONS * HTTP/1.1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			gateway, w := &behind{}, httptest.NewRecorder()
			h, ticks := ticking(gateway, nil)
			h.ServeHTTP(w, request(t, text))
			if *ticks != 0 || gateway.calls != 1 || w.Code != http.StatusTeapot {
				t.Errorf("got %d ticks and %d calls of the gateway, want none and one", *ticks, gateway.calls)
			}
		})
	}
}

func TestATimerThatHangsIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := azure.Handler(&behind{}, azure.Timers{"refresh": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
		w, began := httptest.NewRecorder(), time.Now()
		h.ServeHTTP(w, request(t, "POST /refresh HTTP/1.1\r\n"))
		if took := time.Since(began); w.Code != 500 || took > time.Minute {
			t.Errorf("got status %d after %s, want 500 within a minute", w.Code, took)
		}
	})
}
