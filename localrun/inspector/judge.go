package inspector

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate/shared/audit"
)

// judged is what each stage says of a recorded request. Verdicts and times come
// from judging it again by the same contracts, as at the time it arrived; where
// that can't know what the gateway knew, the recorded verdict stands.
func (in *Inspector) judged(ctx context.Context, one *entry) (stages []Stage, note string) {
	e := &one.event
	if one.front == nil {
		return nil, in.unseen()
	}
	if one.front.cut {
		return nil, "The request had more headers than are remembered, so it can't be judged again."
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	req, err := one.front.again(ctx)
	if err != nil {
		return nil, "The request can't be judged again: " + visible(err.Error())
	}
	if stages, err = in.options.Judge(ctx, req, e.Time); err != nil {
		return nil, "The request can't be judged again: " + visible(err.Error())
	}
	return recorded(stages, e)
}

// unseen says why nobody knows what the caller sent.
func (in *Inspector) unseen() string {
	if in.options.Bare {
		return "With --host none nothing stands before the handler, so what the caller sent isn't known."
	}
	return "What the caller sent isn't known any more: too many requests came in between."
}

// again is the request, without its body, which no stage reads.
func (a *arrival) again(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, a.method, "http://gateway.invalid/", nil)
	if err != nil {
		return nil, err
	}
	if u, err := url.ParseRequestURI(a.target); err == nil {
		req.URL = u
	}
	req.RequestURI, req.Host, req.Header = a.target, a.host, a.header.Clone()
	return req, nil
}

// patience is how long an issuer may take for its keys before a page is shown without them.
const patience = 3 * time.Second

const fromEvent = "as recorded; judging again doesn't look at it"

// recorded holds the stages against what was decided then.
func recorded(stages []Stage, e *audit.Event) ([]Stage, string) {
	at := slices.IndexFunc(stages, func(s Stage) bool { return s.Refused })
	switch {
	case e.Verdict == audit.Granted && at < 0, at >= 0 && stages[at].Code == e.Code:
		return stages, ""
	case e.Verdict == audit.Granted:
		return stages, "Judged again, " + stages[at].Name + " would refuse it (" + stages[at].Code + "). Then it was granted: something has changed since, or was known only then."
	}
	note := ""
	if at >= 0 {
		note = "Judged again, " + stages[at].Name + " would refuse it for another reason (" + stages[at].Code + "). The recorded reason stands below."
		stages = stages[:at]
	}
	refused := Stage{Name: stageOf(e.Code), Refused: true, Code: e.Code, Cause: e.Cause, Note: fromEvent}
	if known := slices.IndexFunc(stages, func(s Stage) bool { return s.Name == refused.Name }); known >= 0 {
		refused.First, refused.Took = stages[known].First, stages[known].Took
		return append(stages[:known], refused), note
	}
	return append(stages, refused), note
}

// stageOf is the stage whose verdict judging again doesn't know.
func stageOf(code string) string {
	switch {
	case slices.Contains([]string{"token_revoked", "key_revoked", "revocation_unavailable"}, code):
		return "revocation"
	case slices.Contains([]string{"rate_exceeded", "quota_exceeded", "bandwidth_exceeded", "limit_key_missing", "limit_unavailable"}, code):
		return "limits"
	case strings.HasPrefix(code, "audit_"):
		return "audit"
	}
	return "delivery"
}
