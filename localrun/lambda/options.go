package lambda

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Kind is the service that puts HTTP before the function.
type Kind string

// The kinds of front.
const (
	REST      Kind = "rest"       // API Gateway REST API, Lambda proxy integration: payload 1.0
	HTTP      Kind = "http"       // API Gateway HTTP API: payload 2.0
	URL       Kind = "url"        // function URL, BUFFERED
	URLStream Kind = "url-stream" // function URL, RESPONSE_STREAM
	ALB       Kind = "alb"        // Application Load Balancer, a target group as it is made
	ALBMulti  Kind = "alb-multi"  // the same with multi-value headers switched on
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{REST, HTTP, URL, URLStream, ALB, ALBMulti} }

// Options says what to run and how. Only Bootstrap and Kind are required.
type Options struct {
	Bootstrap string            // the executable; its folder is the task root, where it is started
	Kind      Kind              // the front before it
	Addr      string            // loopback address of the front; "" = "127.0.0.1:0"
	Settings  map[string]string // the function's own variables; nothing of this process is inherited

	// Log receives every line that a process prints, and Events what happens to
	// one. Neither is called twice at once; neither may call Close.
	Log    func(Line)
	Events func(Event)

	// Arrivals is told of each request before anything of it is read, with the id
	// of the invocation that it becomes. It may put another reader before r.Body.
	Arrivals func(invocation string, r *http.Request)

	Concurrency int  // processes at once, and so invocations; 0 = 10
	Awake       bool // processes run on between invocations, as no real one does

	Variants Variants
	Budgets  Budgets
	Limits   Limits
	Now      func() time.Time // nil = time.Now
}

// Variants holds a switch for each behaviour that AWS doesn't document, or that
// a user of it may set. The zero value is what was seen at the real services.
type Variants struct {
	EncodedPath   bool // HTTP API hands rawPath over as it was sent instead of decoded
	MangledBinary bool // REST API without binaryMediaTypes */*: bodies are texts, whatever they hold
	DropForwarded bool // X-Forwarded-For of the caller is dropped instead of added to
}

// Budgets are Lambda's times; zero means the default there.
type Budgets struct {
	Init     time.Duration // from start to the first next: 10 s
	Function time.Duration // for one invocation: 3 s
	Front    time.Duration // that the service before it waits: 29 s REST, 30 s HTTP API, else the function's
	Parting  time.Duration // from SIGTERM to SIGKILL, where an extension is registered: 500 ms; without one there is no SIGTERM
}

// Limits are the quotas on payloads, in bytes; zero means Lambda's.
type Limits struct {
	Payload int64 // an event, and a buffered answer: 6 MB
	Stream  int64 // a streamed answer: 20 MB, the quota that was first set; 200 MB since 2025
	Body    int64 // of a request, at the front: 10 MB API Gateway, 1 MB ALB, 6 MB function URL
}

// Line is one line that a process printed.
type Line struct {
	PID   int
	Error bool // on its standard error
	Text  string
}

// Event is something that happened to a process.
type Event struct {
	Time   time.Time
	Kind   string // one of the Event constants
	PID    int    // 0 where no process is concerned
	Detail string
}

// The kinds of Event.
const (
	EventStarted  = "started"  // the process was started
	EventReady    = "ready"    // it asked for the first invocation; Detail says after how long
	EventInvoked  = "invoked"  // it was handed one; Detail is its id
	EventAnswered = "answered" // the answer to one is whole
	EventFrozen   = "frozen"   // it was stopped
	EventThawed   = "thawed"   // it goes on
	EventExited   = "exited"   // it ended by itself; Detail says how
	EventKilled   = "killed"   // it was killed; Detail says why
	EventWarning  = "warning"  // anything else worth telling
)

func (o Options) withDefaults() (Options, error) {
	if !slices.Contains(Kinds(), o.Kind) {
		return o, fmt.Errorf("there is no front %q: it is one of %v", o.Kind, Kinds())
	}
	bootstrap, err := filepath.Abs(o.Bootstrap)
	if err != nil {
		return o, err
	}
	o.Bootstrap = bootstrap
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Log == nil {
		o.Log = func(Line) {}
	}
	if o.Events == nil {
		o.Events = func(Event) {}
	}
	if o.Concurrency == 0 {
		o.Concurrency = 10
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Budgets, o.Limits = o.Budgets.withDefaults(o.Kind), o.Limits.withDefaults(o.Kind)
	return o, nil
}

func (b Budgets) withDefaults(k Kind) Budgets {
	b.Init, b.Function, b.Parting = or(b.Init, 10*time.Second), or(b.Function, 3*time.Second), or(b.Parting, 500*time.Millisecond)
	switch k {
	case REST: // notes on quotas: the integration's timeout
		b.Front = or(b.Front, 29*time.Second)
	case HTTP:
		b.Front = or(b.Front, 30*time.Second)
	default:
		b.Front = or(b.Front, b.Init+b.Function+time.Minute)
	}
	return b
}

func (l Limits) withDefaults(k Kind) Limits {
	const mebi = 1 << 20
	l.Payload, l.Stream = or(l.Payload, 6*mebi+100), or(l.Stream, 20*mebi) // quotas; the 100 bytes are what Lambda's own emulator adds
	switch {
	case k.gateway():
		l.Body = or(l.Body, 10*mebi)
	case k.balancer():
		l.Body = or(l.Body, mebi)
	default:
		l.Body = or(l.Body, 6*mebi)
	}
	return l
}

func or[T int64 | time.Duration](given, otherwise T) T {
	if given > 0 {
		return given
	}
	return otherwise
}

func (k Kind) gateway() bool  { return k == REST || k == HTTP }
func (k Kind) balancer() bool { return strings.HasPrefix(string(k), "alb") }
