package boot

import (
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"

	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/shared/telemetry"
)

// watched has the parts of a gateway watched, where the environment names a
// collector. Whoever compiles them calls follow with the gateway.
func (o Outside) watched(p *gateway.Parts, plan *contract.Plan) (t *telemetry.Telemetry, follow func(*gateway.Gateway)) {
	config, faults := telemetry.Read(o.Getenv)
	if faults != nil {
		p.Identity.Warn("telemetry: " + strings.ReplaceAll(faults.Error(), "\n", "; "))
	}
	if !config.On() {
		return nil, func(*gateway.Gateway) {}
	}
	transport := o.transport() // connections of its own: a slow collector is nobody else's concern
	transport.MaxConnsPerHost = 2
	t = telemetry.New(plan, config, telemetry.Options{
		Now: p.Now, Random: mathrand.Uint64, Transport: transport, Warn: p.Identity.Warn, Build: p.Build, Instance: newID(),
	})
	p.Observer, p.Backends = t, t.Backends(p.Backends)
	return t, func(g *gateway.Gateway) { t.Follow(g.State) }
}

// probe measures requests to the tables. Parts are made before it is known
// whether anyone wants to know, and with which plan.
type probe struct {
	store atomic.Pointer[*telemetry.Telemetry]
}

func (p *probe) around(next http.RoundTripper) http.RoundTripper {
	if p == nil || p.store.Load() == nil {
		return next
	}
	return (*p.store.Load()).Store(next)
}
