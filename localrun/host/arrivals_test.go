package host

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// copies remembers what was read.
type copies struct {
	io.ReadCloser
	to *bytes.Buffer
}

func (c copies) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.to.Write(p[:n])
	return n, err
}

func TestArrivalsAreToldByTheNameThatTheHandlerGets(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var name, target string
	var header http.Header
	body := &bytes.Buffer{}
	h, _ := ready(t, proxyApp(), func(o *Options) {
		o.Arrivals = func(invocation string, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			name, target, header = invocation, r.RequestURI, r.Header.Clone()
			r.Body = copies{r.Body, body}
		}
	})
	got := echoed(t, raw(t, h, strings.TrimSuffix(request("POST", "/a%2Fb?c=1", "X-Forwarded-For: mine", "Content-Length: 5"), "\r\n")+"\r\nhello"))
	mu.Lock()
	defer mu.Unlock()
	if got.Header.Get("X-Azure-Functions-InvocationId") != name || name == "" {
		t.Errorf("got %q told and %v at the handler, want the same name", name, got.Header)
	}
	if target != "/a%2Fb?c=1" || header.Get("X-Forwarded-For") != "mine" || body.String() != "hello" {
		t.Errorf("got %q, %v and %q, want them as they were sent", target, header, body)
	}
}
