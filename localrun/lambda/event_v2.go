package lambda

import (
	"net/url"
	"strings"
)

// eventV2 is payload format 2.0 of HTTP APIs and function URLs (HTTP API, URLs).
type eventV2 struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQuery        string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"` // values of one name joined by commas
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	Context         contextV2         `json:"requestContext"`
	Body            string            `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type contextV2 struct {
	AccountID    string `json:"accountId"`
	APIID        string `json:"apiId"`
	Domain       string `json:"domainName"`
	DomainPrefix string `json:"domainPrefix"`
	HTTP         httpV2 `json:"http"`
	RequestID    string `json:"requestId"`
	RouteKey     string `json:"routeKey"`
	Stage        string `json:"stage"`
	Time         string `json:"time"`
	Epoch        int64  `json:"timeEpoch"`
}

type httpV2 struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

func (f *Front) eventV2(a arrived) eventV2 {
	e := eventV2{
		Version: "2.0", RouteKey: "$default", RawPath: a.path, RawQuery: a.query, Headers: map[string]string{},
		Context: contextV2{
			AccountID: "anonymous", APIID: "standinurl", Domain: a.Host, DomainPrefix: "standinurl",
			HTTP:      httpV2{Method: a.Method, Protocol: a.Proto, SourceIP: a.client, UserAgent: a.UserAgent()},
			RequestID: a.id, RouteKey: "$default", Stage: "$default", Time: a.at.UTC().Format(clfTime), Epoch: a.at.UnixMilli(),
		},
	}
	if f.Kind == HTTP {
		e.Context.AccountID, e.Context.APIID, e.Context.DomainPrefix = account, "standinapi", "standinapi"
		e.RawPath = f.httpPath(a.path)
	}
	if f.Kind != HTTP { // a URL has no other name than this
		e.Context.Domain = "standinurl.lambda-url." + region + ".on.aws"
	}
	e.Context.HTTP.Path = e.RawPath
	for name, values := range lower(f.headers(a)) {
		if name == "cookie" { // they are in cookies alone
			for pair := range strings.SplitSeq(strings.Join(values, ";"), ";") {
				e.Cookies = append(e.Cookies, strings.TrimSpace(pair))
			}
			continue
		}
		e.Headers[name] = strings.Join(values, ",")
	}
	for name, values := range decodedQuery(strings.ReplaceAll(a.query, ";", "%3B")) {
		if e.Query == nil {
			e.Query = map[string]string{}
		}
		e.Query[name] = strings.Join(values, ",")
	}
	if len(a.body) > 0 {
		e.Body, e.IsBase64Encoded = encoded(a.body, text(a.Header))
	}
	return e
}

// httpPath is the path as an HTTP API hands it over: decoded, and cut at a
// decoded question mark. It isn't documented, but was captured at the real
// service (github.com/hotsock/voker/pull/8, which middleapi/standard-server's
// pull request 93 relies on); REST APIs, function URLs and load balancers keep
// the path as it was sent.
func (f *Front) httpPath(path string) string {
	plain, err := url.PathUnescape(path)
	if f.Variants.EncodedPath || err != nil {
		return path
	}
	plain, _, _ = strings.Cut(plain, "?")
	return plain
}
