package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// question is an authorizer's: may this call proceed?
type question struct {
	event
	arn     string   // what a policy is about; "" for none
	sources []string // what an HTTP API keeps verdicts by; nil: it doesn't say
	simple  bool     // a plain yes or no is wanted
}

// asks tells an authorizer's event from a call.
func asks(o object) bool { return o.has("type") && (o.has("methodArn") || o.has("routeArn")) }

// ask reads the question. simple is how an HTTP API's events of version 2.0 are
// to be answered: they don't tell.
func ask(o object, simple bool) (*question, error) {
	r := reader{}
	q := &question{arn: r.text(o, "methodArn")}
	kind, version := r.text(o, "type"), r.text(o, "version")
	var err error
	switch {
	case r.err != nil:
		return nil, r.err
	case kind == "TOKEN":
		q.event = event{front: restAPI, fields: []field{{"Authorization", r.text(o, "authorizationToken")}, {"Host", "authorizer.invalid"}}}
		q.method, q.path, err = q.called()
	case kind == "REQUEST" && version == "2.0":
		q.arn, q.simple, q.sources = r.text(o, "routeArn"), simple, r.list(o, "identitySource")
		err = q.fill(fromHTTP(o, r.sub(o, "requestContext")))
	case kind == "REQUEST":
		err = q.fill(fromREST(o, r.sub(o, "requestContext")))
	default:
		err = errors.New("it is an authorizer's, but neither TOKEN nor REQUEST")
	}
	if err == nil {
		err = r.err
	}
	if err == nil && (q.method == "" || q.path == "") {
		err = errors.New("it has no method or no path")
	}
	return q, err
}

func (q *question) fill(e *event, err error) error {
	if err == nil {
		q.event = *e
	}
	return err
}

// called is the call that the ARN names:
// arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH.
func (q *question) called() (method, path string, err error) {
	parts := strings.SplitN(q.arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "execute-api" {
		return "", "", errors.New("methodArn: it isn't the ARN of an API's method")
	}
	names := strings.SplitN(parts[5], "/", 4)
	if len(names) < 3 {
		return "", "", errors.New("methodArn: it names no method")
	}
	return names[2], "/" + strings.Join(names[3:], ""), nil
}

// exact tells that a policy about the ARN is about this call and no other. A kept
// policy is held against later calls, where * and ? stand for anything.
func (q *question) exact() bool {
	method, path, err := q.called()
	return err == nil && method == q.method && path == q.path && !strings.ContainsAny(q.arn, "*?") && !strings.Contains(q.arn, "${")
}

// Authorizer is how the function answers where it is asked for verdicts.
type Authorizer struct {
	Policy bool // an HTTP API wants policies; its events don't tell

	// What callers prove themselves by: headers, and parameters of the query, both
	// folded. ByAddress: what is granted depends on where a call comes from.
	Headers, Parameters []string
	ByAddress           bool
}

// apart tells that a verdict that is kept serves nobody and nothing else: what
// it is kept by must hold the operation and every credential that was sent.
func (a *Authorizer) apart(q *question) error {
	kept := func(value, what string) error {
		if value == "" || slices.Contains(q.sources, value) {
			return nil
		}
		return fmt.Errorf("the authorizer's identity sources lack %s: a verdict that is kept would serve other calls", what)
	}
	if len(q.sources) == 0 {
		return nil // nothing is kept without a source
	}
	faults := []error{kept(q.method, "$context.httpMethod"), kept(q.path, "$context.path")}
	if a.ByAddress && q.client.IsValid() {
		faults = append(faults, kept(q.client.String(), "$context.identity.sourceIp"))
	}
	for _, f := range q.fields {
		if slices.Contains(a.Headers, contract.FoldHeader(f.name)) {
			faults = append(faults, kept(f.value, "$request.header."+f.name))
		}
	}
	for pair := range strings.SplitSeq(q.query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if text, err := url.QueryUnescape(name); err != nil || slices.Contains(a.Parameters, strings.ToLower(text)) {
			plain, _ := url.QueryUnescape(value) // a broken one is in no list
			faults = append(faults, kept(plain, "a parameter of the query"))
		}
	}
	return errors.Join(faults...)
}

// authorize answers a question.
func (h *Handler) authorize(ctx context.Context, o object) (io.ReadCloser, error) {
	q, err := ask(o, !h.Authorizer.Policy)
	if err != nil {
		return nil, fmt.Errorf("the event can't be read: %w", err)
	}
	if err := h.Authorizer.apart(q); err != nil {
		return nil, err
	}
	within, cancel := h.within(ctx)
	defer cancel()
	verdict, err := h.verdict(within, q)
	if err != nil {
		h.after(ctx) // an error has no end at which it could be done
		return nil, err
	}
	text, err := marshal(verdict)
	if err != nil {
		return nil, err
	}
	return &result{Reader: bytes.NewReader(text), kind: "application/json", done: func() { h.after(ctx) }}, nil
}

// errUnauthorized is the error that API Gateway answers with 401, by just this text.
var errUnauthorized = errors.New("Unauthorized") //nolint:staticcheck // the text is the interface

func (h *Handler) verdict(ctx context.Context, q *question) (any, error) {
	r, fault := q.request(ctx)
	if fault != nil || !q.simple && !q.exact() {
		// What can't be read as one call, or named as one, is granted to nobody.
		return q.answer(false, "-", map[string]string{"code": "malformed_request"}), nil
	}
	call, refused := h.Gateway.Judge(r)
	switch {
	case refused == nil:
		said := map[string]string{"correlation": call.Correlation}
		for name, values := range call.Forward {
			said[name] = strings.Join(values, ",")
		}
		return q.answer(true, who(call), said), nil
	case refused.Kind == refusal.Unauthenticated:
		return nil, errUnauthorized
	case refused.Kind == refusal.Internal || refused.Kind == refusal.Unavailable: // an outage is not a bad token
		return nil, fmt.Errorf("no verdict: %s", refused.Code)
	}
	return q.answer(false, who(call), map[string]string{"correlation": call.Correlation, "code": refused.Code}), nil
}

// who is the caller, for API Gateway's logs.
func who(c *pipeline.Call) string {
	if c.Identity != nil {
		for _, name := range []string{"oid", "sub"} {
			if s, ok := c.Identity.Claims[name].(string); ok && s != "" {
				return s
			}
		}
	}
	if c.Subscription != nil {
		return c.Subscription.ID
	}
	return "-"
}

type simpleAnswer struct {
	IsAuthorized bool              `json:"isAuthorized"`
	Context      map[string]string `json:"context"`
}

type policyAnswer struct {
	PrincipalID    string            `json:"principalId"`
	PolicyDocument policy            `json:"policyDocument"`
	Context        map[string]string `json:"context"`
}

type policy struct {
	Version   string
	Statement []statement
}

type statement struct{ Action, Effect, Resource string }

// answer is a yes or no, about this call alone.
func (q *question) answer(yes bool, principal string, said map[string]string) any {
	if q.simple {
		return simpleAnswer{yes, said}
	}
	effect := "Deny"
	if yes {
		effect = "Allow"
	}
	return policyAnswer{principal, policy{"2012-10-17", []statement{{"execute-api:Invoke", effect, q.arn}}}, said}
}
