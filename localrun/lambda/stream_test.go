package lambda_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tollgate/localrun/lambda"
)

func TestAStreamArrivesChunkByChunk(t *testing.T) {
	s := stand(t, lambda.URLStream, "serve")
	wait := filepath.Join(t.TempDir(), "read-")
	resp, err := client.Get(s.URL() + "/x?do=stream&wait=" + wait)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated || resp.Header.Get("Content-Type") != "text/event-stream" || len(resp.Header.Values("Set-Cookie")) != 2 {
		t.Errorf("got %d %v, want what the prelude says", resp.StatusCode, resp.Header)
	}
	in := bufio.NewReader(resp.Body)
	for i := range 3 {
		// The function sends the next only when this one was read.
		line, err := in.ReadString('\n')
		if err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("got %q, %v", line, err)
		}
		if _, err := in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(wait+strconv.Itoa(i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if rest, err := io.ReadAll(in); len(rest) != 0 || err != nil {
		t.Errorf("got %q, %v, want the end", rest, err)
	}
}

func TestAStreamThatFailsBreaksOff(t *testing.T) {
	for _, do := range []string{"stream-fault", "stream-cut", "stream-long"} {
		t.Run(do, func(t *testing.T) {
			s := stand(t, lambda.URLStream, "serve", func(o *lambda.Options) { o.Limits.Stream = 1 << 10 })
			resp, err := client.Get(s.URL() + "/x?do=" + do)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err == nil || !strings.HasPrefix(string(body), "data: 0\n\n") {
				t.Errorf("got %.100q, %v, want the first events and a broken end", body, err)
			}
		})
	}
}

func TestAStreamOfAnotherTypeIsTheBodyAlone(t *testing.T) {
	s := stand(t, lambda.URLStream, "serve")
	if a := s.get(t, "do=stream-raw"); a.StatusCode != http.StatusOK || a.body != "data: 0\n\ndata: 1\n\ndata: 2\n\n" {
		t.Errorf("got %d %q, want 200 and the body", a.StatusCode, a.body)
	}
}

func TestABufferedFrontTakesNoStream(t *testing.T) {
	for _, kind := range []lambda.Kind{lambda.REST, lambda.ALB} {
		s := stand(t, kind, "serve")
		if a := s.get(t, "do=stream"); a.StatusCode != http.StatusBadGateway {
			t.Errorf("%s: got %d %q, want 502: the prelude isn't an answer", kind, a.StatusCode, a.body)
		}
	}
}

func TestAFunctionOutlivesACallerThatLeaves(t *testing.T) {
	s := stand(t, lambda.URLStream, "serve")
	wait := filepath.Join(t.TempDir(), "read-")
	resp, err := client.Get(s.URL() + "/x?do=stream&wait=" + wait)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close() // after the first event at the latest
	for i := range 3 {
		if err := os.WriteFile(wait+strconv.Itoa(i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.awaitLine(t, "posted 202")
	s.rest(t)
}
