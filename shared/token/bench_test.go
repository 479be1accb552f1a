package token

import (
	"context"
	"crypto/sha256"
	"net/http"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"tollgate/shared/pipeline"
)

// BenchmarkVerify has the same token throughout. first-ever asks the stand-in on
// the loopback interface for discovery and keys each time; verify-cold holds the
// keys and sees the token for the first time; verify-cached has verified it
// before. To compare with: go-oidc's own Verify with its own RemoteKeySet, warm,
// which checks less; and what a look-up must cost, a digest and a map.
func BenchmarkVerify(b *testing.B) {
	s := start(b)
	token := s.mint(b, usersToken("v2"))
	r := &http.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + token}}}

	b.Run("first-ever", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, stage := s.trusting("RS256")
			mustGrant(b, stage, r)
		}
	})
	b.Run("verify-cold", func(b *testing.B) {
		trust, stage := s.trusting("RS256")
		mustGrant(b, stage, r)
		b.ReportAllocs()
		for b.Loop() {
			trust.verified = newCache()
			mustGrant(b, stage, r)
		}
	})
	b.Run("verify-cached", func(b *testing.B) {
		_, stage := s.trusting("RS256")
		mustGrant(b, stage, r)
		call := &pipeline.Call{Request: r}
		b.ReportAllocs()
		for b.Loop() {
			if refused := stage(context.Background(), call); refused != nil {
				b.Fatal(verdictOf(refused))
			}
		}
	})
	b.Run("digest-and-look-up", func(b *testing.B) {
		m := map[[32]byte]int{digestOf(token): 1}
		b.ReportAllocs()
		for b.Loop() {
			if m[sha256.Sum256([]byte(token))] != 1 {
				b.Fatal("lost")
			}
		}
	})
	b.Run("go-oidc", func(b *testing.B) {
		ctx := oidc.ClientContext(context.Background(), &http.Client{Transport: s.http})
		provider, err := oidc.NewProvider(ctx, s.v2(home).Issuer)
		if err != nil {
			b.Fatal(err)
		}
		verifier := provider.VerifierContext(ctx, &oidc.Config{ClientID: ordersID, Now: s.clock.Now})
		if _, err := verifier.Verify(ctx, token); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := verifier.Verify(ctx, token); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func mustGrant(b *testing.B, stage pipeline.Stage, r *http.Request) {
	if refused := stage(context.Background(), &pipeline.Call{Request: r}); refused != nil {
		b.Fatal(verdictOf(refused), refused.Cause())
	}
}
