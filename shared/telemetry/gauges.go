package telemetry

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"tollgate/shared/gateway"
)

// source is what the gateway knows of its parts, without asking anyone.
type source func() gateway.State

// Follow has the gauges tell this state.
func (t *Telemetry) Follow(state func() gateway.State) {
	if t != nil && t.metrics != nil {
		s := source(state)
		t.metrics.state.Store(&s)
	}
}

// gauges are read when they are exported.
func (m *metrics) gauges(meter metric.Meter, spans *batches) {
	age, _ := meter.Float64ObservableGauge("tollgate.keyset.age", metric.WithUnit("s"), metric.WithDescription("Age of an issuer's key set."))
	revoked, _ := meter.Float64ObservableGauge("tollgate.revocation.age", metric.WithUnit("s"), metric.WithDescription("Age of the list of revocations."))
	cache, _ := meter.Int64ObservableCounter("tollgate.token.cache", metric.WithUnit("{lookup}"), metric.WithDescription("Look-ups of tokens that were verified before."))
	left, _ := meter.Int64ObservableGauge("tollgate.limit.headroom", metric.WithUnit("{unit}"), metric.WithDescription("The least that a limit had left to any caller since the last export."))
	lost, _ := meter.Int64ObservableCounter("tollgate.audit.lost", metric.WithUnit("{event}"), metric.WithDescription("Audit events that could not be written."))
	oldest, _ := meter.Float64ObservableGauge("tollgate.audit.oldest", metric.WithUnit("s"), metric.WithDescription("Age of the oldest audit event that waits."))
	dropped, _ := meter.Int64ObservableCounter("tollgate.telemetry.spans.dropped", metric.WithUnit("{span}"), metric.WithDescription("Spans that were never exported."))
	_, _ = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error { // the instruments are this meter's
		for name, l := range m.headroom {
			if n := l.left.Swap(none); n != none {
				o.ObserveInt64(left, n, named("tollgate.limit", name))
			}
		}
		if spans != nil {
			o.ObserveInt64(dropped, spans.dropped.Load())
		}
		state := m.state.Load()
		if state == nil {
			return nil
		}
		now := (*state)()
		for _, k := range now.KeySets {
			if k.Known {
				o.ObserveFloat64(age, k.Age.Seconds(), named("tollgate.issuer", k.Issuer))
			}
		}
		if now.Revocation != nil && now.Revocation.Known {
			o.ObserveFloat64(revoked, now.Revocation.Age.Seconds())
		}
		o.ObserveInt64(cache, now.CacheHits, named("tollgate.result", "hit"))
		o.ObserveInt64(cache, now.CacheMisses, named("tollgate.result", "miss"))
		for _, s := range now.Sinks {
			o.ObserveInt64(lost, s.Lost, named("tollgate.outlet", s.Name))
			o.ObserveFloat64(oldest, s.Oldest.Seconds(), named("tollgate.outlet", s.Name))
		}
		return nil
	}, age, revoked, cache, left, lost, oldest, dropped)
}

func named(key, value string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String(key, value))
}

// Store measures each request to the tables.
func (t *Telemetry) Store(next http.RoundTripper) http.RoundTripper {
	if t == nil || t.metrics == nil {
		return next
	}
	return measured{t.metrics, next}
}

type measured struct {
	*metrics
	next http.RoundTripper
}

func (s measured) RoundTrip(r *http.Request) (*http.Response, error) {
	began := s.o.Now()
	resp, err := s.next.RoundTrip(r)
	took := s.o.Now().Sub(began)
	kind := ""
	if err != nil {
		kind = failure(r.Context(), resp, err)
	}
	s.store.Record(context.Background(), max(took, time.Duration(0)).Seconds(), s.sets.of(series{"store", methodOf(r.Method), "", statusIn(resp), kind, 0}, func(s series) []attribute.KeyValue {
		return outcome([]attribute.KeyValue{attribute.String("http.request.method", s.a)}, s)
	}))
	return resp, err
}
