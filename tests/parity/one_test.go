package parity_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"tollgate/localrun/lambda"
	"tollgate/tests/lab"
)

// kept is the bootstrap, built for the first test that needs it.
var kept struct {
	sync.Once
	dir string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if kept.dir != "" {
		_ = os.RemoveAll(kept.dir)
	}
	os.Exit(code)
}

func staged(t *testing.T) string {
	t.Helper()
	kept.Do(func() {
		dir, err := os.MkdirTemp("", "tollgate-bootstrap-")
		if err == nil {
			kept.dir = dir
			err = os.CopyFS(dir, os.DirFS(lab.StageLambda(t)))
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return kept.dir
}

// one is the bootstrap in one process, which must live as long as the test.
type one struct {
	*lambda.Lambda
	frozen atomic.Int64
}

func deployOne(t *testing.T, l *lab.Lab, kind lambda.Kind, adjust ...func(*lambda.Options)) *one {
	t.Helper()
	f := &one{}
	f.Lambda = l.Deployed(t, staged(t), kind, append(adjust, func(o *lambda.Options) {
		o.Concurrency = 1
		o.Events = func(e lambda.Event) {
			switch e.Kind {
			case lambda.EventFrozen:
				f.frozen.Add(1)
			case lambda.EventExited, lambda.EventKilled:
				if e.Detail != "the stand-in closes" {
					t.Errorf("the process %d is gone: %s", e.PID, e.Detail)
				}
			}
		}
	})...)
	return f
}

// settled does something that invokes the function once, and returns when the
// process is frozen again.
func (f *one) settled(t *testing.T, do func()) {
	t.Helper()
	do()
	if err := f.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// invoke hands an event to the process, and tells the status of its answer.
func (f *one) invoke(t *testing.T, event []byte) (status int, failed error) {
	t.Helper()
	f.settled(t, func() {
		reply, err := f.Invoke(t.Context(), fmt.Sprintf("00000000-0000-4000-8000-%012x", len(event)), event)
		if err != nil {
			failed = err
			return
		}
		text, err := io.ReadAll(reply.Body)
		var said struct{ StatusCode int }
		if err == nil {
			text, _, _ = bytes.Cut(text, []byte("\x00\x00\x00\x00\x00\x00\x00\x00"))
			err = json.Unmarshal(text, &said)
		}
		status, failed = said.StatusCode, errors.Join(err, reply.Body.Close())
	})
	return status, failed
}
