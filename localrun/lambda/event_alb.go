package lambda

import "strings"

// albEvent is the load balancer's (ALB, "receive events"). Which of the two maps
// there are is the target group's choice.
type albEvent struct {
	Context           albContext          `json:"requestContext"`
	Method            string              `json:"httpMethod"`
	Path              string              `json:"path"`
	Query             map[string]string   `json:"queryStringParameters,omitzero"` // as sent, not decoded; of several the last
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters,omitzero"`
	Headers           map[string]string   `json:"headers,omitzero"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitzero"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

type albContext struct {
	ELB struct {
		TargetGroup string `json:"targetGroupArn"`
	} `json:"elb"`
}

func (f *Front) albEvent(a arrived) albEvent {
	headers, query := lower(f.headers(a)), map[string][]string{}
	for part := range strings.SplitSeq(a.query, "&") {
		if part != "" {
			name, value, _ := strings.Cut(part, "=")
			query[name] = append(query[name], value)
		}
	}
	e := albEvent{Method: a.Method, Path: a.path}
	e.Context.ELB.TargetGroup = "arn:aws:elasticloadbalancing:" + region + ":" + account + ":targetgroup/tollgate/6d0ecf831eec9f09"
	if f.Kind == ALBMulti {
		e.MultiValueHeaders, e.MultiValueQuery = headers, query
	} else { // ALB: without the switch the last value that the client sent is used
		e.Headers, e.Query = lastOf(headers), lastOf(query)
	}
	if len(a.body) > 0 {
		e.Body, e.IsBase64Encoded = encoded(a.body, text(a.Header))
	}
	return e
}
