package host

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheRealBudgets(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.2, §1.3, §1.4, §2c.
	want := Budgets{Hold: 30 * time.Second, Probe: 25 * time.Millisecond, Activity: 240 * time.Second, Forget: 30 * time.Minute}
	if got := (Budgets{}).withDefaults(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTheActivityTimeoutIs240SecondsAfterTheLastByte(t *testing.T) {
	// functions-host.md §2c.
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a := startActivity(t.Context(), Budgets{}.withDefaults().Activity)
		defer a.stop()
		for range 3 {
			time.Sleep(239 * time.Second) // the bubble's clock
			a.touch()
		}
		<-a.ctx.Done()
		if got, want := time.Since(began), (3*239+240)*time.Second; got != want {
			t.Errorf("got the end after %s, want %s", got, want)
		}
	})
}

func TestTheFrontEndCutsAfter230Seconds(t *testing.T) {
	// functions-host.md §2d.
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := httptest.NewRecorder()
		f := FrontEnd{}
		f.serve(w, httptest.NewRequest("GET", "/", nil), func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		if got := time.Since(began); got != 230*time.Second || w.Code != 502 {
			t.Errorf("got %d after %s, want 502 after 230s", w.Code, got)
		}
	})
}
