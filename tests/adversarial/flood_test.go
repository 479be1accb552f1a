package adversarial

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"tollgate/localrun/issuer"
)

// hostileRequests may be raised: TOLLGATE_HOSTILE=1000000.
const hostileRequests = 10_000

// flood is C56 and 61: random kids and false signatures under a known kid, of two
// issuers. The first valid token costs one fetch of the keys, all false ones
// together one more in each window of 60 s.
func flood(t *testing.T, b *bench) {
	n := hostileRequests
	if text := os.Getenv("TOLLGATE_HOSTILE"); text != "" {
		n = must(strconv.Atoi(text))
	}
	for _, token := range []string{b.user(nil), b.hand(b.payload(nil))} {
		if a := b.send(t, read(token)); a.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s, want 200", a.StatusCode, a.body)
		}
	}
	b.Backend.Reset()
	before, asked := b.memory(t), b.Issuer.Fetches()["keys"]-1 // by the test itself
	payloads := []string{strings.Split(b.user(nil), ".")[1], b64(b.payload(nil))}
	kids := []string{b.kid, "rsa"}
	began := time.Now()
	statuses := b.volley(t, n, func(i int) string {
		from, kid := i%2, kids[i%2]
		if i%4 < 2 {
			kid = rand.Text()
		}
		return standing("Bearer " + b64(head("RS256", kid)) + "." + payloads[from] + "." + b64(strings.Repeat(rand.Text(), 10)[:256]))
	})
	took := time.Since(began)
	if statuses[http.StatusUnauthorized]+statuses[http.StatusTooManyRequests] != n { // 429: the flood guard, beyond 10,000 in a minute
		t.Errorf("got the answers %v, want 401 or 429 for all %d", statuses, n)
	}
	most := 2 + int(took/time.Minute)
	entra, own := b.Issuer.Fetches(), b.forge.asked("keys")
	entra["keys"] -= asked
	if entra["keys"] > most || own > most || entra["discovery"] > 1 || b.forge.asked("discovery") > 1 {
		t.Errorf("got %v of Entra and %d of the forge, want at most %d fetches of keys and 1 of discovery each", entra, own, most)
	}
	if got := b.Backend.Count(); got != 0 {
		t.Errorf("the backend was called %d times, want none", got)
	}
	b.awaitCount(t, n+2)
	grown := b.memory(t) - before
	if grown > 48<<20 {
		t.Errorf("the handler grew by %d bytes, want it flat", grown)
	}
	t.Logf("%d hostile requests in %s: keys fetched %d times from Entra and %d times from the forge; the handler grew by %d KiB", n, took.Round(time.Millisecond), entra["keys"], own, grown>>10)
}

// memory is what the handler holds; 0 where the system doesn't say.
func (b *bench) memory(t *testing.T) int64 {
	t.Helper()
	b.mu.Lock()
	pid := b.pid
	b.mu.Unlock()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	return must(strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)) * int64(os.Getpagesize())
}

// A8, A20: what a token could unpack to is never unpacked.
func TestABombIsRefusedUnread(t *testing.T) {
	b := inProcess(t, nil)
	bomb := read(b.encrypted(strings.Repeat("0", 16<<20), jose.DEFLATE))
	deep := read(b64(head("RS256", "rsa")) + "." + b64(`{"x":`+strings.Repeat("[", 20_000)) + ".AAAA")
	b.send(t, read("x")) // what a first request alone costs
	for name, c := range map[string]row{
		"A8, 16 MB in 22 KB":          {request: bomb, want: "401 not_jws"},
		"A20, 20,000 levels":          {request: deep, want: "401 malformed"},
		"A10, nothing but dots, 30 K": {request: read(strings.Repeat(".", 30_000)), want: "401 malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a := b.send(t, c.request)
			runtime.ReadMemStats(&after)
			b.assert(t, c, a)
			if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
				t.Errorf("got %d bytes allocated, client and all, want under 1 MiB", got)
			}
		})
	}
}

// A1: an unsigned token isn't worth a look at any key.
func TestWhatIsRefusedByItsTextAloneAsksNoIssuer(t *testing.T) {
	b := inProcess(t, nil)
	b.Issuer.Fail(issuer.Fault{Kind: "status"})
	asked := b.Issuer.Fetches()["keys"] // by the test itself
	var rows []row
	for _, r := range append(unsignedAndConfused(b), otherShapes(b)...) {
		switch code := strings.TrimPrefix(r.want, "401 "); code {
		case "alg_not_allowed", "malformed", "not_jws", "token_missing":
			rows = append(rows, r)
		}
	}
	b.run(t, rows)
	if got := b.Issuer.Fetches(); got["keys"] != asked || got["discovery"] != 0 || b.forge.asked("keys")+b.forge.asked("discovery") != 0 {
		t.Errorf("got %v of Entra and %v of the forge, want no fetch", got, b.forge.fetches)
	}
}
