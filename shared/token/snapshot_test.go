package token

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// saved is a snapshot of the provider, as it is now.
func saved(t *testing.T, p *idp) fstest.MapFS {
	t.Helper()
	files, err := NewTrust(planOf([]string{"RS256"}, p.trusted()), p, p.clock.Now, Options{}).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: text}
	}
	return out
}

func (p *idp) stageFrom(files fstest.MapFS, warn func(string)) pipeline.Stage {
	trust := NewTrust(planOf([]string{"RS256"}, p.trusted()), p, p.clock.Now, Options{Snapshot: fsOf(files), Warn: warn})
	return trust.Verify([]contract.Accepted{{Issuer: p.trusted(), Audiences: []string{ordersID}}}, contract.Proof{})
}

// fsOf keeps a nil map from becoming an interface that isn't nil.
func fsOf(files fstest.MapFS) fs.FS {
	if files == nil {
		return nil
	}
	return files
}

func TestAStartDuringAnOutageServesFromTheSnapshot(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	files, tok := saved(t, p), rsaK1().valid(t)
	p.fail(down)
	assertVerdict(t, presentToken(t, p.stage(), tok), "503 keys_unavailable")
	stage := p.stageFrom(files, nil)
	assertVerdict(t, presentToken(t, stage, tok), "granted")
	assertVerdict(t, presentToken(t, stage, rsaK2().valid(t)), "503 keys_unavailable") // a new key or a false one
}

func TestASnapshotIsUsedOnlyWhereFetchingFails(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	files := saved(t, p)
	p.publish(rsaK2().jwk()) // k1 was withdrawn after the snapshot
	before := p.fetches("keys")
	stage := p.stageFrom(files, nil)
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "401 unknown_key")
	assertVerdict(t, presentToken(t, stage, rsaK2().valid(t)), "granted")
	if p.fetches("keys") == before {
		t.Error("the keys were not fetched")
	}
}

func TestASnapshotEndsWithMaxStale(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	files := saved(t, p)
	tok := rsaK1().token(t, rsaK1().header(), swap(t, claimsText(), "1795439700", "1795639700"))
	p.fail(down)
	stage := p.stageFrom(files, nil)
	p.clock.pass(maxStale - time.Second)
	assertVerdict(t, presentToken(t, stage, tok), "granted")
	p.clock.pass(maxRetry)
	assertVerdict(t, presentToken(t, stage, tok), "503 keys_unavailable")
}

func TestASnapshotIsReadAsStrictlyAsAnIssuer(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	good, tok := saved(t, p), rsaK1().valid(t)
	name := slices.Collect(maps.Keys(good))[0]
	text := string(good[name].Data)
	p.fail(down)
	for what, spoilt := range map[string]string{
		"another issuer's":  strings.Replace(text, idpIssuer, "https://evil.example", 1),
		"another version":   strings.Replace(text, `"version": 1`, `"version": 2`, 1),
		"from the future":   strings.Replace(text, `"fetched": "2026`, `"fetched": "2036`, 1),
		"cut short":         text[:len(text)/2],
		"without keys":      strings.Replace(text, `"kid"`, `"kit"`, 1),
		"of an application": strings.Replace(text, `"fetched"`, `"appId": "x", "fetched"`, 1),
	} {
		t.Run(what, func(t *testing.T) {
			if spoilt == text {
				t.Fatal("the case changes nothing")
			}
			var warned []string
			stage := p.stageFrom(fstest.MapFS{name: &fstest.MapFile{Data: []byte(spoilt)}}, func(s string) { warned = append(warned, s) })
			assertVerdict(t, presentToken(t, stage, tok), "503 keys_unavailable")
			if len(warned) == 0 || !slices.ContainsFunc(warned, func(s string) bool { return strings.Contains(s, "snapshot") }) {
				t.Errorf("got warnings %q, want one about the snapshot", warned)
			}
		})
	}
}

func TestAnOperatorIsWarned(t *testing.T) {
	p := newIDP(rsaK1().jwk(), rsaWeak().named("weak").jwk(), rsaK2().named("two").jwk(), rsaK2().named("two").jwk())
	var warned []string
	stage := p.stageFrom(nil, func(s string) { warned = append(warned, s) })
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
	all := strings.Join(warned, "\n")
	if !strings.Contains(all, `skipped: kid "weak"`) || !strings.Contains(all, `none of them is used: "two"`) {
		t.Errorf("got %q, want the weak key and the repeated kid named", warned)
	}
}

func TestTriesAfterAFailureAreSpread(t *testing.T) {
	k := &keySet{options: Options{Jitter: func() float64 { return 1 }}}
	if got := k.backOff(); got != retryAfter/2 {
		t.Errorf("got %s, want %s", got, retryAfter/2)
	}
	k.failed = 20
	if got := k.backOff(); got != maxRetry/2 {
		t.Errorf("got %s, want %s", got, maxRetry/2)
	}
	k.options.Jitter = nil
	if got := k.backOff(); got != maxRetry {
		t.Errorf("got %s, want %s", got, maxRetry)
	}
}
