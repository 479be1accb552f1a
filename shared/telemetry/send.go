package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds what is read of a collector's answer.
const maxAnswer = 64 << 10

// sender posts to one address.
type sender struct {
	address    string
	header     http.Header
	json, gzip bool
	client     *http.Client
}

func newSender(c Config, address string, transport http.RoundTripper) *sender {
	s := &sender{address: address, header: c.Header.Clone(), json: c.JSON, gzip: c.Gzip, client: &http.Client{
		Transport: transport,
		// A redirect could lead the headers, which hold a key, to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if s.header == nil {
		s.header = http.Header{}
	}
	s.header.Set("Content-Type", "application/x-protobuf")
	if s.json {
		s.header.Set("Content-Type", "application/json")
	}
	if s.gzip {
		s.header.Set("Content-Encoding", "gzip")
	}
	return s
}

// send posts once. Its error is an *again where trying later may help: nothing
// answered, or what the specification calls retryable ("OTLP/HTTP Response").
func (s *sender) send(ctx context.Context, body []byte) error {
	if s.gzip {
		body = zipped(body)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address can't be used")
	}
	r.Header = s.header.Clone()
	resp, err := s.client.Do(r)
	if err != nil {
		return &again{cause: fmt.Errorf("no answer from the collector: %w", err)}
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // so that the connection can be used again
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		if s.json && bytes.Contains(answer, []byte("partialSuccess")) && rejected(answer) {
			return errors.New("the collector rejected a part of a batch")
		}
		return nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		wait, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return &again{time.Duration(min(max(wait, 0), 600)) * time.Second, fmt.Errorf("the collector answered with status %d", resp.StatusCode)}
	}
	return fmt.Errorf("the collector answered with status %d", resp.StatusCode)
}

// rejected: an empty partialSuccess, or one that only warns, is a success.
func rejected(answer []byte) bool {
	text := strings.ReplaceAll(string(answer), " ", "")
	for _, what := range []string{`"rejectedSpans":`, `"rejectedDataPoints":`} {
		if _, after, ok := strings.Cut(text, what); ok && !strings.HasPrefix(strings.TrimPrefix(after, `"`), "0") {
			return true
		}
	}
	return false
}

func zipped(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(body) // into memory
	_ = w.Close()
	return out.Bytes()
}
