package forward

import (
	"net/http"
	"testing"

	"tollgate/shared/contract"
)

func TestWhatProvesATokenDoesntReachTheBackend(t *testing.T) {
	c := newCleaner([]contract.Header{{Name: "X-User-Id"}}, contract.PlannedAPI{Proof: contract.Proof{CertificateHeader: "X-Client-Cert"}})
	got := c.request(http.Header{"Dpop": {"proof"}, "X-Client-Cert": {"cert"}, "X_client.cert": {"cert"}, "X-Kept": {"yes"}})
	if len(got) != 1 || got.Get("X-Kept") != "yes" {
		t.Errorf("got %v at the backend, want X-Kept alone", got)
	}
}
