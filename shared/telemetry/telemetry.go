// Package telemetry tells what the gateway does, as traces and metrics of
// OpenTelemetry. It is the only home of that: the gateway declares what it can be
// watched by, and knows nothing of who watches.
//
// Nothing is built without an address to export to. A process that can be frozen
// or killed between any two instructions exports on the request that finds a
// batch full or old, on the side; no request waits for a collector.
package telemetry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tollgate/shared/contract"
	"tollgate/shared/gateway"
)

// Options are what telemetry needs from the world. All but the exporters is required.
type Options struct {
	Now       func() time.Time
	Random    func() uint64
	Transport http.RoundTripper // carries exports
	Warn      func(string)      // told of an export that fails, once for each outage
	Build     string
	Instance  string // names this process: the counts of two must not be taken for one's

	// In place of OTLP, for tests.
	Traces  sdktrace.SpanExporter
	Metrics sdkmetric.Exporter
}

// Telemetry watches a gateway. It is safe for concurrent use.
type Telemetry struct {
	now     func() time.Time
	scheme  string
	noPath  bool // the contract keeps paths out of events, so they are kept out of spans
	names   names
	sampler sdktrace.Sampler // nil: no traces
	random  func() uint64
	what    *resource.Resource
	scope   instrumentation.Scope
	spans   *batches
	metrics *metrics // nil: none
}

var _ gateway.Observer = (*Telemetry)(nil)

// New does no network. It is nil where there is nothing to export to: then
// nothing is watched, and costs nothing.
func New(plan *contract.Plan, c Config, o Options) *Telemetry {
	if c.Traces != "" && o.Traces == nil {
		o.Traces = &spanExporter{sender: newSender(c, c.Traces, o.Transport)}
	}
	if c.Metrics != "" && o.Metrics == nil {
		o.Metrics = metricExporter{newSender(c, c.Metrics, o.Transport), c.Delta}
	}
	if o.Traces == nil && o.Metrics == nil {
		return nil
	}
	t := &Telemetry{now: o.Now, names: namesOf(plan), scheme: schemeOf(plan), noPath: omits(plan, "path"),
		random: o.Random, what: describe(plan, c, o), scope: instrumentation.Scope{Name: scope, Version: o.Build}}
	if o.Traces != nil {
		t.spans = newBatches(o.Traces, c.Timeout, o)
		if t.sampler = c.sampler; t.sampler == nil {
			t.sampler = sdktrace.ParentBased(sdktrace.AlwaysSample())
		}
	}
	if o.Metrics != nil {
		t.metrics = newMetrics(o.Metrics, c, t.what, plan, t.spans, o)
	}
	return t
}

// scope names who measures.
const scope = "tollgate"

// describe is what is watched (OpenTelemetry, "Resource semantic conventions").
func describe(plan *contract.Plan, c Config, o Options) *resource.Resource {
	attrs := []attribute.KeyValue{
		attribute.String("service.name", plan.Name), attribute.String("service.version", o.Build), attribute.String("service.instance.id", o.Instance),
		attribute.String("deployment.environment.name", plan.Environment), attribute.String("tollgate.contract.version", plan.Version),
		attribute.String("telemetry.sdk.name", "opentelemetry"), attribute.String("telemetry.sdk.language", "go"),
	}
	for name, value := range c.Resource { // what the variables say wins: an operator knows better
		attrs = append(attrs, attribute.String(name, value))
	}
	if c.Service != "" {
		attrs = append(attrs, attribute.String("service.name", c.Service))
	}
	return resource.NewSchemaless(attrs...)
}

// Flush exports what waits.
func (t *Telemetry) Flush(ctx context.Context) error {
	if t == nil {
		return nil
	}
	var faults []error
	if t.metrics != nil {
		faults = append(faults, t.metrics.flush(ctx))
	}
	if t.spans != nil {
		faults = append(faults, t.spans.flush(ctx))
	}
	return errors.Join(faults...)
}

// Close does, for the last time.
func (t *Telemetry) Close(ctx context.Context) error {
	err := t.Flush(ctx)
	if t != nil && t.spans != nil {
		t.spans.stop()
	}
	return err
}
