package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit/guard"
	"tollgate/shared/pipeline"
)

const refusedBudget = 30

func guarded(t testing.TB) *stand {
	return newStand(t, echo(), "gateway.yaml", gatewayFile("clientAddress: { source: host }", fmt.Sprintf("floodGuard: { refused: %d, window: 1h }", refusedBudget)))
}

// forged is a token with a signature of its own.
func forged(token string, n int) string {
	head, _, _ := strings.Cut(token, ".")
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	return head + "." + payload + "." + fmt.Sprintf("%0341d", n) + "A"
}

// Row 128 and the flood guard: spoofing the chain doesn't leave the bucket.
func TestAFloodOfForgedTokensCostsFewSignatureChecks(t *testing.T) {
	s := guarded(t)
	known, fresh := bearer(mint(t, reader)), bearer(mint(t, reader))
	const attacker, other = "203.0.113.7", "203.0.113.8"
	s.granted(t, request(t, "GET", "/orders/1", known, from(attacker)))
	began, n := time.Now(), 2000
	got := map[int]int{}
	for i := range n {
		spoofed := fmt.Sprintf("X-Forwarded-For: 198.51.100.%d, %s:%d", i%256, attacker, 1024+i)
		w, _ := s.answer(request(t, "GET", "/orders/1", bearer(forged(known[len("Authorization: Bearer "):], i)), spoofed))
		got[w.Code]++
		if w.Code == 429 && (w.Header().Get("Retry-After") != "1" || w.Header().Get("WWW-Authenticate") != "") {
			t.Fatalf("got the headers %v, want Retry-After 1 and no challenge", w.Header())
		}
		s.events.next(t)
	}
	most := refusedBudget + 20*(int(time.Since(began)/time.Second)+2)
	if got[401] < refusedBudget || got[401] > most || got[401]+got[429] != n {
		t.Errorf("got %v, want from %d to %d verified and the others 429", got, refusedBudget, most)
	}
	t.Logf("%d forged tokens in %s: %d signature checks", n, time.Since(began).Round(time.Millisecond), got[401])
	s.granted(t, request(t, "GET", "/orders/1", known, from(attacker)))
	s.granted(t, request(t, "GET", "/orders/1", fresh, from(other)))
	s.refused(t, request(t, "GET", "/orders/1", from(attacker)), 401, "token_missing")
	s.granted(t, request(t, "GET", "/public/1", from(attacker)))
}

// BenchmarkTokenStage is a verified token again and again, with the guard around
// the stage and without.
func BenchmarkTokenStage(b *testing.B) {
	s := guarded(b)
	i := 0
	for j, api := range s.plan.APIs {
		if api.Name == "orders" {
			i = j
		}
	}
	api := s.plan.APIs[i]
	verify := s.trust.Verify(api.Accepts, api.Proof)
	r := httptest.NewRequest(http.MethodGet, "/orders/1", nil)
	r.Header.Set("Authorization", "Bearer "+mint(b, reader))
	r.Header.Set("X-Forwarded-For", "203.0.113.7:4711")
	for name, stage := range map[string]pipeline.Stage{
		"guarded":   guard.New(contract.GuardLimit{}).Around(s.trust.Known(api.Accepts, api.Proof), verify),
		"unguarded": verify,
	} {
		b.Run(name, func(b *testing.B) {
			call := s.NewCall(r)
			b.ReportAllocs()
			for b.Loop() {
				if refused := stage(b.Context(), call); refused != nil {
					b.Fatal(refused.Code)
				}
			}
		})
	}
}
