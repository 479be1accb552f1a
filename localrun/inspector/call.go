package inspector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"tollgate/localrun/target"
	"tollgate/shared/contract"
	"tollgate/shared/forward"
)

const (
	sendTime   = 30 * time.Second // until the answer begins
	restTime   = 3 * time.Second  // until it ends: a stream is cut there
	shownBytes = 64 << 10
)

// answer is what the gateway said to a request of the form.
type answer struct {
	Status string
	Code   int
	Fields []field
	Body   string
	Cut    string // why it isn't whole
	Took   time.Duration
	Number int // of the request in the list; 0: its event didn't come
}

// transports are headers that belong to a connection, and not to what is said on it.
func transports() []string {
	return []string{"Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}
}

// call sends the draft to the gateway, and to nowhere else.
func (in *Inspector) call(asked context.Context, d draft) (*answer, error) {
	ctx, stop := context.WithTimeout(asked, sendTime)
	defer stop()
	req, err := in.prepare(ctx, d)
	if err != nil {
		return nil, err
	}
	began := in.options.Now()
	resp, err := in.carry.RoundTrip(req) // no redirects followed: what the gateway said is shown
	if err != nil {
		return nil, fmt.Errorf("the gateway didn't answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	a := &answer{Status: resp.Status, Code: resp.StatusCode, Fields: in.fields(resp.Header)}
	cut := time.AfterFunc(restTime, stop)
	defer cut.Stop()
	text, err := io.ReadAll(io.LimitReader(resp.Body, shownBytes+1))
	switch {
	case err != nil:
		a.Cut = "It goes on, or broke off; what came in the first seconds is shown."
	case len(text) > shownBytes:
		text, a.Cut = text[:shownBytes], "It is longer; its beginning is shown."
	}
	a.Took, a.Body = in.options.Now().Sub(began), readable(resp.Header.Get("Content-Type"), text)
	if one := in.await(asked, resp.Header.Get(forward.CorrelationHeader)); one != nil {
		a.Number = one.number
	}
	return a, nil
}

func readable(kind string, text []byte) string {
	var pretty bytes.Buffer
	if strings.Contains(kind, "json") && json.Indent(&pretty, text, "", "  ") == nil {
		text = pretty.Bytes()
	}
	return scrubbed(string(text))
}

// prepare makes the request, with a fresh token if there is to be one.
func (in *Inspector) prepare(ctx context.Context, d draft) (*http.Request, error) {
	if !strings.HasPrefix(d.Path, "/") || strings.ContainsFunc(d.Path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, errors.New("the path begins with / and has no spaces")
	}
	req, err := http.NewRequestWithContext(ctx, d.Method, in.options.Gateway, strings.NewReader(d.Body))
	if err != nil {
		return nil, err
	}
	if err := target.Set(req, d.Path); err != nil {
		return nil, err
	}
	if d.Body == "" {
		req.Body, req.ContentLength = nil, 0
	}
	if err := lay(req, d.Headers); err != nil {
		return nil, err
	}
	if d.Key != "" {
		req.Header.Set(in.keyHeader(d), d.Key)
	}
	if d.Who != "token" {
		return req, nil
	}
	raw, err := in.mint(ctx, d)
	if err == nil {
		req.Header.Set("Authorization", "Bearer "+raw)
	}
	return req, err
}

// lay puts typed headers into the request. Those of the connection are this side's.
func lay(req *http.Request, typed string) error {
	for line := range strings.Lines(typed) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || name == "": // what else is wrong with it, the transport says
			return errors.New("a header is not in the form Name: value")
		case strings.EqualFold(name, "Host"):
			req.Host = value
		case slices.Contains(transports(), http.CanonicalHeaderKey(name)):
			return fmt.Errorf("%s belongs to the connection and can't be set here", name)
		default:
			req.Header.Add(name, value)
		}
	}
	return nil
}

func (in *Inspector) mint(ctx context.Context, d draft) (string, error) {
	t, err := d.token()
	if err != nil {
		return "", errors.New("the lifetime is a duration, such as 75m or -1h")
	}
	if t.API == "" {
		if a := in.apiAt(d.Path); a != nil {
			t.API = a.Name
		}
	}
	if t.API == "" {
		return "", errors.New("no API has this path: choose one for the token, or send none")
	}
	return in.options.Mint(ctx, t)
}

// keyHeader is where the API of the path looks for keys.
func (in *Inspector) keyHeader(d draft) string {
	if a := in.apiAt(d.Path); a != nil {
		return a.Keys.Header
	}
	return contract.DefaultKeyHeader
}

func (in *Inspector) apiAt(path string) *contract.PlannedAPI {
	for i, api := range in.options.Plan.APIs {
		below := ""
		for _, s := range api.Segments {
			below += "/" + s.Literal
		}
		if path == below || strings.HasPrefix(path, below+"/") || strings.HasPrefix(path, below+"?") {
			return &in.options.Plan.APIs[i]
		}
	}
	return nil
}
