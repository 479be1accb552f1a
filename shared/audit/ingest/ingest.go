// Package ingest sends events to Azure Monitor (the Logs Ingestion API) and to
// Event Hubs, with a token of the gateway's managed identity.
//
// No error of this package holds what a server wrote: a status is all that is told.
package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/sdk"
)

// The most bytes of events in one request. Azure Monitor takes 1 MB. Event Hubs
// takes 1 MB too, but 256 KB in the Basic tier, and each event grows when it is
// put into a text.
const (
	LogsAtOnce     = 900_000
	EventHubAtOnce = 180_000
)

// Sender is how requests are made.
type Sender struct {
	Tokens    sdk.Tokens
	Identity  string // client id of the managed identity; "" for the system-assigned
	Transport http.RoundTripper
}

// Send hands one batch over; see audit.BatchOptions.
type Send = func(ctx context.Context, lines [][]byte) error

// Logs sends to a stream of a data collection rule. The stream's columns are the
// event's own attributes.
func (s Sender) Logs(to contract.LogsSink) Send {
	address := to.Endpoint + "/dataCollectionRules/" + to.Rule + "/streams/" + to.Stream + "?api-version=2023-01-01"
	return func(ctx context.Context, lines [][]byte) error {
		var body bytes.Buffer
		for i, line := range lines {
			body.WriteByte("[,"[min(i, 1)])
			body.Write(line)
		}
		body.WriteByte(']')
		return s.post(ctx, address, "https://monitor.azure.com/.default", "application/json", &body)
	}
}

// EventHub sends to an event hub, each event as one message.
func (s Sender) EventHub(to contract.EventHub) Send {
	address := to.Namespace + "/" + to.Name + "/messages?api-version=2014-01&timeout=10"
	return func(ctx context.Context, lines [][]byte) error {
		var body bytes.Buffer
		for i, line := range lines {
			body.WriteByte("[,"[min(i, 1)])
			body.WriteString(`{"Body":"`)
			for _, c := range line { // printable ASCII: nothing else needs escaping
				if c == '"' || c == '\\' {
					body.WriteByte('\\')
				}
				body.WriteByte(c)
			}
			body.WriteString(`"}`)
		}
		body.WriteByte(']')
		return s.post(ctx, address, "https://eventhubs.azure.net/.default", "application/vnd.microsoft.servicebus.json", &body)
	}
}

func (s Sender) post(ctx context.Context, address, scope, kind string, body *bytes.Buffer) error {
	token, err := s.Tokens.Token(ctx, s.Identity, scope)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return errors.New("it is not an address")
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", kind)
	resp, err := s.Transport.RoundTrip(r) // and no redirect: it could carry the token elsewhere
	if err != nil {
		return plainly(ctx, err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	return verdict(resp)
}

// verdict says what a status means for the batch.
func verdict(resp *http.Response) error {
	err := fmt.Errorf("it answered %d", resp.StatusCode)
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w: %w", audit.ErrTooLarge, err)
	case code == http.StatusBadRequest:
		return fmt.Errorf("%w: %w", audit.ErrNever, err)
	}
	// Also 401, 403 and 404: a role or a rule that somebody may still put right.
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // a date, or none: our own wait
	return &audit.Again{Wait: time.Duration(max(seconds, 0)) * time.Second, Cause: err}
}

// plainly tells the network's own errors, and of others only that there was one.
func plainly(ctx context.Context, err error) error {
	if own, ok := errors.AsType[*net.OpError](err); ok {
		return own
	}
	if own, ok := errors.AsType[*net.DNSError](err); ok {
		return own
	}
	if ctx.Err() != nil {
		return errors.New("it didn't answer in time")
	}
	return errors.New("the connection failed, or what came back is not HTTP")
}
