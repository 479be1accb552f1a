package verify_test

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/shared/assertion/internal/jwk"
	"tollgate/shared/assertion/verify"
)

// publisher is the gateway's key set, without a network.
type publisher struct {
	body   string
	status int
	fail   error
	asked  int
	from   string
}

func (p *publisher) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked++
	p.from = r.URL.String()
	if p.fail != nil {
		return nil, p.fail
	}
	w := httptest.NewRecorder()
	if p.status == http.StatusFound {
		w.Header().Set("Location", "https://evil.example/jwks")
	}
	w.WriteHeader(p.status)
	_, _ = w.WriteString(p.body)
	return w.Result(), nil
}

func entry(t testing.TB, key *ecdsa.PublicKey, more string) string {
	t.Helper()
	text, err := jwk.Append(nil, key)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`%s,"kid":%q%s}`, text[:len(text)-1], thumbprint(t, key), more)
}

func set(entries ...string) string { return `{"keys":[` + strings.Join(entries, ",") + `]}` }

// clocked is a verifier that fetches from the publisher, with a clock of its own.
func clocked(t testing.TB, p *publisher, now *time.Time) *verify.Verifier {
	t.Helper()
	v, err := verify.New(verify.Options{Issuer: gateway, Audience: backend, Client: &http.Client{Transport: p}, Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (f *forger) wants(t *testing.T, v *verify.Verifier, want string) {
	t.Helper()
	if _, fault := v.Request(f.request(t)); codeOf(fault) != want {
		t.Errorf("got %v, want %s", fault, want)
	}
}

func TestRootKeysAreFetchedOnceAndRenewed(t *testing.T) {
	f, now := newForger(t), noon
	p := &publisher{status: 200, body: set(entry(t, &f.root.PublicKey, ""))}
	v := clocked(t, p, &now)
	for range 3 {
		f.wants(t, v, "believed")
	}
	if p.asked != 1 || p.from != gateway+"/_gateway/jwks" {
		t.Errorf("asked %d times at %s, want once at the gateway's own address", p.asked, p.from)
	}
	now = noon.Add(5 * time.Minute)
	f.wants(t, v, "assertion_expired")
	if p.asked != 2 {
		t.Errorf("asked %d times, want again after five minutes", p.asked)
	}
}

func TestAWithdrawnRootKeyIsNoLongerBelieved(t *testing.T) {
	f, now := newForger(t), noon
	p := &publisher{status: 200, body: set(entry(t, &f.root.PublicKey, ""))}
	v := clocked(t, p, &now)
	f.wants(t, v, "believed") // the statement is remembered from here on
	p.body, now = set(entry(t, &newKey(t).PublicKey, "")), noon.Add(5*time.Minute)
	f.wants(t, v, "assertion_unknown_key")
}

func TestANewRootKeyIsFollowedAndStrangersCanNotDriveFetches(t *testing.T) {
	old, f, now := newForger(t), newForger(t), noon
	p := &publisher{status: 200, body: set(entry(t, &old.root.PublicKey, ""))}
	v := clocked(t, p, &now)
	old.wants(t, v, "believed")
	p.body = set(entry(t, &f.root.PublicKey, ""), entry(t, &old.root.PublicKey, ""))
	f.wants(t, v, "assertion_unknown_key") // fetched this very minute
	if now = noon.Add(61 * time.Second); p.asked != 1 {
		t.Errorf("asked %d times, want once within a minute", p.asked)
	}
	f.claims = with(with(f.claims, "iat", now.Unix()), "exp", now.Add(time.Minute).Unix())
	f.wants(t, v, "believed")
	for range 5 {
		newForger(t).wants(t, v, "assertion_unknown_key")
	}
	if p.asked != 2 {
		t.Errorf("asked %d times, want strangers to cause no more fetches", p.asked)
	}
}

func TestAnOutageOfTheGatewayIsNoBadAssertion(t *testing.T) {
	f, now := newForger(t), noon
	p := &publisher{fail: fmt.Errorf("no route")}
	v := clocked(t, p, &now)
	f.wants(t, v, "assertion_keys_unavailable")
	f.wants(t, v, "assertion_keys_unavailable")
	if p.asked != 1 {
		t.Errorf("asked %d times, want a rest of two seconds after a failure", p.asked)
	}
	now, p.fail, p.status, p.body = noon.Add(2*time.Second), nil, 200, set(entry(t, &f.root.PublicKey, ""))
	f.wants(t, v, "believed")
	p.fail, now = fmt.Errorf("no route"), noon.Add(23*time.Hour)
	f.statement = with(with(f.statement, "iat", now.Unix()), "exp", now.Add(time.Hour).Unix())
	f.claims = with(with(f.claims, "iat", now.Unix()), "exp", now.Add(time.Minute).Unix())
	f.wants(t, v, "believed") // by keys that are a day old at the most
	newForger(t).wants(t, v, "assertion_keys_unavailable")
	now = noon.Add(25 * time.Hour)
	f.wants(t, v, "assertion_keys_unavailable")
}

func TestAKeySetThatIsNoneIsAnOutage(t *testing.T) {
	f := newForger(t)
	own := entry(t, &f.root.PublicKey, "")
	other := entry(t, &newKey(t).PublicKey, "")
	for name, c := range map[string]struct {
		p    publisher
		want string
	}{
		"500":                         {publisher{status: 500, body: set(own)}, "assertion_keys_unavailable"},
		"a redirect":                  {publisher{status: 302}, "assertion_keys_unavailable"},
		"no JSON":                     {publisher{status: 200, body: "<html>"}, "assertion_keys_unavailable"},
		"two lists of keys":           {publisher{status: 200, body: `{"keys":[],"keys":[` + own + `]}`}, "assertion_keys_unavailable"},
		"no key":                      {publisher{status: 200, body: set()}, "assertion_keys_unavailable"},
		"more than 64 KiB":            {publisher{status: 200, body: set(own) + strings.Repeat(" ", 64<<10)}, "assertion_keys_unavailable"},
		"more than 32 keys":           {publisher{status: 200, body: set(strings.Split(strings.Repeat(own+"|", 33), "|")[:33]...)}, "assertion_keys_unavailable"},
		"another key under its kid":   {publisher{status: 200, body: set(strings.Replace(other, thumbprint(t, &f.root.PublicKey), "x", 1), strings.Replace(own, `"x":"`, `"x":"A`, 1))}, "assertion_unknown_key"},
		"a key for encryption":        {publisher{status: 200, body: set(entry(t, &f.root.PublicKey, `,"use":"enc"`), other)}, "assertion_unknown_key"},
		"a key for another alg":       {publisher{status: 200, body: set(entry(t, &f.root.PublicKey, `,"alg":"ES384"`), other)}, "assertion_unknown_key"},
		"a private key":               {publisher{status: 200, body: set(entry(t, &f.root.PublicKey, `,"d":"AA"`), other)}, "assertion_unknown_key"},
		"a key that isn't understood": {publisher{status: 200, body: set(`{"kty":"OKP","kid":"a"}`, own)}, "believed"},
		"a key with all said":         {publisher{status: 200, body: set(entry(t, &f.root.PublicKey, `,"use":"sig","alg":"ES256"`))}, "believed"},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon
			f.wants(t, clocked(t, &c.p, &now), c.want)
		})
	}
}

func TestOptionsThatWouldBelieveTooMuchAreRefused(t *testing.T) {
	for name, o := range map[string]verify.Options{
		"no issuer":       {Audience: backend},
		"no audience":     {Issuer: gateway},
		"plain http":      {Issuer: "http://api.example", Audience: backend},
		"no address":      {Issuer: "contoso", Audience: backend},
		"a minute and 1":  {Issuer: gateway, Audience: backend, Leeway: 61 * time.Second},
		"a leeway below":  {Issuer: gateway, Audience: backend, Leeway: -1},
		"a memory of -1":  {Issuer: gateway, Audience: backend, Replays: -1},
		"a plain key set": {Issuer: gateway, Audience: backend, JWKS: "http://api.example/jwks"},
	} {
		if _, err := verify.New(o); err == nil {
			t.Errorf("%s: got a verifier, want none", name)
		}
	}
	for _, issuer := range []string{"http://127.0.0.1:8080", "http://localhost:1", "http://[::1]"} {
		if _, err := verify.New(verify.Options{Issuer: issuer, Audience: backend}); err != nil {
			t.Errorf("%s: %v, want a laptop to do", issuer, err)
		}
	}
}

func TestAnOwnSourceOfKeysThatFailsIsAnOutage(t *testing.T) {
	f := newForger(t)
	v := f.verifier(t, func(o *verify.Options) {
		o.Keys = func(context.Context, string) (*ecdsa.PublicKey, error) { return nil, fmt.Errorf("no file") }
	})
	f.wants(t, v, "assertion_keys_unavailable")
}
