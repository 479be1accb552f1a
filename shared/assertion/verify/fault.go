package verify

import "net/http"

// Fault says why a request isn't believed. Its texts hold nothing of the tokens.
// It is an answer, not an error, so that none can become a typed nil.
type Fault struct {
	Status int    // 401, or 503 where keys can't be had or the memory of replays is full
	Code   string // stable, for machines
	Detail string // one sentence for the caller
	Cause  error  // for the log; nil where there is none
}

// String is for logs.
func (f *Fault) String() string {
	if f.Cause != nil {
		return f.Code + ": " + f.Cause.Error()
	}
	return f.Code + ": " + f.Detail
}

func refused(code, detail string, cause error) *Fault {
	return &Fault{http.StatusUnauthorized, code, detail, cause}
}

func malformed(detail string, cause error) *Fault {
	return refused("assertion_malformed", detail, cause)
}

// unavailable: an outage is not a bad assertion.
func unavailable(code, detail string, cause error) *Fault {
	return &Fault{http.StatusServiceUnavailable, code, detail, cause}
}
