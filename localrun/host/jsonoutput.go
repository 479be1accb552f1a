package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// httpAnswer is what the handler put into a function's http output.
type httpAnswer struct {
	StatusCode any
	Status     any
	Body       json.RawMessage
	Headers    map[string]any
}

// httpOutput finds the http output (functions-host.md §2a). A missing one is an
// empty 200.
func httpOutput(f *Function, got *result) (*httpAnswer, error) {
	value := got.Outputs[f.output]
	if f.output == "$return" {
		value = got.ReturnValue
		if !isObject(value) {
			return &httpAnswer{Body: value}, nil
		}
	}
	if f.output == "" || len(value) == 0 || bytes.Equal(value, []byte("null")) {
		return &httpAnswer{}, nil
	}
	// The object may come as text that holds it.
	var text string
	if json.Unmarshal(value, &text) == nil {
		value = json.RawMessage(text)
	}
	var answer httpAnswer
	if err := json.Unmarshal(value, &answer); err != nil {
		return nil, fmt.Errorf("the http output %s: %w: want an object with statusCode, headers and body", f.output, err)
	}
	return &answer, nil
}

func isObject(value json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimSpace(value), []byte("{"))
}

func (a *httpAnswer) write(w *response) error {
	status, err := a.status()
	if err != nil {
		return err
	}
	body, kind := a.content()
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	for name, value := range a.Headers { // one value per name
		w.Header().Set(name, fmt.Sprint(value))
	}
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		return fmt.Errorf("write to the caller: %w", err)
	}
	return nil
}

// status reads statusCode, else status: a string, or a number that .NET's reader
// turns into one.
func (a *httpAnswer) status() (int, error) {
	value := a.StatusCode
	if value == nil {
		value = a.Status
	}
	if value == nil {
		return http.StatusOK, nil
	}
	status, err := strconv.Atoi(fmt.Sprint(value))
	if err != nil || status < 200 || status > 999 {
		return 0, fmt.Errorf("the http output has the status %v, want one from 200 to 999", value)
	}
	return status, nil
}

// content is the body: text as it is, anything else as JSON.
func (a *httpAnswer) content() (body []byte, contentType string) {
	if len(a.Body) == 0 || bytes.Equal(a.Body, []byte("null")) {
		return nil, ""
	}
	var text string
	if json.Unmarshal(a.Body, &text) == nil {
		return []byte(text), "text/plain; charset=utf-8"
	}
	return a.Body, "application/json; charset=utf-8"
}
