package adversarial

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
)

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
	// The guard would slow the false tokens down, and on a fast machine the good ones with them.
	b := inProcess(t, edit{"refetch: 60s", "refetch: 1s", "claimsContract: 1", "claimsContract: 1\nfloodGuard: { refused: 100000, window: 1s }"})
	b.run(t, []row{{id: "C58", name: "a token, to warm up", request: read(b.hand(b.payload(nil))), want: "200"}})
	defer b.harass(t)()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); b.forge.asked("keys") < 2; <-tick.C { // until the false tokens have spent the window's fetch
		if time.Since(start) > 20*time.Second {
			t.Fatal("the false tokens caused no fetch")
		}
	}
	b.forge.publish(jwk(t, "rsa", &b.forge.rsa.PublicKey), jwk(t, "new", &secondRSA().PublicKey))
	fresh, began := compact(head("RS256", "new"), b.payload(nil), rs256(secondRSA())), time.Now()
	l := &line{b: b}
	defer l.close()
	refused := 0
	for status := 0; status != http.StatusOK && time.Since(began) < 20*time.Second; <-tick.C {
		var err error
		if status, err = l.send(standing("Bearer " + fresh)); err != nil || status != http.StatusOK && status != http.StatusUnauthorized {
			t.Fatalf("got %d, %v, want 200 or 401", status, err)
		}
		if status != http.StatusOK {
			refused++
		}
	}
	took := time.Since(began)
	t.Logf("the new key was refused %d times, for %s", refused, took.Round(time.Millisecond))
	if took > 5*window { // the window, and what a loaded machine adds
		t.Errorf("the new key was kept out for %s, want about %s at most", took, window)
	}
}

// harass sends false tokens of the forge until it is told to stop.
func (b *bench) harass(t *testing.T) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	payload := b64(b.payload(nil))
	go func() {
		defer close(done)
		l := &line{b: b}
		defer l.close()
		for {
			select {
			case <-quit:
				return
			default:
			}
			if status, err := l.send(standing("Bearer " + b64(head("RS256", rand.Text())) + "." + payload + ".AAAA")); err != nil || status != http.StatusUnauthorized {
				t.Errorf("got %d, %v, want 401", status, err)
				return
			}
		}
	}()
	return func() { close(quit); <-done }
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
