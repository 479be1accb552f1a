package gateway

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/shared/wire/wiretest"
)

// A client may send a part of its body and wait for an answer before it sends
// more. net/http, left alone, reads up to 256 KB more before it lets an answer
// begin: such a client waits in vain, and holds a connection for as long as it likes.

// answeredNow: the client, which sends nothing more, has the status within moments.
func answeredNow(t *testing.T, server *wiretest.Server, head string, status int) {
	t.Helper()
	conn := dial(t, server, head)
	_ = conn.SetReadDeadline(time.Now().Add(3 * time.Second))
	resp, err := http.ReadResponse(conn.in, nil)
	if err != nil {
		_ = conn.Close() // lets the gateway go
		t.Fatalf("got no answer while the upload pauses (%v), want %d", err, status)
	}
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != status || err != nil || len(body) == 0 {
		t.Errorf("got %s with %d bytes (%v), want %d and its problem document", resp.Status, len(body), err, status)
	}
}

// E104: with Expect or without.
func TestE104ARefusedCallersBodyIsNotWaitedFor(t *testing.T) {
	s := newStand(t, echo())
	server := s.serve(t)
	for name, head := range map[string]string{
		"Expect":        "Expect: 100-continue\r\nContent-Length: 10485760\r\n\r\n",
		"with a length": "Content-Length: 1000\r\n\r\nhello",
		"chunked":       "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			answeredNow(t, server, "POST /orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer e30.e30.e30\r\n"+head, 401)
		})
	}
}

func TestARefusalOfTheDeliveryDoesntWaitForTheBody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	_ = l.Close()
	hangsUp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 5)
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	}))
	t.Cleanup(hangsUp.Close)
	for name, c := range map[string]struct {
		address string
		chunk   string
		status  int
	}{
		"a backend that can't be reached": {nobody, "5\r\nhello\r\n", 502},
		"a body over the cap":             {hangsUp.URL, "401\r\n" + strings.Repeat("x", 0x401) + "\r\n", 413},
	} {
		t.Run(name, func(t *testing.T) {
			answeredNow(t, to(t, c.address).serve(t), "POST /quick/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+c.chunk, c.status)
		})
	}
}
