package azure

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// timerBudget is how long one timer call may work: far below the host's
// functionTimeout, after which it would kill the handler and every call in it
// (functions-host.md §1.5).
const timerBudget = 30 * time.Second

// Timers are the functions that the host calls by the clock, by name. Anybody in
// the same sandbox, and through some versions of the host anybody at all, can
// post to them: they must be idempotent, bounded and single-flight.
type Timers map[string]Timer

// Timer is one of them. What it did, it logs; the answer says only whether it worked.
type Timer func(ctx context.Context) error

// done is what the host wants back in JSON mode. An empty body, or null, would
// make it wait until functionTimeout (functions-host.md §5).
const done = `{"Outputs":{},"Logs":[],"ReturnValue":null}`

// of is the timer that the host calls with r; nil for any other request.
//
// functions-host.md §5: timers arrive as POST /<FunctionName>, as JSON. A public
// request to that path comes through the proxy, which sets X-Forwarded-*; hosts
// that don't set it can't be told apart, so a timer must be harmless.
func (t Timers) of(r *http.Request) Timer {
	if r.Method != http.MethodPost || len(r.RequestURI) < 2 {
		return nil
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded-") {
			return nil
		}
	}
	return t[r.RequestURI[1:]]
}

// serve runs the timer. What the host tells about the schedule isn't read: what
// there is to do doesn't depend on it.
func (timer Timer) serve(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), timerBudget)
	defer cancel()
	status := http.StatusOK
	if timer(ctx) != nil {
		status = http.StatusInternalServerError // the host counts the invocation as failed: that is what alerts watch
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, done) // the host may be gone; the work is done
}
