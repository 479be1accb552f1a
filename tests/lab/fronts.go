package lab

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	standin "tollgate/localrun/lambda"
	"tollgate/shared/adapter/azure"
	"tollgate/shared/adapter/lambda"
	"tollgate/shared/boot"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
)

// Bare is a gateway of this lab in this process, on a socket with nothing before it.
func (l *Lab) Bare(t testing.TB) (url string) {
	t.Helper()
	front, err := azure.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, front, l.compile(t, l.Local.Plan))
	return "http://" + front.Addr().String()
}

func (l *Lab) compile(t testing.TB, plan *contract.Plan) *gateway.Gateway {
	parts := l.outside(nil).Parts(lines{l}, io.Discard)
	parts.Report = func(err error) { t.Error(err) }
	return gateway.Compile(plan, parts)
}

// Adapted is a gateway of this lab in this process behind the stand-in for one
// of AWS's fronts: the adapter without the process.
func (l *Lab) Adapted(t testing.TB, kind standin.Kind, v standin.Variants) (url string) {
	t.Helper()
	f := l.Front(t, kind)
	f.Variants = v
	front := httptest.NewUnstartedServer(f)
	front.Config.DisableGeneralOptionsHandler = true // as the stand-in has it
	front.Start()
	t.Cleanup(front.Close)
	return front.URL
}

// Front is the same as a handler, for calls from any address.
func (l *Lab) Front(t testing.TB, kind standin.Kind) *standin.Front {
	t.Helper()
	plan := *l.Local.Plan
	if plan.ClientAddress.Source == contract.SourceHost { // as boot does for a function of Lambda's
		plan.ClientAddress.Source = contract.SourceEvent
	}
	h := &lambda.Handler{
		Gateway: l.compile(t, &plan), Limits: lambda.DefaultLimits(), Stream: kind == standin.URLStream,
		Report: func(err error) { t.Error(err) },
	}
	return standin.NewFront(kind, InProcessInvoke(h))
}

// InProcessInvoke hands events to the adapter as the runtime loop does.
func InProcessInvoke(h *lambda.Handler) standin.Invoke {
	return func(ctx context.Context, _ string, event []byte) (*standin.Reply, error) {
		ctx, stop := context.WithTimeout(ctx, time.Minute)
		answer, err := h.Invoke(ctx, event)
		if err != nil {
			stop()
			return nil, &standin.Failure{Type: "errorString", Message: err.Error()}
		}
		kind := "application/json"
		if typed, ok := answer.(interface{ ContentType() string }); ok {
			kind = typed.ContentType()
		}
		return &standin.Reply{Streamed: h.Stream, Type: kind, Body: ending{answer, stop}}, nil
	}
}

// ending ends an invocation's time with its answer.
type ending struct {
	io.ReadCloser
	stop func()
}

func (e ending) Close() error {
	defer e.stop()
	return e.ReadCloser.Close()
}

// Deployed is the bootstrap of dir under the stand-in for Lambda, with this lab around it.
func (l *Lab) Deployed(t testing.TB, dir string, kind standin.Kind, adjust ...func(*standin.Options)) *standin.Lambda {
	t.Helper()
	o := standin.Options{
		Bootstrap: filepath.Join(dir, "bootstrap"), Kind: kind, Settings: l.onLambda(),
		Budgets: standin.Budgets{Function: 30 * time.Second},
		Log: func(line standin.Line) {
			if _, err := (lines{l}).Write([]byte(line.Text)); err != nil {
				t.Error(err)
			}
		},
	}
	if kind == standin.URLStream {
		o.Settings[boot.Stream] = "true"
	}
	for _, a := range adjust {
		a(&o)
	}
	f, err := standin.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := f.Ready(ctx); err != nil {
		t.Fatal(fmt.Errorf("%s behind %s: %w", os.Args[0], kind, err))
	}
	return f
}
