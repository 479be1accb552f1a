package host

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

var errNoResult = errors.New("the handler answered without a result")

// document is what JSON mode posts: functions-host.md §2a.
type document struct {
	Data     map[string]any
	Metadata map[string]any
}

// result is what the handler must answer.
type result struct {
	Outputs     map[string]json.RawMessage
	ReturnValue json.RawMessage
	Logs        []string
}

// post runs an http function in JSON mode: the request goes as an object, the
// http output becomes the answer.
func (h *Host) post(ctx context.Context, c *call, life *life) error {
	content, err := h.wholeBody(c)
	if err != nil {
		return err
	}
	request := h.requestObject(c, content)
	got, err := h.exchange(ctx, c.fn, c.id, request, life)
	if err != nil {
		return err
	}
	answer, err := httpOutput(c.fn, got)
	if err != nil {
		return err
	}
	return answer.write(c.w)
}

func (h *Host) requestObject(c *call, content []byte) map[string]any {
	query := map[string]string{}
	for _, q := range parseQuery(c.target.query) {
		query[q.name] = strings.Join(q.values, ",")
	}
	headers := map[string][]string{"Host": {c.host}}
	for name, values := range c.r.Header {
		headers[name] = values
	}
	object := map[string]any{
		// The path in Url is the decoded one.
		"Url":        c.scheme + "://" + c.host + c.target.path + c.target.query,
		"Method":     c.r.Method,
		"Query":      query,
		"Headers":    headers,
		"Params":     c.params,
		"Identities": []any{map[string]any{"AuthenticationType": nil, "IsAuthenticated": false, "Name": nil, "Claims": []any{}}},
	}
	if len(content) > 0 { // only with a Content-Length above 0
		object["Body"] = bodyValue(c.r.Header.Get("Content-Type"), content)
	}
	return object
}

// bodyValue is base64 for octet streams and multipart, else the text.
func bodyValue(contentType string, content []byte) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err == nil && (kind == "application/octet-stream" || strings.HasPrefix(kind, "multipart/")) {
		return base64.StdEncoding.EncodeToString(content)
	}
	return strings.ToValidUTF8(string(content), "\uFFFD")
}

// exchange posts one invocation to /<FunctionName> and reads its result.
func (h *Host) exchange(ctx context.Context, f *Function, id string, data any, life *life) (*result, error) {
	content, err := json.Marshal(document{
		Data: map[string]any{f.binding: data},
		Metadata: map[string]any{"sys": map[string]any{
			"MethodName": f.Name,
			"UtcNow":     h.options.Now().UTC().Format(time.RFC3339Nano),
			"RandGuid":   newID(),
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("write the invocation of %s: %w", f.Name, err)
	}
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.handler.address+"/"+f.Name, bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("address %s: %w", f.Name, err)
	}
	out.Header.Set("Content-Type", "application/json")
	h.introduce(out.Header, id)
	answer, err := h.jsonClient().Do(out)
	if err != nil {
		return nil, fmt.Errorf("post to the handler: %w", err)
	}
	defer answer.Body.Close()
	got, err := readResult(answer)
	if errors.Is(err, errNoResult) {
		return nil, h.hang(ctx, life)
	}
	if err == nil {
		for _, text := range got.Logs {
			h.report.line(Line{Level: Information, Text: text})
		}
	}
	return got, err
}

// hang is the trap of functions-host.md §5: an empty answer or null never
// completes the invocation, which ends with functionTimeout or the handler.
func (h *Host) hang(ctx context.Context, life *life) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-life.process.Gone():
		return errFaulted
	}
}

// jsonClient follows redirects unless the app forwards (functions-host.md §2a).
func (h *Host) jsonClient() *http.Client {
	client := &http.Client{Transport: h.transport}
	if h.app.config.forwarding {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return client
}

func readResult(answer *http.Response) (*result, error) {
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return nil, fmt.Errorf("the handler answered %s, want 2xx", answer.Status)
	}
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("read the handler's answer: %w", err)
	}
	if answer.ContentLength == 0 { // whatever its media type
		return nil, errNoResult
	}
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != "text/json" && !strings.HasSuffix(kind, "+json") {
		return nil, fmt.Errorf("the handler answered with Content-Type %q, want application/json", answer.Header.Get("Content-Type"))
	}
	var got *result
	if len(content) == 0 {
		return nil, errNoResult
	}
	if err := json.Unmarshal(content, &got); err != nil {
		return nil, fmt.Errorf(`the handler's answer: %w: want {"Outputs":{},"ReturnValue":null,"Logs":[]}`, err)
	}
	if got == nil { // the literal null
		return nil, errNoResult
	}
	return got, nil
}
