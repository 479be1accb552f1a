package contract

// PEM is certificates as text.
type PEM string

// Target is one of several addresses of a backend.
type Target struct {
	URL    Text `field:"url,required" doc:"As backend.url."`
	Weight int  `field:"weight" doc:"1 to 100: its share of the calls, against the others' weights. 1 if it isn't given." min:"1"`
}

// Breaker says when an address is left alone.
type Breaker struct {
	Failures int      `field:"failures,required" doc:"So many failures of one address within window open its breaker: it couldn't be reached, broke off before an answer, missed the timeout, or answered 502, 503 or 504." min:"1"`
	Window   Duration `field:"window,required" doc:"From 1s to 1h."`
	Open     Duration `field:"open,required" doc:"How long the address gets no calls, from 1s to 10m. Then one call tries whether it is back."`
}

// Query says which query parameters a backend gets.
type Query struct {
	Set    map[string]string `field:"set" doc:"Parameters that the gateway sends, in place of the caller's of that name in any case." keys:"^[A-Za-z0-9._~$-]{1,64}$"`
	Remove []string          `field:"remove" doc:"Parameters that don't pass, whatever their case." pattern:"^[A-Za-z0-9._~$-]{1,64}$"`
	Allow  []string          `field:"allow" doc:"The only parameters that pass, compared exactly. Without it, all do." pattern:"^[A-Za-z0-9._~$-]{1,64}$"`
}

// Answer is what the gateway answers itself.
type Answer struct {
	Status      int               `field:"status,required" doc:"From 200 to 599." min:"200"`
	ContentType string            `field:"contentType" doc:"Of the body; required with one." pattern:"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(; ?[A-Za-z0-9-]+=[A-Za-z0-9._-]+)*$"`
	Body        string            `field:"body" doc:"As it is sent."`
	Headers     map[string]string `field:"headers" doc:"Headers of this answer, besides responseHeaders." keys:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`
}
