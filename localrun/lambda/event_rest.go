package lambda

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// restEvent is the REST API's (REST, "input format"). Names of headers keep their
// case there; net/http has put them in its own before.
type restEvent struct {
	Resource          string              `json:"resource"`
	Path              string              `json:"path"` // as it was sent
	Method            string              `json:"httpMethod"`
	Headers           map[string]string   `json:"headers"` // the last of each
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"` // decoded; null without any
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters    map[string]string   `json:"pathParameters"`
	StageVariables    map[string]string   `json:"stageVariables"`
	Context           restContext         `json:"requestContext"`
	Body              *string             `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

type restContext struct {
	AccountID    string         `json:"accountId"`
	APIID        string         `json:"apiId"`
	Domain       string         `json:"domainName"`
	DomainPrefix string         `json:"domainPrefix"`
	ExtendedID   string         `json:"extendedRequestId"`
	Method       string         `json:"httpMethod"`
	Identity     map[string]any `json:"identity"`
	Path         string         `json:"path"`
	Protocol     string         `json:"protocol"`
	RequestID    string         `json:"requestId"`
	RequestTime  string         `json:"requestTime"`
	RequestEpoch int64          `json:"requestTimeEpoch"`
	ResourceID   string         `json:"resourceId"`
	ResourcePath string         `json:"resourcePath"`
	Stage        string         `json:"stage"`
}

// remappedRequest come under another name (notes).
var remappedRequest = []string{"Content-Md5", "Date", "Max-Forwards"}

func (f *Front) restEvent(a arrived) restEvent {
	h := f.headers(a)
	for _, name := range remappedRequest {
		if values, there := h[name]; there {
			delete(h, name)
			h["X-Amzn-Remapped-"+name] = values
		}
	}
	query := decodedQuery(a.query)
	e := restEvent{
		Resource: "/{proxy+}", Path: a.path, Method: a.Method,
		Headers: lastOf(h), MultiValueHeaders: h, Query: lastOf(query), MultiValueQuery: query,
		Context: restContext{
			AccountID: account, APIID: "standinrst", Domain: a.Host, DomainPrefix: "standinrst", ExtendedID: a.id[:15] + "=", Method: a.Method,
			Identity: map[string]any{"sourceIp": a.client, "userAgent": a.UserAgent(), "accessKey": nil, "accountId": nil, "caller": nil, "user": nil, "userArn": nil},
			Path:     "/live" + a.path, Protocol: a.Proto, RequestID: a.id, RequestTime: a.at.UTC().Format(clfTime), RequestEpoch: a.at.UnixMilli(),
			ResourceID: "standin", ResourcePath: "/{proxy+}", Stage: "live",
		},
	}
	if a.path == "/" {
		e.Resource, e.Context.ResourcePath = "/", "/"
	} else if rest, err := url.PathUnescape(strings.TrimPrefix(a.path, "/")); err == nil {
		e.PathParameters = map[string]string{"proxy": rest}
	}
	if len(a.body) > 0 {
		body := base64.StdEncoding.EncodeToString(a.body)
		if f.Variants.MangledBinary {
			body = strings.ToValidUTF8(string(a.body), "\ufffd")
		}
		e.Body, e.IsBase64Encoded = &body, !f.Variants.MangledBinary
	}
	return e
}

// clfTime is how API Gateway writes a time.
const clfTime = "02/Jan/2006:15:04:05 -0700"

// decodedQuery is the query as the REST API splits it: at & and ; (notes), decoded.
// nil without any: it is null in the event.
func decodedQuery(query string) map[string][]string {
	out := map[string][]string{}
	for part := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(part, "=")
		name, value = unescaped(name), unescaped(value)
		out[name] = append(out[name], value)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func lastOf(all map[string][]string) map[string]string {
	if all == nil {
		return nil
	}
	out := map[string]string{}
	for name, values := range all {
		out[name] = values[len(values)-1]
	}
	return out
}

func lower(h http.Header) map[string][]string {
	out := map[string][]string{}
	for name, values := range maps.All(h) {
		name = strings.ToLower(name)
		out[name] = append(out[name], values...)
	}
	return out
}

// encoded is a body as it stands in an event.
func encoded(body []byte, isText bool) (string, bool) {
	if isText && utf8.Valid(body) { // what isn't would arrive changed; none of the services says how
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}
