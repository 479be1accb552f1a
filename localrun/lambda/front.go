package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Invoke hands an event to a function and returns what it answered.
type Invoke func(ctx context.Context, id string, event []byte) (*Reply, error)

// Reply is what a function answered: a whole payload, or one that still arrives.
type Reply struct {
	Streamed bool   // by the runtime's word, not by its length
	Type     string // the content type that came with it
	Body     io.ReadCloser
}

// Front is the service before a function: it makes the kind's event from a
// request, and HTTP from the answer. It needs Kind and Invoke; Start fills the rest.
type Front struct {
	Kind     Kind
	Invoke   Invoke
	Variants Variants
	Limits   Limits
	Timeout  time.Duration // how long it waits for an answer; 0 = as Lambda does
	Arrivals func(invocation string, r *http.Request)
	Now      func() time.Time
}

// NewFront is a front of this kind before any function, such as one in this process.
func NewFront(k Kind, invoke Invoke) *Front {
	o, _ := Options{Kind: k}.withDefaults()
	return &Front{Kind: k, Invoke: invoke, Limits: o.Limits, Timeout: o.Budgets.Front, Now: time.Now}
}

// arrived is a request as the front read it.
type arrived struct {
	*http.Request
	id          string
	path, query string // as they were sent
	body        []byte
	client      string // the address it came from
	at          time.Time
}

// name is what an event calls the invocation: a load balancer has nothing for that but its trace.
func (a arrived) name(k Kind) string {
	if k.balancer() {
		return traceID(a)
	}
	return a.id
}

// methods are those that reach a function. API Gateway's ANY stands for seven
// (REST), and a function URL takes the same; a load balancer refuses TRACE.
var methods = []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPatch, http.MethodPost, http.MethodPut}

// maxHead is what API Gateway takes of a request line and its headers together (quotas).
const maxHead = 10_240

// ServeHTTP answers one request by one invocation.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := arrived{Request: r, id: newID(), at: f.Now()}
	if f.Arrivals != nil {
		f.Arrivals(a.name(f.Kind), r)
	}
	refused := f.read(&a)
	if refused != 0 {
		f.refuse(w, refused)
		return
	}
	event, err := json.Marshal(f.event(a))
	if err != nil {
		f.refuse(w, http.StatusBadRequest)
		return
	}
	if int64(len(event)) > f.Limits.Payload { // quotas: 6 MB for a synchronous invocation
		f.refuse(w, http.StatusRequestEntityTooLarge)
		return
	}
	// A caller that leaves doesn't end an invocation: it is paid for and runs on.
	ctx, stop := context.WithTimeoutCause(context.WithoutCancel(r.Context()), f.Timeout, errFront)
	defer stop()
	reply, err := f.Invoke(ctx, a.id, event)
	if err != nil {
		f.fail(w, err)
		return
	}
	defer reply.Body.Close()
	f.answer(w, reply)
}

// errFront: the service before the function waits no longer.
var errFront = errors.New("the front's own time is up")

// read takes the request in, or says with which status the service refuses it.
func (f *Front) read(a *arrived) (refused int) {
	r := a.Request
	if !slices.Contains(methods, r.Method) && (!f.Kind.balancer() || r.Method == http.MethodTrace || r.Method == http.MethodConnect) {
		return f.methodStatus()
	}
	target := r.RequestURI
	if r.URL.IsAbs() { // absolute-form: only its path and query are in an event
		_, rest, _ := strings.Cut(target, "://")
		at := strings.IndexAny(rest, "/?")
		target = "/"
		if at >= 0 {
			target = rest[at:]
		}
	}
	if !strings.HasPrefix(target, "/") {
		return http.StatusBadRequest
	}
	if f.Kind.gateway() && headBytes(r) > maxHead {
		return http.StatusRequestHeaderFieldsTooLarge
	}
	if r.Header.Get("Upgrade") != "" && f.Kind.balancer() { // ALB: upgrades are refused with 400
		return http.StatusBadRequest
	}
	a.path, a.query, _ = strings.Cut(target, "?")
	if a.client, _, _ = net.SplitHostPort(r.RemoteAddr); a.client == "" {
		a.client = r.RemoteAddr
	}
	if f.Kind == REST && strings.ContainsAny(a.query, "|{}") { // notes: must be URL-encoded
		return http.StatusBadRequest
	}
	var err error
	a.body, err = io.ReadAll(io.LimitReader(r.Body, f.Limits.Body+1))
	switch {
	case err != nil:
		return http.StatusBadRequest
	case int64(len(a.body)) > f.Limits.Body:
		return http.StatusRequestEntityTooLarge
	}
	return 0
}

func headBytes(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return n
}

// event is what the function gets for a request.
func (f *Front) event(a arrived) any {
	switch f.Kind {
	case REST:
		return f.restEvent(a)
	case ALB, ALBMulti:
		return f.albEvent(a)
	default:
		return f.eventV2(a)
	}
}

// headers are a request's as the service hands them over, with its own.
func (f *Front) headers(a arrived) http.Header {
	h := a.Header.Clone()
	h["Host"] = []string{a.Host}
	// They end at the service. A load balancer was seen to hand Connection over.
	for _, name := range []string{"Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect", "Proxy-Authenticate"} {
		h.Del(name)
	}
	if !f.Kind.balancer() {
		h.Del("Connection")
	}
	forwarded := append(h.Values("X-Forwarded-For"), a.client)
	if f.Variants.DropForwarded {
		forwarded = forwarded[len(forwarded)-1:]
	}
	h.Set("X-Forwarded-For", strings.Join(forwarded, ", "))
	h.Set("X-Forwarded-Proto", "https")
	h.Set("X-Forwarded-Port", "443")
	h.Set("X-Amzn-Trace-Id", traceID(a))
	return h
}

// text tells whether the services take a body for text: by what the request says of it.
func text(h http.Header) bool {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	// ALB: anything encoded is binary, and all types but these. HTTP API and URLs do much the same.
	return h.Get("Content-Encoding") == "" &&
		(strings.HasPrefix(kind, "text/") || slices.Contains([]string{"application/json", "application/javascript", "application/xml"}, kind))
}
