// Package inspector is the local run's own page: requests as they arrive, why each
// was granted or refused, limits filling up, and a form to send a request again.
//
// A Log learns of a request from three sides: from the stand-in for the host what
// the caller sent (Arrived), from before the echo backend what the backend saw
// (Backend), and from the handler's output what was decided (Printed). It keeps the
// last Kept of them in memory, bounded, and nothing on disk.
package inspector

import (
	"context"
	"crypto/rand"
	"html/template"
	"net/http"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
)

// Kept is how many requests are remembered; the oldest go first.
const Kept = 1000

// Options is what the inspector needs of the local run.
type Options struct {
	Plan    *contract.Plan
	Dir     string // the contracts that the gateway enforces
	Source  string // where a person finds them
	Gateway string // base address
	Bare    bool   // nothing stands before the handler, so nobody tells what arrives

	// Judge says what each stage makes of a request at that time; nothing is forwarded or debited.
	Judge func(ctx context.Context, r *http.Request, at time.Time) ([]Stage, error)
	// Mint makes a token of the local run's issuer.
	Mint func(ctx context.Context, t issuer.Token) (string, error)
	// Uses are the counts of limits, what is nearest to its end first; nil: nothing is kept.
	Uses func(ctx context.Context) ([]Use, error)
	Now  func() time.Time // nil: time.Now
}

// Stage is what one stage said of a request.
type Stage struct {
	Name    string
	Refused bool
	Code    string
	Detail  string        // what the caller is told
	Cause   string        // private
	First   time.Duration // of the first go, in which keys are fetched and the token is verified
	Took    time.Duration // of a second one
	Note    string        // where the verdict comes from, if not from judging again
}

// Use is one count of a limit, in words.
type Use struct {
	Scope, Limit, By, Amount, Ends string
	Share                          float64 // 1 is all of it
}

// Inspector is the page and what it remembers. It is safe for concurrent use.
type Inspector struct {
	options Options
	log     *Log
	secret  string // what a form of this page carries, and no other page knows
	pages   *template.Template
	handler http.Handler
	carry   *http.Transport // to the gateway, and nowhere else
}

var _ http.Handler = (*Inspector)(nil)

// New makes the page that shows the log.
func New(log *Log, o Options) (*Inspector, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.DisableCompression = nil, true // what is sent is what the form says
	pages, err := template.New("").Funcs(words()).ParseFS(web, "web/*.html")
	if err != nil {
		return nil, err
	}
	in := &Inspector{options: o, log: log, secret: rand.Text(), pages: pages, carry: transport}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", in.index)
	mux.HandleFunc("GET /stream", in.stream)
	mux.HandleFunc("GET /requests/{number}", in.request)
	mux.HandleFunc("GET /limits", in.limits)
	mux.HandleFunc("GET /send", in.form)
	mux.HandleFunc("POST /send", in.send)
	mux.HandleFunc("GET /style.css", asset("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /script.js", asset("script.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /icon.svg", asset("icon.svg", "image/svg+xml"))
	in.handler = guarded(mux)
	return in, nil
}

// ServeHTTP answers the person's browser, and no page of another origin.
func (in *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) { in.handler.ServeHTTP(w, r) }

// Close lets go of connections to the gateway, and ends every stream.
func (in *Inspector) Close() error {
	in.log.close()
	in.carry.CloseIdleConnections()
	return nil
}
