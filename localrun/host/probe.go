package host

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// probe asks for url until anything answers. functions-host.md §1.2: every
// status counts, and so does an error that isn't a refused connection; a server
// that accepts and stays silent holds the probe until ctx ends.
func probe(ctx context.Context, transport http.RoundTripper, url string, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if answered(ctx, transport, url) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func answered(ctx context.Context, transport http.RoundTripper, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	r.Header.Set("User-Agent", "") // .NET's HttpClient sends none
	response, err := transport.RoundTrip(r)
	if err == nil {
		return response.Body.Close() == nil
	}
	var socket *net.OpError
	refused := errors.As(err, &socket) && socket.Op == "dial"
	return !refused && ctx.Err() == nil
}
