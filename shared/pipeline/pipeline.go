// Package pipeline is the shape of every request: a call passes stages, each of
// which may refuse it, and is then delivered to the backend.
package pipeline

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"tollgate/shared/refusal"
)

// Stage is one decision. It returns nil to let the call go on.
type Stage func(ctx context.Context, c *Call) *refusal.Refusal

// Delivery hands a granted call over and streams the answer to w. It may
// refuse only as long as nothing was written to w.
type Delivery func(ctx context.Context, w http.ResponseWriter, c *Call) *refusal.Refusal

// Prover adds to an outbound request what proves the gateway to the backend. A
// request that can't be proved is refused, never sent without.
type Prover func(ctx context.Context, c *Call, out *http.Request) *refusal.Refusal

// Chain is the stages in order; the first refusal wins.
func Chain(stages ...Stage) Stage {
	return func(ctx context.Context, c *Call) *refusal.Refusal {
		for _, s := range stages {
			if r := s(ctx, c); r != nil {
				return r
			}
		}
		return nil
	}
}

// Call is one request on its way.
type Call struct {
	Request      *http.Request // as the adapter received it; stages don't change it
	Path         string        // its raw path: what is matched is what is forwarded
	Correlation  string        // names this call in answers, events and to the backend
	Client       netip.Addr    // where the call comes from; zero: unknown
	Identity     *Identity     // who calls; nil on public operations, and where a key is enough
	Subscription *Subscription // whose key was sent; nil for none
	Forward      http.Header   // what the backend hears about the caller
	Answer       http.Header   // what every answer says, whoever gives it; not changed, see Announce
	Style        refusal.Style // how a refusal of it is written
	Outcome      Outcome       // filled in by the delivery, or by who writes the refusal
	Operation    string        // the route's, once it is found
	Marks        []string      // what an operator should see in the event of a granted call too, such as "limit_outage:per-tenant"

	// Passing is called now and then while a granted call's bytes pass, by any
	// goroutine, also after the answer has begun. nil: nobody wants to know.
	Passing func()
	// Trace is the call's place in its W3C trace context.
	Trace Trace

	left     []Left  // of limits; see Left
	leftRoom [4]Left // where they usually are

	// Afterwards is what stages still have to do once the answer was sent, or the call refused.
	Afterwards []func(ctx context.Context, c *Call, refused *refusal.Refusal)
}

// Pass tells whoever wants to know that bytes of the call have passed.
func (c *Call) Pass() {
	if c.Passing != nil {
		c.Passing()
	}
}

// Subscription is what a verified key says of the caller.
type Subscription struct {
	ID      string
	Product string    // "" for a subscription to one API
	API     string    // "" for one to a product
	Started time.Time // when it became active, by the store's clock
	Created time.Time // when the key that was sent was made, by the store's clock

	Client, Tenant string // what the token must name besides; "": nothing
}

// Outcome is what became of a granted call.
type Outcome struct {
	Status     int    // the status sent; 0 if none was
	Bytes      int64  // of the response body, as sent
	Received   int64  // of the request body, or of what a WebSocket's caller sent, as handed over
	ClientGone bool   // the client left before the end
	Broken     string // why a begun answer could not be finished; "" if it was
	Code       string // the stable name of that, such as "backend_broke_off"

	Backend       string        // host of the backend that was asked last; "": none was
	BackendStatus int           // what it answered; 0: nothing
	Waited        time.Duration // for its answer to begin, others that were asked before included
	Delivering    time.Duration // from then and before until the answer had passed: the time that isn't the gateway's own
}

// Principal tells a person from a program.
type Principal int

// A token that is neither clearly a user's nor an application's satisfies no rule.
const (
	UnknownPrincipal Principal = iota
	User                       // delegated: an app acts for a signed-in person
	Application                // app-only: an app acts for itself
)

func (p Principal) String() string {
	switch p {
	case User:
		return "user"
	case Application:
		return "application"
	default:
		return "unknown"
	}
}

// Identity is what a verified token says of the caller.
type Identity struct {
	Issuer     string
	Authority  string // who vouches, whatever the token's version: the issuer's name in contracts, and the tenant where it has several
	Principal  Principal
	Scopes     []string
	ScopeClaim string // where those stand: scp or scope
	Roles      []string
	Claims     Claims
}

// Claims is a token's payload, decoded strictly: names compare exactly, none is
// there twice. Values are string, Number, bool, nil, []any and map[string]any.
type Claims map[string]any

// Number is a JSON number as it was written.
type Number string

// Texts are the claim's values as text: a string, number or truth value is one,
// a list of those is several. ok is false if the claim is absent or null, or
// holds anything else.
func (c Claims) Texts(name string) (values []string, ok bool) {
	switch v := c[name].(type) {
	case nil:
		return nil, false
	case []any:
		for _, item := range v {
			s, ok := text(item)
			if !ok {
				return nil, false
			}
			values = append(values, s)
		}
		return values, true
	default:
		s, ok := text(v)
		return []string{s}, ok
	}
}

func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case Number:
		return string(v), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	default:
		return "", false
	}
}

type invocationKey struct{}

// WithInvocation notes the host's name for this request, so that events can be joined with the host's logs.
func WithInvocation(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, invocationKey{}, id)
}

// Invocation is the host's name for this request, "" without a host.
func Invocation(ctx context.Context) string {
	id, _ := ctx.Value(invocationKey{}).(string)
	return id
}
