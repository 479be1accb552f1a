package assertion_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/assertion"
	"tollgate/shared/assertion/verify"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

func TestAnAssertionSaysWhoWhatAndForWhom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBench(t, newRoot()).arrives(t)
		now := float64(time.Now().Unix())
		want := map[string]any{
			"iss": gateway, "aud": audience, "iat": now, "exp": now + 60, "jti": "c0ffee", "htm": "GET", "path": "/orders/42",
			"qh": digestOf("expand=lines"), "api": "orders", "operation": "get", "claimsContract": 3.0, "principal": "application",
			"headers": map[string]any{"X-User-Id": "u-1", "X-Roles": "a,b"},
		}
		got := claimsOf(t, out.Header.Get(verify.Header))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatIsSignedIsWhatIsSent(t *testing.T) {
	b := newBench(t, newRoot())
	for _, target := range []string{"", "/", "/a", "/a?", "/a?b", "/a?b?c", "/a%2Fb", "/a%252Fb/", "/a/%E2%82%AC", "/a?x=%00&y=\"\\", "/a'(b)*!$&+,=:@~"} {
		out := outbound(t, target)
		if refused := b.send(t, out); refused != nil {
			t.Fatalf("%s: %s", target, refused.Cause())
		}
		if _, fault := b.verify.Request(received(out)); fault != nil {
			t.Errorf("%q: the backend says %s", target, fault)
		}
	}
}

func TestAHeaderValueCanNotWriteAClaim(t *testing.T) {
	b := newBench(t, newRoot())
	for _, value := range []string{`","principal":"user`, `\`, `\"`, "\t", "}}", `\u0022`} {
		out := outbound(t, "/a")
		out.Header.Set("X-Roles", value)
		if refused := b.send(t, out); refused != nil {
			t.Fatal(refused.Cause())
		}
		caller, fault := b.verify.Request(received(out))
		if fault != nil || caller.Header("X-Roles") != value || caller.Principal != "application" {
			t.Errorf("%q: got %+v, %v, want it back as it was", value, caller, fault)
		}
	}
	out := outbound(t, "/a")
	out.Header.Set("X-Roles", "\xff")
	if refused := b.send(t, out); refused == nil || refused.Code != "assertion_not_possible" {
		t.Errorf("got %v, want what isn't text refused", refused)
	}
}

func TestAnAssertionIsNeverCut(t *testing.T) {
	b := newBench(t, newRoot())
	for size, want := range map[int]string{5500: "", 6500: "assertion_not_possible"} {
		out := outbound(t, "/a")
		out.Header.Set("X-Roles", strings.Repeat("r", size))
		refused := b.send(t, out)
		switch {
		case want == "" && (refused != nil || len(out.Header.Get(verify.Header)) > verify.MaxLength):
			t.Errorf("%d bytes: got %v, want it sent", size, refused)
		case want != "" && (refused == nil || refused.Code != want || refused.Kind != refusal.Forbidden || refused.Challenge != nil || out.Header.Get(verify.Header) != ""):
			t.Errorf("%d bytes: got %+v, want it refused and nothing sent", size, refused)
		}
	}
}

func TestThePublicCallHasNoPrincipal(t *testing.T) {
	b := newBench(t, newRoot())
	out := outbound(t, "/health")
	out.Header = http.Header{}
	if refused := b.prove(t.Context(), &pipeline.Call{Correlation: "c", Operation: "health"}, out); refused != nil {
		t.Fatal(refused.Cause())
	}
	caller, fault := b.verify.Request(received(out))
	if fault != nil || caller.Principal != "" || caller.Operation != "health" {
		t.Errorf("got %+v, %v, want a call through the gateway by nobody", caller, fault)
	}
}

// One signature of the root an hour, whatever comes.
func TestAnInstanceIsCertifiedOnceAndAgainInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoot()
		r.takes = 100 * time.Millisecond
		b := newBench(t, r)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { b.arrives(t) })
		}
		all.Wait()
		first := b.arrives(t).Header.Get(verify.KeyHeader)
		if r.signs != 1 {
			t.Errorf("the root signed %d times, want once", r.signs)
		}
		time.Sleep(45*time.Minute - time.Second)
		if b.arrives(t).Header.Get(verify.KeyHeader) != first || r.signs != 1 {
			t.Error("got another key before its time")
		}
		time.Sleep(time.Second)
		if b.arrives(t).Header.Get(verify.KeyHeader) == first || r.signs != 2 {
			t.Error("got the old key, want a new one from three quarters of its life on")
		}
	})
}

func TestAnOutageOfTheRootIsBridgedAndThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoot()
		b := newBench(t, r)
		b.arrives(t)
		r.fails = errors.New("the vault is down")
		time.Sleep(time.Hour - 20*time.Second)
		out := b.arrives(t) // the instance's own statement is good
		if claims, key := claimsOf(t, out.Header.Get(verify.Header)), claimsOf(t, out.Header.Get(verify.KeyHeader)); claims["exp"].(float64) > key["exp"].(float64) {
			t.Errorf("the assertion ends %v, after its key's statement %v", claims["exp"], key["exp"])
		}
		time.Sleep(10 * time.Second)
		out = outbound(t, "/a")
		refused := b.send(t, out)
		if refused == nil || refused.Code != "assertion_unavailable" || refused.Kind != refusal.Unavailable || refused.RetryAfter <= 0 || len(out.Header[verify.Header]) > 0 {
			t.Errorf("got %+v, want 503 and a time to come back", refused)
		}
		r.fails = nil
		time.Sleep(5 * time.Second)
		b.arrives(t)
	})
}

func TestARootThatHangsCostsAPatienceAndThenNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoot()
		r.takes = time.Hour
		b := newBench(t, r)
		began := time.Now()
		for range 10 {
			if refused := b.send(t, outbound(t, "/a")); refused == nil || refused.Code != "assertion_unavailable" {
				t.Fatalf("got %+v, want 503", refused)
			}
		}
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("ten calls waited %s, want 5s in all", waited)
		}
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		time.Sleep(10 * time.Second)
		if refused := b.prove(ctx, call(), outbound(t, "/a")); refused == nil {
			t.Error("got a proved call")
		}
	})
}

func TestTheKeySetIsGivenThroughAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoot()
		r.fails = errors.New("the vault is down")
		b := newBench(t, r)
		if _, refused := b.KeySet(t.Context()); refused == nil || refused.Kind != refusal.Unavailable || refused.RetryAfter <= 0 {
			t.Errorf("got %+v, want 503 where the keys were never had", refused)
		}
		time.Sleep(5 * time.Second)
		r.fails = nil
		first, refused := b.KeySet(t.Context())
		if refused != nil || !strings.HasPrefix(string(first), `{"keys":[{"crv":"P-256","kty":"EC","x":"`) {
			t.Fatalf("got %s, %v", first, refused)
		}
		r.fails, r.takes = errors.New("down again"), time.Hour
		time.Sleep(24 * time.Hour)
		if got, refused := b.KeySet(t.Context()); refused != nil || string(got) != string(first) {
			t.Errorf("got %s, %v, want what was had", got, refused)
		}
	})
}

func TestARootThatSignsWithAnotherKeyIsNotBelieved(t *testing.T) {
	b := newBench(t, liar{newRoot(), newRoot()})
	if refused := b.send(t, outbound(t, "/a")); refused == nil || !strings.Contains(refused.Cause(), "isn't that of the root's published key") {
		t.Errorf("got %+v, want it refused here rather than at every backend", refused)
	}
}

// liar signs with another root's key.
type liar struct {
	*root
	other *root
}

func (l liar) Sign(ctx context.Context, _ *ecdsa.PublicKey, digest [32]byte) ([]byte, error) {
	keys, err := l.other.Keys(ctx)
	if err != nil {
		return nil, err
	}
	return l.other.Sign(ctx, keys[0], digest)
}

func TestWithoutARootEveryCallIsRefused(t *testing.T) {
	b := newBench(t, nil)
	if refused := b.send(t, outbound(t, "/a")); refused == nil || refused.Code != "assertion_unavailable" {
		t.Errorf("got %+v, want 503", refused)
	}
}

func TestAnAssertionForOneBackendIsNothingToAnother(t *testing.T) {
	r := newRoot()
	other := newBench(t, r, func(api *contract.PlannedAPI) { api.Backend.Assertion.Audience = "https://payments.internal.example" })
	out := outbound(t, "/a")
	if refused := other.send(t, out); refused != nil {
		t.Fatal(refused.Cause())
	}
	if _, fault := newBench(t, r).verify.Request(received(out)); fault == nil || fault.Code != "assertion_other_audience" {
		t.Errorf("got %v, want it refused", fault)
	}
}

func TestAnotherGatewaysAssertionIsRefused(t *testing.T) {
	out := newBench(t, newRoot()).arrives(t)
	if _, fault := newBench(t, newRoot()).verify.Request(received(out)); fault == nil || fault.Code != "assertion_unknown_key" {
		t.Errorf("got %v, want it refused", fault)
	}
}

func BenchmarkProve(b *testing.B) {
	bench := newBench(b, newRoot())
	out, c := outbound(b, "/orders/42?expand=lines"), call()
	b.ReportAllocs()
	for b.Loop() {
		if refused := bench.prove(b.Context(), c, out); refused != nil {
			b.Fatal(refused.Cause())
		}
	}
	b.ReportMetric(float64(len(out.Header.Get(verify.Header))), "assertion-bytes")
	b.ReportMetric(float64(len(out.Header.Get(verify.KeyHeader))), "statement-bytes")
}

// BenchmarkES256 is what the standard library asks for one signature and one
// verification: the floor of the two others.
func BenchmarkES256(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256(nil)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	b.Run("sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = ecdsa.SignASN1(rand.Reader, key, digest[:])
		}
	})
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	bench := newBench(b, assertion.NewProcessRoot())
	in := received(bench.arrives(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, fault := bench.verify.Request(in); fault != nil {
			b.Fatal(fault)
		}
	}
}
