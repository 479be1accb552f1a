package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// answered is what a function says an HTTP answer is; each kind reads its part of it.
type answered struct {
	Status            *int                `json:"statusCode"`
	StatusDescription string              `json:"statusDescription"`
	Headers           map[string]scalar   `json:"headers"`
	MultiValueHeaders map[string][]scalar `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              *string             `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// scalar is a header's value; numbers and booleans are taken for their text.
type scalar string

// UnmarshalJSON takes a string, a number or a boolean.
func (s *scalar) UnmarshalJSON(raw []byte) error {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		*s = scalar(v)
	case float64, bool:
		*s = scalar(raw)
	default:
		return fmt.Errorf("a header's value is %s", raw)
	}
	return nil
}

// answer turns what the function said into HTTP.
func (f *Front) answer(w http.ResponseWriter, reply *Reply) {
	if f.Kind == URLStream {
		f.stream(w, reply)
		return
	}
	// Of a streamed answer the other kinds get the bytes, prelude and all, when they are whole.
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		f.fail(w, err)
		return
	}
	a, body, err := f.parse(text)
	if err != nil {
		f.fail(w, err)
		return
	}
	f.head(w, a)
	_, _ = w.Write(body) // the caller may be gone
}

// malformed is an answer that isn't one for this kind.
func malformed(text []byte, why string) error {
	if len(text) > 200 {
		text = text[:200]
	}
	return &Failure{Type: "Malformed", Message: fmt.Sprintf("the function answered %q: %s", text, why)}
}

// parse reads a buffered answer.
func (f *Front) parse(text []byte) (a answered, body []byte, err error) {
	err = json.Unmarshal(text, &a)
	infers := f.Kind == HTTP || f.Kind == URL
	if infers && json.Valid(text) && a.Status == nil { // HTTP API: the format is inferred
		status := http.StatusOK
		var plain string
		if json.Unmarshal(text, &plain) == nil {
			text = []byte(plain)
		}
		return answered{Status: &status, Headers: map[string]scalar{"Content-Type": "application/json"}}, text, nil
	}
	switch {
	case err != nil:
		return a, nil, malformed(text, err.Error())
	case a.Status == nil:
		return a, nil, malformed(text, "it has no statusCode")
	case *a.Status < 200 || *a.Status > 599:
		return a, nil, malformed(text, "its statusCode is none")
	case a.Body == nil:
		return a, nil, nil
	}
	body = []byte(*a.Body)
	if a.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(*a.Body); err != nil {
			return a, nil, malformed(text, "its body isn't base64")
		}
	}
	if f.Kind.balancer() && int64(len(text)) > f.Limits.Body { // ALB: 1 MB of JSON
		return a, nil, malformed(nil, "it is above the load balancer's limit")
	}
	return a, body, nil
}

// remappedAnswer come out under another name, as WWW-Authenticate does at REST
// APIs (notes) and at function URLs (seen by many, documented nowhere). HTTP
// APIs and load balancers hand them on.
var remappedAnswer = []string{"Authorization", "Connection", "Content-Md5", "Date", "Expect", "Host", "Max-Forwards", "Proxy-Authenticate", "Server", "User-Agent", "Via", "Www-Authenticate"}

// ended are those of the connection, and the length, which the services write themselves.
var ended = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"}

// head writes an answer's headers and status.
func (f *Front) head(w http.ResponseWriter, a answered) {
	h := w.Header()
	h["Content-Type"] = nil // net/http would guess one
	if f.Kind == REST && a.Body != nil && *a.Body != "" {
		h.Set("Content-Type", "application/json") // REST: what an answer without one has
	}
	f.copyHeaders(h, a)
	for _, name := range ended {
		h.Del(name)
	}
	if !f.Kind.balancer() {
		h["X-Amzn-Requestid"] = []string{newID()}
	}
	w.WriteHeader(*a.Status)
}

func (f *Front) copyHeaders(h http.Header, a answered) {
	if f.Kind != ALBMulti { // ALB: with multi-value headers the other map is not looked at
		said := map[string]bool{}
		for _, spelt := range slices.Sorted(maps.Keys(a.Headers)) {
			// Two spellings of a name are two members, and two lines.
			name := f.named(spelt)
			if !said[name] {
				h.Del(name) // the service's own word gives way
			}
			said[name] = true
			h[name] = append(h[name], string(a.Headers[spelt]))
		}
	}
	if f.Kind == REST || f.Kind == ALBMulti { // REST: of a name in both, these count
		for name, values := range a.MultiValueHeaders {
			name = f.named(name)
			h[name] = nil
			for _, v := range values {
				h[name] = append(h[name], string(v))
			}
		}
	}
	if f.Kind == HTTP || f.Kind == URL || f.Kind == URLStream {
		for _, cookie := range a.Cookies {
			h.Add("Set-Cookie", cookie)
		}
	}
}

// named is the name under which a header of an answer comes out.
func (f *Front) named(name string) string {
	name = http.CanonicalHeaderKey(name)
	if (f.Kind == REST || f.Kind == URL || f.Kind == URLStream) && slices.Contains(remappedAnswer, name) {
		return "X-Amzn-Remapped-" + name
	}
	return name
}

// refuse answers what never becomes an invocation.
func (f *Front) refuse(w http.ResponseWriter, status int) {
	message := map[int]string{
		http.StatusRequestEntityTooLarge: "Request Too Long", http.StatusForbidden: "Missing Authentication Token", http.StatusNotFound: "Not Found",
	}[status]
	if message == "" {
		message = http.StatusText(status)
	}
	f.say(w, status, message)
}

func (f *Front) methodStatus() int {
	switch f.Kind {
	case REST: // a method that the API lacks
		return http.StatusForbidden
	case HTTP:
		return http.StatusNotFound
	case ALB, ALBMulti:
		return http.StatusMethodNotAllowed // ALB's troubleshooting: TRACE
	default:
		return http.StatusBadRequest
	}
}

// fail answers for a function that didn't. What was wrong with it is nobody's business outside.
func (f *Front) fail(w http.ResponseWriter, err error) {
	status := map[Kind]int{HTTP: http.StatusInternalServerError}[f.Kind]
	if status == 0 {
		status = http.StatusBadGateway
	}
	message := "Internal server error"
	if f.Kind != REST {
		message = "Internal Server Error"
	}
	switch late := errors.Is(err, errFront); {
	case late && f.Kind == REST:
		status, message = http.StatusGatewayTimeout, "Endpoint request timed out"
	case late && f.Kind == HTTP:
		status, message = http.StatusServiceUnavailable, "Service Unavailable"
	case errors.Is(err, errThrottled) && f.Kind == HTTP:
		status, message = http.StatusServiceUnavailable, "Service Unavailable"
	case errors.Is(err, errThrottled) && strings.HasPrefix(string(f.Kind), "url"):
		status, message = http.StatusTooManyRequests, "Too Many Requests"
	case errors.Is(err, errTooLarge):
		status, message = http.StatusRequestEntityTooLarge, "Request Too Long"
	}
	f.say(w, status, message)
}

// say is a service's own answer, in its words.
func (f *Front) say(w http.ResponseWriter, status int, message string) {
	switch f.Kind {
	case URL, URLStream:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amzn-ErrorType", "StandIn")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"Message":"`+message+`"}`)
	case ALB, ALBMulti:
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Server", "awselb/2.0")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<html><head><title>%d %s</title></head><body></body></html>\r\n", status, http.StatusText(status))
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"message":"`+message+`"}`)
	}
}
