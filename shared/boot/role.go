package boot

import (
	"fmt"
	"net/http"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/credential/sts"
)

// role is the function's, as which the gateway proves itself to Entra.
type role struct {
	sts      *sts.Source
	endpoint string // Entra's, of the environment's tenant
}

// newRole is nil where AWS says no region: on a laptop. What needs it then is refused.
func newRole(getenv func(string) string, plan *contract.Plan) (*role, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	source := &sts.Source{
		Keys: func() sts.Keys {
			return sts.Keys{ID: getenv(AccessKey), Secret: getenv(SecretKey), Session: getenv(SessionToken)}
		},
		Region: getenv(Region), Endpoint: getenv(STS), Transport: transport, Now: time.Now,
	}
	if source.Region == "" {
		return nil, nil
	}
	if err := source.Check(); err != nil {
		return nil, fmt.Errorf("the function's role can't be proved to Entra (%s, %s): %w", Region, STS, err)
	}
	return &role{source, contract.TokenEndpoint(plan.SignIn, plan.TenantID)}, nil
}
