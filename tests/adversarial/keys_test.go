package adversarial

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/estate"
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
	if statuses[http.StatusUnauthorized] != n {
		t.Errorf("got the answers %v, want 401 for all %d", statuses, n)
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

// C58, 59, 61, 67.
func TestANewKeyIsFoundByTheFirstTokenThatNeedsIt(t *testing.T) {
	b := inProcess(t, nil)
	old := b.user(nil)
	must(b.Issuer.Rotate("", false))
	rotated := b.user(nil)
	b.run(t, []row{{id: "C59", name: "a key after a rotation, on a cold start", request: read(rotated), want: "200"}})
	must(b.Issuer.Rotate("", false))
	b.run(t, []row{
		{id: "C59", name: "a key after a rotation, on the first request", request: read(b.user(nil)), want: "200"},
		{id: "C59", name: "a key that was withdrawn with it", request: read(rotated), want: "401 unknown_key"},
		{id: "C67", name: "a key that was withdrawn before", request: read(old), want: "401 unknown_key"},
	})
	b.run(t, []row{{id: "C61", name: "a kid, before its material changes", request: read(b.hand(b.payload(nil))), want: "200"}})
	changed := jwk(t, "rsa", &secondRSA().PublicKey)
	b.forge.publish(changed)
	b.run(t, []row{
		{id: "C61", name: "the same kid with new material, on the first request", request: read(compact(head("RS256", "rsa"), b.payload(nil), rs256(secondRSA()))), want: "200"},
		{id: "C61", name: "the material that it had before", request: read(b.hand(b.payload(map[string]any{"uti": "2"}))), want: "401 bad_signature"},
	})
}

// C58: whoever sends false tokens can't keep a new key out for longer than a window.
func TestHostileTrafficCanNotKeepANewKeyOut(t *testing.T) {
	const window = time.Second
	b := inProcess(t, edit{"refetch: 60s", "refetch: 1s"})
	b.run(t, []row{{id: "C58", name: "a token, to warm up", request: read(b.user(nil)), want: "200"}})
	stop, stopped := make(chan struct{}), make(chan struct{})
	payload := strings.Split(b.user(nil), ".")[1]
	go func() {
		defer close(stopped)
		l := &line{b: b}
		defer l.close()
		for {
			select {
			case <-stop:
				return
			default:
			}
			if status, err := l.send(standing("Bearer " + b64(head("RS256", rand.Text())) + "." + payload + ".AAAA")); err != nil || status != http.StatusUnauthorized {
				t.Errorf("got %d, %v, want 401", status, err)
				return
			}
		}
	}()
	must(b.Issuer.Rotate("", true))
	fresh, began := b.user(nil), time.Now()
	l := &line{b: b}
	defer l.close()
	refused := 0
	for status := 0; status != http.StatusOK && time.Since(began) < 20*time.Second; {
		var err error
		if status, err = l.send(standing("Bearer " + fresh)); err != nil || status != http.StatusOK && status != http.StatusUnauthorized {
			t.Fatalf("got %d, %v, want 200 or 401", status, err)
		}
		if status != http.StatusOK {
			refused++
		}
	}
	took := time.Since(began)
	close(stop)
	<-stopped
	t.Logf("the new key was refused %d times, for %s", refused, took)
	if took > 5*window { // the window, and what a loaded machine adds
		t.Errorf("the new key was kept out for %s, want about %s", took, window)
	}
}

// C62, 64: an issuer that fails is not a bad token, cold or warm.
func TestAFailingIssuerIsNotABadToken(t *testing.T) {
	for name, fault := range map[string]issuer.Fault{
		"500":                       {Kind: "status", Status: 500},
		"304":                       {Kind: "status", Status: 304},
		"a web page":                {Kind: "html"},
		"32 MiB":                    {Kind: "huge"},
		"another issuer's document": {Kind: "issuer", On: "discovery"},
		"a closed connection":       {Kind: "refuse"},
		"a redirect":                {Kind: "redirect"},
		"a redirect of the keys":    {Kind: "redirect", On: "keys"},
	} {
		t.Run("C62 "+name, func(t *testing.T) {
			b := inProcess(t, nil)
			b.run(t, []row{{id: "C62", name: "healthy", request: read(b.user(nil)), want: "200"}})
			b.Issuer.Fail(fault)
			// The partner's keys were never asked for. Whether a token is theirs can't be told without them.
			cold := b.hand(b.payload(map[string]any{"iss": b.Local.Plan.SignIn + "/" + estate.GUID("tenant", "partner") + "/v2.0"}))
			valid := b.user(nil)
			forged := valid[:strings.LastIndexByte(valid, '.')+1] + b64(make([]byte, 256))
			b.run(t, []row{
				{id: "C62", name: "cold", request: bearing("GET /partners/1", cold), want: "503 keys_unavailable"},
				{id: "C62", name: "cold, at once again", request: bearing("GET /partners/1", cold), want: "503 keys_unavailable"},
				{id: "C62", name: "warm, a new token by a known key", request: read(valid), want: "200"},
				{id: "C62", name: "warm, a false signature under a known kid", request: read(forged), want: "401 bad_signature"},
				{id: "C62", name: "a public operation", request: ask("GET /orders/public/1"), want: "200"},
			})
			if got := b.Issuer.Fetches()["redirected"]; got != 0 {
				t.Errorf("a redirect was followed %d times", got)
			}
		})
	}
}

// C64, 65: what an issuer may publish.
func TestAKeySetOutOfBoundsIsNotTaken(t *testing.T) {
	b := inProcess(t, nil)
	good := jwk(t, "rsa", &b.forge.rsa.PublicKey)
	many := []map[string]any{good}
	for i := range 10_000 {
		next := maps.Clone(good)
		next["kid"] = fmt.Sprint("k", i)
		many = append(many, next)
	}
	b.forge.publish(many...)
	b.run(t, []row{{id: "C64", name: "10,000 keys", request: read(b.hand(b.payload(nil))), want: "503 keys_unavailable"}})
	none := inProcess(t, nil)
	none.forge.publish(map[string]any{"kty": "oct", "kid": "shared", "k": b64(sharedSecret())})
	none.run(t, []row{{id: "C65", name: "nothing but a symmetric key", request: read(none.hand(none.payload(nil))), want: "503 keys_unavailable"}})
}
