package boot

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"

	"tollgate/shared/audit"
	"tollgate/shared/audit/ingest"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
)

// outlets are where events go besides standard output.
type outlets []*audit.Batches

// addOutlets adds what the environment names. It does no network.
func (o Outside) addOutlets(p *gateway.Parts, plan *contract.Plan, lines *audit.Lines) outlets {
	said := plan.Audit
	if said.Logs == nil && said.EventHub == nil {
		return nil
	}
	transport := o.transport()
	near := o.transport() // see newBackends
	near.Proxy = nil
	o.Now = p.Now
	identity := o.identity(transport, near)
	sender := ingest.Sender{Tokens: identity, Identity: said.Identity, Transport: transport}
	var own outlets
	add := func(name string, atOnce int, send ingest.Send) {
		own = append(own, audit.NewBatches(audit.BatchOptions{Name: name, Send: send, Now: p.Now, Report: p.Report, AtOnce: atOnce}))
	}
	if l := said.Logs; l != nil {
		add("Azure Monitor", ingest.LogsAtOnce, sender.Logs(*l))
	}
	if h := said.EventHub; h != nil {
		add("Event Hubs", ingest.EventHubAtOnce, sender.EventHub(*h))
	}
	every := []audit.Outlet{lines}
	for _, b := range own {
		every = append(every, b)
	}
	p.Events = audit.All(every...)
	return own
}

// flush sends what waits.
func (all outlets) flush(ctx context.Context) (err error) {
	for _, b := range all {
		err = errors.Join(err, b.Flush(ctx))
	}
	return err
}

// close does, and counts as lost what can't be sent.
func (all outlets) close(ctx context.Context) {
	var closing sync.WaitGroup
	for _, b := range all {
		closing.Go(func() { b.Close(ctx) }) // one that hangs leaves the others their time
	}
	closing.Wait()
}

// reporter tells operators, in one line each, with the names of the call if it is
// one's. What was lost of the events stands in their stream too, for whoever
// counts them.
func reporter(log *slog.Logger) func(error) {
	return func(err error) {
		var of []any
		if f, ok := errors.AsType[*gateway.Fault](err); ok {
			of = []any{"correlation", f.Correlation, "trace_id", f.Trace, "span_id", f.Span}
		}
		log.Error(err.Error(), of...)
		for _, loss := range lossesIn(err) {
			said := []any{"outlet", loss.Outlet, "lost", loss.Since, "total", loss.Total}
			if loss.Over {
				said = append(said, "over", true)
			}
			log.Info("audit_loss", said...)
		}
	}
}

// lossesIn are all of an error: several outlets may tell of theirs at once.
func lossesIn(err error) []*audit.Loss {
	switch e := err.(type) {
	case *audit.Loss:
		return []*audit.Loss{e}
	case interface{ Unwrap() []error }:
		var out []*audit.Loss
		for _, one := range e.Unwrap() {
			out = append(out, lossesIn(one)...)
		}
		return out
	case interface{ Unwrap() error }:
		return lossesIn(e.Unwrap())
	}
	return nil
}

// build is this program's version: of its module, or else of the commit.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "devel"
}
