package boot

import (
	"fmt"
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
func (o Outside) newRole(plan *contract.Plan) (*role, error) {
	source := &sts.Source{
		Keys: func() sts.Keys {
			return sts.Keys{ID: o.Getenv(AccessKey), Secret: o.Getenv(SecretKey), Session: o.Getenv(SessionToken)}
		},
		Region: o.Getenv(Region), Endpoint: o.Getenv(STS), Transport: o.transport(), Now: time.Now,
	}
	if source.Region == "" {
		return nil, nil
	}
	if err := source.Check(); err != nil {
		return nil, fmt.Errorf("the function's role can't be proved to Entra (%s, %s): %w", Region, STS, err)
	}
	return &role{source, contract.TokenEndpoint(plan.SignIn, plan.TenantID)}, nil
}
