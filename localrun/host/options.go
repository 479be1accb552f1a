package host

import (
	"net/http"
	"os"
	"time"
)

// Options says which app to run and how. Only Root is required.
type Options struct {
	Root     string            // the app root: host.json, <Function>/function.json, the handler
	Addr     string            // loopback listen address; "" = "127.0.0.1:0"
	Settings map[string]string // app settings: added to the handler's environment
	Environ  []string          // the inherited environment; nil = os.Environ()

	// Log receives every line the handler prints, and Events what happens to
	// its process. Neither is called twice at once; neither may call Close.
	Log    func(Line)
	Events func(Event)

	// Arrivals is told of each request before anything of it is read or changed,
	// with the invocation id that the handler will get for it. It may put another
	// reader before r.Body, and keep nothing else of r. Calls may come at once.
	Arrivals func(invocation string, r *http.Request)

	// A key that is "" opens nothing.
	MasterKey    string            // opens everything, /admin included
	HostKey      string            // opens every function of level "function"
	FunctionKeys map[string]string // function name -> the key that opens it alone

	ChmodHandler bool      // try chmod +x on the handler, as Flex Consumption does, instead of refusing to start
	HostVersion  string    // told to the handler; "" = "4.1052.200"
	FrontEnd     *FrontEnd // the platform's front end before the host; nil = none

	Variants Variants
	Budgets  Budgets
	Now      func() time.Time // nil = time.Now
}

// Variants holds one switch for each behaviour that differs between versions of
// the host, or that functions-host.md marks UNCONFIRMED. The zero value is the
// newest known behaviour.
type Variants struct {
	PassForwarded      bool // proxy mode leaves Host, X-Forwarded-* and Forwarded as received (hosts of mid 2025)
	DropHSTS           bool // proxy mode drops the handler's Strict-Transport-Security (YARP 2.0.1)
	NoPreBuffer        bool // proxy mode streams bodies of known length too
	NoRetryAfterExit   bool // proxy mode stops retrying once the handler process is gone (PR #11210)
	ReplaceTraceparent bool // the host puts its own traceparent in place of the caller's
	ForwardChunkedFail bool // forward mode answers a chunked request with 500 instead of dropping its body

	EmptySegments      EmptySegments // what "//" in a path does to route matching
	TrailingSlashCount bool          // "/a/" no longer matches the route "a"
	DoubleStar         bool          // accept {**rest} in routes; refused otherwise
	AdminFallThrough   bool          // /admin and /runtime paths that no host controller claims reach the functions
	BodyTooLarge       int           // status for a body over the limit; 0 = 500

	TimerAsString   bool // JSON mode sends a timer's Data.<name> as a string that holds JSON
	TimerStatusNull bool // ... with ScheduleStatus null

	ForwardedHeaders bool // ASPNETCORE_FORWARDEDHEADERS_ENABLED: the remote address comes from X-Forwarded-For
}

// EmptySegments says how a path with empty segments ("//") is matched.
type EmptySegments int

const (
	// EmptySegmentsFailFirst refuses an empty segment unless a catch-all has
	// begun before it: what the route matcher's source does.
	EmptySegmentsFailFirst EmptySegments = iota
	// EmptySegmentsFail refuses an empty segment anywhere.
	EmptySegmentsFail
	// EmptySegmentsMatch never refuses a path for an empty segment.
	EmptySegmentsMatch
)

// Budgets are the host's waiting times; zero means the real host's. The time to
// the first answered probe stands in host.json (customHandler.initializationTimeout).
type Budgets struct {
	Hold     time.Duration // how long a request waits for the first start: 30 s
	Probe    time.Duration // between two probes: 25 ms
	Activity time.Duration // proxy mode without a byte in either direction: 240 s
	Function time.Duration // in place of host.json's functionTimeout, which can't be below 1 s
	Forget   time.Duration // after which the handler's earlier failures no longer count: 30 min
}

const defaultHostVersion = "4.1052.200"

func (o Options) withDefaults() Options {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.Log == nil {
		o.Log = func(Line) {}
	}
	if o.Events == nil {
		o.Events = func(Event) {}
	}
	if o.Arrivals == nil {
		o.Arrivals = func(string, *http.Request) {}
	}
	if o.HostVersion == "" {
		o.HostVersion = defaultHostVersion
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Budgets = o.Budgets.withDefaults()
	return o
}

func (b Budgets) withDefaults() Budgets {
	or := func(d, real time.Duration) time.Duration {
		if d > 0 {
			return d
		}
		return real
	}
	b.Hold = or(b.Hold, 30*time.Second)
	b.Probe = or(b.Probe, 25*time.Millisecond)
	b.Activity = or(b.Activity, 240*time.Second)
	b.Forget = or(b.Forget, 30*time.Minute)
	return b
}
