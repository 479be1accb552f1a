package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

var (
	errChunked = errors.New("forward mode can't send a chunked body")
	errSwitch  = errors.New("forward mode can't switch protocols")
)

// forward rebuilds the request, with all that gets lost on the way, and buffers
// the answer: functions-host.md §2b.
func (h *Host) forward(ctx context.Context, c *call) error {
	out, err := h.rebuilt(ctx, c)
	if err != nil {
		return err
	}
	answer, err := h.transport.RoundTrip(out)
	if err != nil {
		return fmt.Errorf("send the request to the handler: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 {
		return errSwitch
	}
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("read the handler's answer: %w", err)
	}
	header := c.w.Header()
	for name, values := range answer.Header {
		if name != "Connection" && name != "Keep-Alive" { // Go's server speaks for its own connection
			header[name] = append(header[name], values...)
		}
	}
	if _, ok := header["Content-Type"]; !ok {
		header["Content-Type"] = nil // keeps Go from guessing one
	}
	c.w.WriteHeader(answer.StatusCode)
	if _, err := c.w.Write(content); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		return fmt.Errorf("write to the caller: %w", err)
	}
	return nil
}

func (h *Host) rebuilt(ctx context.Context, c *call) (*http.Request, error) {
	if c.r.ContentLength < 0 && h.options.Variants.ForwardChunkedFail {
		return nil, errChunked
	}
	content, err := h.wholeBody(c)
	if err != nil {
		return nil, err
	}
	path := absolutePath(c.target.path)
	if h.app.config.legacy { // §2.0: the httpWorker section forwards to the function's name
		path = "/" + c.fn.Name
	}
	out := &http.Request{
		Method: c.r.Method,
		URL:    wireURL(h.handler.address, path, rebuiltQuery(c.target.query)),
		Host:   c.host,
		Header: h.forwardHeaders(c),
	}
	if len(content) > 0 { // no Content-Length, no body: chunked ones are lost
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	}
	return out.WithContext(ctx), nil
}

// forwardHeaders copies all but .NET's content headers, of which only
// Content-Type comes back, with a body. The invocation headers are added behind
// what the caller sent: spoofable (functions-host.md §2b).
func (h *Host) forwardHeaders(c *call) http.Header {
	out := c.r.Header.Clone()
	kind, hasBody := out["Content-Type"], c.r.ContentLength > 0
	for _, name := range []string{
		"Allow", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location",
		"Content-Md5", "Content-Range", "Content-Type", "Expires", "Last-Modified",
	} {
		out.Del(name)
	}
	if hasBody && len(kind) > 0 {
		out["Content-Type"] = kind
	}
	h.introduce(out, c.id)
	return out
}

// introduce adds what the host says of itself in forward and JSON mode.
func (h *Host) introduce(out http.Header, id string) {
	out.Add("X-Azure-Functions-HostVersion", h.options.HostVersion)
	out.Add("X-Azure-Functions-InvocationId", id)
	agent := strings.Join(append(slices.Clone(out["User-Agent"]), "Azure-Functions-Host/"+h.options.HostVersion), " ")
	out.Set("User-Agent", agent)
}

// absolutePath is what .NET's Uri makes of a path that was decoded before:
// functions-host.md §2b. "?" and "#" end it, and %XX of a plain character is
// decoded a second time; %2F survives.
func absolutePath(decoded string) string {
	if end := strings.IndexAny(decoded, "?#"); end >= 0 {
		decoded = decoded[:end]
	}
	const kept = "-._~!$&'()*+,;=:@/[]"
	var out strings.Builder
	for i := 0; i < len(decoded); i++ {
		b, ok := percentByte(decoded, i)
		switch {
		case ok && plain(b):
			out.WriteByte(b)
			i += 2
		case ok:
			out.WriteString(decoded[i : i+3])
			i += 2
		case decoded[i] == '\\':
			out.WriteByte('/')
		default:
			out.WriteString(escape(decoded[i:i+1], kept))
		}
	}
	return resolveDots(out.String())
}

// plain tells whether a character means the same encoded and not (RFC 3986 §2.3).
func plain(b byte) bool {
	return b < 0x80 && escape(string(rune(b)), "-._~") == string(rune(b))
}

// rebuiltQuery parses the query into a dictionary and writes it again:
// functions-host.md §2b. Names merge without case, values join with a comma.
func rebuiltQuery(raw string) string {
	var out []string
	for _, q := range parseQuery(raw) {
		out = append(out, escape(q.name, "-._~")+"="+escape(strings.Join(q.values, ","), "-._~"))
	}
	if len(out) == 0 {
		return ""
	}
	return "?" + strings.Join(out, "&")
}

// queryItem is one entry of ASP.NET Core's query dictionary.
type queryItem struct {
	name   string
	values []string
}

func parseQuery(raw string) []queryItem {
	var items []queryItem
	for pair := range strings.SplitSeq(strings.TrimPrefix(raw, "?"), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescapeQuery(name), unescapeQuery(value)
		at := slices.IndexFunc(items, func(q queryItem) bool { return strings.EqualFold(q.name, name) })
		if at < 0 {
			items = append(items, queryItem{name: name})
			at = len(items) - 1
		}
		items[at].values = append(items[at].values, value)
	}
	return items
}

// unescapeQuery leaves what isn't valid encoding as it stands.
func unescapeQuery(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return strings.ReplaceAll(text, "+", " ")
}
