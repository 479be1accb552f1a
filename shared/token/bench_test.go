package token

import (
	"context"
	"net/http"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"tollgate/shared/pipeline"
)

// BenchmarkVerify has the same token throughout: cold asks the stand-in on the
// loopback interface for discovery and keys each time, cached holds them, and
// go-oidc is its own Verify with its own RemoteKeySet, warm, which checks less.
func BenchmarkVerify(b *testing.B) {
	s := start(b)
	token := s.mint(b, usersToken("v2"))
	r := &http.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + token}}}

	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, stage := s.trusting("RS256")
			mustGrant(b, stage, r)
		}
	})
	b.Run("cached", func(b *testing.B) {
		_, stage := s.trusting("RS256")
		mustGrant(b, stage, r)
		b.ReportAllocs()
		for b.Loop() {
			mustGrant(b, stage, r)
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
