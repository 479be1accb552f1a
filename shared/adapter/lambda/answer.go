package lambda

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tollgate/shared/pipeline"
)

// answer is what the gateway says, before it is known how it goes out.
type answer struct {
	front  front
	head   bool // of a HEAD request: no content
	header http.Header
	said   http.Header // the header as it was when the answer began; nil: it hasn't
	status int
	most   int64 // bytes of content
	count  int64
}

func newAnswer(f front, method string, most int64) answer {
	return answer{front: f, head: method == http.MethodHead, header: http.Header{}, most: most}
}

func (a *answer) Header() http.Header { return a.header }

// WriteHeader takes the header as it is now. A status from 100 to 199 has no way out.
func (a *answer) WriteHeader(status int) {
	if a.said != nil || 100 <= status && status < 200 {
		return
	}
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("status %d doesn't exist", status))
	}
	a.status, a.said = status, a.header.Clone()
}

// begin is before the first content. It tells whether there may be any.
func (a *answer) begin(n int) error {
	if a.said == nil {
		a.WriteHeader(http.StatusOK)
	}
	declared, err := strconv.ParseInt(a.said.Get("Content-Length"), 10, 64)
	switch {
	case a.status == http.StatusNoContent || a.status == http.StatusNotModified:
		return http.ErrBodyNotAllowed
	case a.head:
		return nil
	case err == nil && declared > a.most || a.count+int64(n) > a.most:
		return pipeline.ErrAnswerTooLarge
	}
	a.count += int64(n)
	return nil
}

func (a *answer) retract() {
	clear(a.header)
	a.said, a.status, a.count = nil, 0, 0
}

// prelude is the answer without its content, as a front reads it.
type prelude struct {
	StatusCode        int                 `json:"statusCode"`
	StatusDescription string              `json:"statusDescription,omitempty"`
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Cookies           []string            `json:"cookies,omitempty"`
}

// payload is a whole answer.
type payload struct {
	prelude
	Body            string `json:"body"`
	IsBase64Encoded bool   `json:"isBase64Encoded"`
}

func (a *answer) prelude() prelude {
	if a.said == nil {
		a.WriteHeader(http.StatusOK)
	}
	p := prelude{StatusCode: a.status}
	if a.front == alb || a.front == albMulti {
		p.StatusDescription = strings.TrimSpace(strconv.Itoa(a.status) + " " + http.StatusText(a.status))
	}
	multi := a.front == restAPI || a.front == albMulti
	for name, values := range a.said {
		switch {
		case a.framing(name) || len(values) == 0 || strings.HasPrefix(name, http.TrailerPrefix):
		case multi:
			if p.MultiValueHeaders == nil {
				p.MultiValueHeaders = map[string][]string{}
			}
			p.MultiValueHeaders[name] = values
		case name == "Set-Cookie" && a.front == httpAPI:
			p.Cookies = values
		default:
			if p.Headers == nil {
				p.Headers = map[string]string{}
			}
			single(p.Headers, name, values)
		}
	}
	return p
}

// framing: headers that the front end writes itself. Of a HEAD's answer the
// length is the only thing that tells how much there would be.
func (a *answer) framing(name string) bool {
	switch name {
	case "Content-Length":
		return !a.head && a.status != http.StatusNotModified
	case "Transfer-Encoding", "Connection", "Keep-Alive", "Trailer":
		return true
	}
	return false
}

// single puts several lines of one name into one (RFC 9110 §5.3). Cookies can't
// be joined: each gets a spelling of its own, which is the same name to a browser.
func single(to map[string]string, name string, values []string) {
	if name != "Set-Cookie" {
		to[name] = strings.Join(values, ", ")
		return
	}
	for i, v := range values {
		to[spelt(name, i)] = v
	}
}

// spelt is the i-th spelling of a name: the bits of i say which letters change case.
func spelt(name string, i int) string {
	out := []byte(name)
	for at, c := range out {
		if c == '-' {
			continue
		}
		if i&1 == 1 {
			out[at] ^= 0x20
		}
		i >>= 1
	}
	return string(out)
}
