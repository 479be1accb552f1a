package azure_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/adapter/azure"
	"tollgate/shared/wire/wiretest"
)

func TestStoppingLetsCallsUnderWayFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		l, ended := started(ctx, func(w http.ResponseWriter, r *http.Request) {
			<-time.After(4 * time.Second) // of the bubble's time: less than the grace
			if r.Context().Err() != nil {
				t.Error("got a cancelled call, want it left alone")
			}
			_, _ = io.WriteString(w, "whole")
		})
		conn, began := dial(t, l), time.Now()
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
		synctest.Wait()
		stop()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "whole" || err != nil {
			t.Errorf("got %q (%v), want the whole answer", body, err)
		}
		if err := <-ended; err != nil || time.Since(began) > 5*time.Second {
			t.Errorf("got %v after %s, want no error soon after the last call", err, time.Since(began))
		}
	})
}

// A stream outlives any grace. Being told to stop is no failure to start: the
// exit code must be that of a stop (functions-host.md §1.3).
func TestStoppingWhileAStreamRunsIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		release := make(chan struct{})
		l, ended := started(ctx, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "data: 1\n\n")
			_ = http.NewResponseController(w).Flush()
			<-release
		})
		conn := dial(t, l)
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		_, _ = io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
		synctest.Wait()
		began := time.Now()
		stop()
		err := <-ended
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("got it ended after %s, want within seconds: SIGKILL follows", took)
		}
		if err != nil {
			t.Errorf("got %v, want none: the stop was asked for", err)
		}
		close(release)
		conn.Close()
		synctest.Wait()
	})
}

func TestSlowHeadersAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		l, ended := started(ctx, func(http.ResponseWriter, *http.Request) { t.Error("got a call, want none") })
		conn, began := dial(t, l), time.Now()
		_, _ = io.WriteString(conn, "GET /x HTTP/1.1\r\nHos")
		_, err := io.Copy(io.Discard, conn)
		if took := time.Since(began); err != nil || took > 30*time.Second {
			t.Errorf("got the connection closed after %s (%v), want within seconds", took, err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestAListenerThatFailsIsAnError(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop() // lets Serve's own goroutine go
	if err := (azure.Server{Gateway: serving{http.NotFound}, Now: time.Now}).Serve(ctx, broken{wiretest.NewMemory()}); err == nil || !strings.Contains(err.Error(), "no more files") {
		t.Errorf("got %v, want the listener's error", err)
	}
}

type broken struct{ net.Listener }

func (broken) Accept() (net.Conn, error) { return nil, errors.New("no more files") }
