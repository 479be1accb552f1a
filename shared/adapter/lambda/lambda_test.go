package lambda_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"tollgate/shared/adapter/lambda"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/wire"
)

// behind is a gateway that keeps what it was asked.
type behind struct {
	answer func(w http.ResponseWriter, r *http.Request)
	asked  *http.Request
	body   string
	fault  *wire.Fault

	refused *refusal.Refusal // the verdict as an authorizer
}

func (b *behind) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.asked, b.body = r, string(body)
	if b.answer != nil {
		b.answer(w, r)
	}
}

func (b *behind) Unreadable(w http.ResponseWriter, r *http.Request, f *wire.Fault) {
	b.asked, b.fault = r, f
	w.WriteHeader(f.Status)
}

func (b *behind) Refuse(w http.ResponseWriter, r *http.Request, refused *refusal.Refusal) {
	b.asked = r
	refusal.Write(w, refusal.About{}, refused)
}

func (b *behind) Judge(r *http.Request) (*pipeline.Call, *refusal.Refusal) {
	b.asked = r
	return &pipeline.Call{Request: r, Correlation: "c1", Forward: http.Header{"X-Roles": {"a", "b"}}, Identity: &pipeline.Identity{Claims: pipeline.Claims{"oid": "o1"}}}, b.refused
}

// said is what a front reads.
type said struct {
	StatusCode        int
	StatusDescription string
	Headers           map[string]string
	MultiValueHeaders map[string][]string
	Cookies           []string
	Body              string
	IsBase64Encoded   bool
}

func invoke(t *testing.T, h *lambda.Handler, event string) (said, error) {
	t.Helper()
	if h.Limits == (lambda.Limits{}) {
		h.Limits = lambda.DefaultLimits()
	}
	out, err := h.Invoke(t.Context(), []byte(event))
	if err != nil {
		return said{}, err
	}
	text, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	var s said
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatalf("got %.300q: %v", text, err)
	}
	return s, nil
}

const (
	httpEvent = `{"version":"2.0","routeKey":"$default","rawPath":"/orders/a%20b","rawQueryString":"b=2&a=%31&flag","cookies":["s=1","t=2"],
		"headers":{"host":"api.example","accept":"a,b","x-forwarded-for":"1.1.1.1"},
		"requestContext":{"http":{"method":"POST","path":"/orders/a b","protocol":"HTTP/1.1","sourceIp":"192.0.2.7"},"requestId":"id1","stage":"$default"},
		"body":"aGkA","isBase64Encoded":true}`
	restEvent = `{"resource":"/{proxy+}","path":"/orders/42","httpMethod":"GET","headers":{"Host":"api.example","X-Two":"b"},"multiValueHeaders":{"Host":["api.example"],"X-Two":["a","b"]},
		"queryStringParameters":{"q":"z"},"multiValueQueryStringParameters":{"q":["a b","z"],"a":["&"]},
		"requestContext":{"identity":{"sourceIp":"192.0.2.8"},"requestId":"id2","stage":"prod"},"body":null,"isBase64Encoded":false}`
	albEvent = `{"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"GET","path":"/orders/42","queryStringParameters":{"q":"a%20b"},
		"headers":{"host":"api.example","x-forwarded-for":"1.1.1.1, 192.0.2.9","x-amzn-trace-id":"Root=1"},"body":"","isBase64Encoded":false}`
	albMultiEvent = `{"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"GET","path":"/orders/42","multiValueQueryStringParameters":{"q":["a%20b","2"]},
		"multiValueHeaders":{"host":["api.example"],"x-forwarded-for":["192.0.2.10"],"x-two":["a","b"]},"body":"","isBase64Encoded":false}`
)

func TestEachEventBecomesTheRequestThatTheFrontGot(t *testing.T) {
	for name, c := range map[string]struct{ event, method, target, client, body, id string }{
		"HTTP API":         {httpEvent, "POST", "/orders/a%20b?b=2&a=%31&flag", "192.0.2.7", "hi\x00", "id1"},
		"REST API":         {restEvent, "GET", "/orders/42?a=%26&q=a%20b&q=z", "192.0.2.8", "", "id2"},
		"ALB":              {albEvent, "GET", "/orders/42?q=a%20b", "192.0.2.9", "", "Root=1"},
		"ALB, multi-value": {albMultiEvent, "GET", "/orders/42?q=a%20b&q=2", "192.0.2.10", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := &behind{}
			if _, err := invoke(t, &lambda.Handler{Gateway: gateway}, c.event); err != nil || gateway.fault != nil {
				t.Fatal(err, gateway.fault)
			}
			r := gateway.asked
			if r.Method != c.method || r.RequestURI != c.target || r.Host != "api.example" || gateway.body != c.body || r.ContentLength != int64(len(c.body)) {
				t.Errorf("got %s %s of %s with %q (%d), want %s %s with %q", r.Method, r.RequestURI, r.Host, gateway.body, r.ContentLength, c.method, c.target, c.body)
			}
			if got := pipeline.Client(r.Context()); got != netip.MustParseAddr(c.client) || pipeline.Invocation(r.Context()) != c.id {
				t.Errorf("got client %s and id %q, want %s and %q", got, pipeline.Invocation(r.Context()), c.client, c.id)
			}
			if strings.Contains(name, "REST") || strings.Contains(name, "multi") {
				if two := r.Header["X-Two"]; len(two) != 2 {
					t.Errorf("got %q, want both lines", two)
				}
			}
			if name == "HTTP API" && r.Header.Get("Cookie") != "s=1; t=2" {
				t.Errorf("got Cookie %q, want both in one line", r.Header.Get("Cookie"))
			}
		})
	}
}
