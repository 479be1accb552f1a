package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// metricExporter exports metrics by OTLP over HTTP.
type metricExporter struct {
	*sender
	delta bool
}

var _ sdkmetric.Exporter = metricExporter{}

// Temporality is the specification's for each preference: what goes up and down
// is never told as a change.
func (x metricExporter) Temporality(kind sdkmetric.InstrumentKind) metricdata.Temporality {
	switch kind {
	case sdkmetric.InstrumentKindCounter, sdkmetric.InstrumentKindHistogram, sdkmetric.InstrumentKindObservableCounter:
		if x.delta {
			return metricdata.DeltaTemporality
		}
	}
	return metricdata.CumulativeTemporality
}

func (x metricExporter) Aggregation(kind sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(kind)
}

// Export sends all at once.
func (x metricExporter) Export(ctx context.Context, all *metricdata.ResourceMetrics) error {
	e := &encoder{json: x.json, out: make([]byte, 0, 16<<10)}
	e.metrics(all)
	return x.send(ctx, e.out)
}

func (metricExporter) ForceFlush(context.Context) error { return nil }
func (metricExporter) Shutdown(context.Context) error   { return nil }

// metrics is an ExportMetricsServiceRequest.
func (e *encoder) metrics(all *metricdata.ResourceMetrics) {
	e.begin()
	e.list("resourceMetrics")
	e.open(1, "")
	e.resource(all.Resource)
	e.list("scopeMetrics")
	for _, s := range all.ScopeMetrics {
		e.open(2, "")
		e.scope(s.Scope)
		e.list("metrics")
		for _, m := range s.Metrics {
			e.metric(m)
		}
		e.endList()
		e.close()
	}
	e.endList()
	e.close()
	e.endList()
	e.end()
}

func (e *encoder) metric(m metricdata.Metrics) {
	e.open(2, "")
	e.text(1, "name", m.Name)
	e.text(2, "description", m.Description)
	e.text(3, "unit", m.Unit)
	switch data := m.Data.(type) { // the kinds of instruments that there are here
	case metricdata.Gauge[int64]:
		e.open(5, "gauge")
		points(e, data.DataPoints)
		e.close()
	case metricdata.Gauge[float64]:
		e.open(5, "gauge")
		points(e, data.DataPoints)
		e.close()
	case metricdata.Sum[int64]:
		e.open(7, "sum")
		points(e, data.DataPoints)
		e.enum(2, "aggregationTemporality", temporality(data.Temporality))
		e.bool(3, "isMonotonic", data.IsMonotonic)
		e.close()
	case metricdata.Histogram[float64]:
		e.open(9, "histogram")
		e.list("dataPoints")
		for _, p := range data.DataPoints {
			e.histogram(p)
		}
		e.endList()
		e.enum(2, "aggregationTemporality", temporality(data.Temporality))
		e.close()
	}
	e.close()
}

// temporality as OTLP numbers it: 1 delta, 2 cumulative.
func temporality(t metricdata.Temporality) int {
	if t == metricdata.DeltaTemporality {
		return 1
	}
	return 2
}

func points[N int64 | float64](e *encoder, all []metricdata.DataPoint[N]) {
	e.list("dataPoints")
	for _, p := range all {
		e.open(1, "")
		e.set(7, p.Attributes)
		if !p.StartTime.IsZero() {
			e.fixed(2, "startTimeUnixNano", nano(p.StartTime))
		}
		e.fixed(3, "timeUnixNano", nano(p.Time))
		switch v := any(p.Value).(type) {
		case int64:
			e.fixed64(6, "asInt", v)
		case float64:
			e.double(4, "asDouble", v)
		}
		e.close()
	}
	e.endList()
}

// fixed64 is an sfixed64.
func (e *encoder) fixed64(field int, name string, n int64) {
	if e.json {
		e.integer(field, name, n)
		return
	}
	e.fixed(field, name, uint64(n))
}

func (e *encoder) histogram(p metricdata.HistogramDataPoint[float64]) {
	e.open(1, "")
	e.set(9, p.Attributes)
	e.fixed(2, "startTimeUnixNano", nano(p.StartTime))
	e.fixed(3, "timeUnixNano", nano(p.Time))
	e.fixed(4, "count", p.Count)
	e.double(5, "sum", p.Sum)
	e.counts(6, "bucketCounts", p.BucketCounts)
	e.bounds(7, "explicitBounds", p.Bounds)
	if low, ok := p.Min.Value(); ok {
		e.double(11, "min", low)
	}
	if high, ok := p.Max.Value(); ok {
		e.double(12, "max", high)
	}
	e.close()
}

func (e *encoder) set(field int, s attribute.Set) { e.attributes(field, s.ToSlice()) }
