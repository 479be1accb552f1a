// Package verify proves a deployed estate shut: a bounded number of harmless
// requests, GET and OPTIONS only, each with a promise that its answer keeps, breaks
// or leaves open.
//
// An answer is judged by what it says, never by what it probably means. Silence
// counts as shut only where the gateway itself was reached from the same place, and
// what an answer can't tell is "not shown", not "passed".
package verify

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

const (
	atOnce      = 4                // requests under way
	requestTime = 10 * time.Second // one request, its name's lookup included
	// DefaultTime is how long all probes together may take.
	DefaultTime = 3 * time.Minute
	maxBody     = 64 << 10
)

// Outside is the world as probes see it. Resolve, Dial and Now are required.
type Outside struct {
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Now     func() time.Time
	Roots   *x509.CertPool // nil: the system's

	// Token gives an access token for the API; nil where none can be had.
	Token func(ctx context.Context, api *contract.PlannedAPI) (string, error)
	// Resource gives a token of whoever deploys, for a scope of the platform; nil where there is none.
	Resource func(ctx context.Context, scope string) (string, error)
	// Events finds the gateway's events by correlation id; nil where they can't be read.
	Events func(ctx context.Context, ids []string) (map[string]audit.Event, error)
}

// Options say what is probed besides what the plan says. The zero value is good.
type Options struct {
	Address        string          // of the gateway, instead of the plan's public URL
	Origin         string          // the function's own host name, behind Front Door; "" for none
	Echo           string          // api/operation whose backend repeats the headers it heard; "" for none
	PublicBackends map[string]bool // APIs whose backend is somebody's public service
	Time           time.Duration   // DefaultTime if it isn't given
}

// prober is one run.
type prober struct {
	Options
	Outside
	plan    *contract.Plan
	base    *url.URL
	nonce   string
	client  *client
	reached bool   // the gateway answered: silence elsewhere means something
	within  string // a name by which this machine is seen to be inside; "" if none is
	tokens  []held
	noToken string // why there are fewer tokens than needed

	mu    sync.Mutex
	asked []followUp // what events are still to tell
}

// held is a token that the API it is for was seen to understand.
type held struct {
	api *contract.PlannedAPI
	raw string
	ask Exchange
}

// step is some probes that belong together; their requests go one after the other.
type step func(ctx context.Context) []Result

// Run makes all probes and judges them. nonce tells this run's values from others'.
func Run(ctx context.Context, plan *contract.Plan, o Options, out Outside, nonce string) (*Report, error) {
	if o.Time == 0 {
		o.Time = DefaultTime
	}
	base, err := baseOf(plan, o)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(o.Origin, "/:@?# ") {
		return nil, fmt.Errorf("the origin %q is not a host's name alone, such as func-contoso-prod.azurewebsites.net", o.Origin)
	}
	p := &prober{Options: o, Outside: out, plan: plan, base: base, nonce: nonce}
	p.client = newClient(out)
	defer p.client.close()
	r := &Report{
		Format: Format, Gateway: plan.Name, Environment: plan.Environment, Contracts: plan.Version, Address: base.String(), Began: out.Now().UTC(),
	}
	within, cancel := context.WithTimeout(ctx, o.Time)
	defer cancel()
	r.Results = append(r.Results, p.gateway(within)...)
	p.within = p.inNetwork(within)
	p.acquire(within)
	for _, results := range p.all(within, p.steps()) {
		r.Results = append(r.Results, results...)
	}
	// Events may come late; the time of the probes is not theirs.
	r.Results = append(r.Results, p.fromEvents(ctx)...)
	r.Reached, r.Requests, r.Ended = p.reached, p.client.count(), out.Now().UTC()
	if err := ctx.Err(); err != nil {
		return nil, err // interrupted: half a report would look like a whole one
	}
	return r, nil
}

// all runs the steps, a few at once, and keeps their order.
func (p *prober) all(ctx context.Context, steps []step) [][]Result {
	out := make([][]Result, len(steps))
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, s := range steps {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			out[i] = s(ctx)
		})
	}
	wg.Wait()
	return out
}

func (p *prober) steps() []step {
	steps := p.shut()
	for i := range p.plan.APIs {
		api := &p.plan.APIs[i]
		steps = append(steps, func(ctx context.Context) []Result { return p.api(ctx, api) })
	}
	steps = append(steps, p.spoofed, p.sender)
	for _, path := range reserved() {
		steps = append(steps, func(ctx context.Context) []Result { return p.reserved(ctx, path) })
	}
	return append(steps, p.routes, p.plain, p.oldTLS, p.strict, p.origin)
}
