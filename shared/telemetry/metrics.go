package telemetry

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

// seconds are the bounds that the specification gives for durations of HTTP.
var seconds = [...]float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// maxSeries bounds each instrument once more: the names bound it already.
const maxSeries = 4000

// metrics counts, and exports as batches does: on the call that finds that it is time.
type metrics struct {
	to        sdkmetric.Exporter
	reader    *sdkmetric.ManualReader
	o         Options
	names     names
	timeout   time.Duration
	interval  time.Duration
	next      atomic.Int64  // when to export, in nanoseconds since 1970
	turn      chan struct{} // held by whoever exports
	pause     pause         // whoever has the turn reads and writes it
	scheme    string
	server    metric.Float64Histogram
	client    metric.Float64Histogram
	store     metric.Float64Histogram
	decisions metric.Int64Counter
	sets      sets
	headroom  headroom
	state     atomic.Pointer[source]
}

// known are the instruments there are, each with the attributes it may have; a
// test holds what is exported to it. Whatever else anyone measures is dropped. A
// filter of attributes would be asked at each measurement, and find nothing.
func known() map[string][]attribute.Key {
	return map[string][]attribute.Key{
		"http.server.request.duration":     {"http.request.method", "url.scheme", "http.route", "http.response.status_code", "error.type"},
		"http.client.request.duration":     {"http.request.method", "server.address", "server.port", "http.response.status_code", "error.type"},
		"tollgate.store.request.duration":  {"http.request.method", "http.response.status_code", "error.type"},
		"tollgate.decisions":               {"tollgate.api", "tollgate.operation", "tollgate.code"},
		"tollgate.keyset.age":              {"tollgate.issuer"},
		"tollgate.revocation.age":          {},
		"tollgate.token.cache":             {"tollgate.result"},
		"tollgate.limit.headroom":          {"tollgate.limit"},
		"tollgate.audit.lost":              {"tollgate.outlet"},
		"tollgate.audit.oldest":            {"tollgate.outlet"},
		"tollgate.telemetry.spans.dropped": {},
	}
}

func views() []sdkmetric.View {
	drop := sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}}
	all := known()
	return []sdkmetric.View{func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
		_, ok := all[i.Name]
		if !ok {
			return drop, true
		}
		s := sdkmetric.Stream{Name: i.Name, Description: i.Description, Unit: i.Unit}
		if i.Kind == sdkmetric.InstrumentKindHistogram {
			s.Aggregation = sdkmetric.AggregationExplicitBucketHistogram{Boundaries: seconds[:]}
		}
		return s, true
	}}
}

func newMetrics(to sdkmetric.Exporter, c Config, what *resource.Resource, plan *contract.Plan, spans *batches, o Options) *metrics {
	m := &metrics{
		to: to, o: o, names: namesOf(plan), timeout: c.Timeout, interval: c.Interval, turn: make(chan struct{}, 1), scheme: schemeOf(plan),
		reader: sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(to.Temporality)), headroom: headroomOf(plan),
	}
	if m.timeout == 0 {
		m.timeout = 10 * time.Second
	}
	if m.interval == 0 {
		m.interval = time.Minute
	}
	m.next.Store(o.Now().Add(m.interval).UnixNano())
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithResource(what), sdkmetric.WithReader(m.reader), sdkmetric.WithView(views()...),
		sdkmetric.WithCardinalityLimit(maxSeries), sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter)).Meter(scope, metric.WithInstrumentationVersion(o.Build))
	// The names are well-formed, which is all that these can fail of.
	m.server, _ = meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"), metric.WithDescription("Duration of HTTP server requests."))
	m.client, _ = meter.Float64Histogram("http.client.request.duration", metric.WithUnit("s"), metric.WithDescription("Duration of HTTP client requests."))
	m.store, _ = meter.Float64Histogram("tollgate.store.request.duration", metric.WithUnit("s"), metric.WithDescription("Duration of requests to the tables."))
	m.decisions, _ = meter.Int64Counter("tollgate.decisions", metric.WithUnit("{decision}"), metric.WithDescription("Calls decided, by their reason."))
	m.gauges(meter, spans)
	return m
}

// ended counts one call, and exports if it is time.
func (m *metrics) ended(w *watch, e *audit.Event) {
	ctx := context.Background() // nothing of the request's is read from it
	route := m.names.route(e.API, e.Operation)
	api, operation := e.API, e.Operation
	if route == "" {
		api, operation = "", ""
	}
	status, code := statusOf(e.Status), m.names.code(e.Code)
	m.server.Record(ctx, e.Duration.Seconds(), m.sets.of(series{"server", methodOf(e.Method), route, status, w.errorOf(e), 0}, func(s series) []attribute.KeyValue {
		attrs := []attribute.KeyValue{attribute.String("http.request.method", s.a), attribute.String("url.scheme", m.scheme)}
		return outcome(optional(attrs, "http.route", s.b), s)
	}))
	m.decisions.Add(ctx, 1, m.sets.of(series{"decisions", api, operation, 0, code, 0}, func(s series) []attribute.KeyValue {
		return []attribute.KeyValue{attribute.String("tollgate.api", orOther(s.a)), attribute.String("tollgate.operation", orOther(s.b)), attribute.String("tollgate.code", s.kind)}
	}))
	for _, l := range e.Limits {
		m.headroom.saw(l.Name, l.Left)
	}
	if e.Time.Add(e.Duration).UnixNano() >= m.next.Load() {
		m.start()
	}
}

// asked measures one request to a backend.
func (m *metrics) asked(t try, took time.Duration) {
	key := series{"client", t.method, t.host, statusOf(t.status), t.failed, t.port}
	m.client.Record(context.Background(), took.Seconds(), m.sets.of(key, func(s series) []attribute.KeyValue {
		return outcome([]attribute.KeyValue{attribute.String("http.request.method", s.a), attribute.String("server.address", s.b), attribute.Int("server.port", s.port)}, s)
	}))
}

func statusIn(resp *http.Response) int {
	if resp == nil {
		return 0
	}
	return statusOf(resp.StatusCode)
}

func outcome(attrs []attribute.KeyValue, s series) []attribute.KeyValue {
	if s.status != 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", s.status))
	}
	return optional(attrs, "error.type", s.kind)
}

func optional(attrs []attribute.KeyValue, key, value string) []attribute.KeyValue {
	if value == "" {
		return attrs
	}
	return append(attrs, attribute.String(key, strings.Clone(value)))
}

func orOther(name string) string {
	if name == "" {
		return otherName
	}
	return name
}

// start exports on the side, unless somebody does.
func (m *metrics) start() {
	select {
	case m.turn <- struct{}{}:
		go func() {
			defer func() { <-m.turn }()
			_ = m.export(context.Background())
		}()
	default:
	}
}

func (m *metrics) flush(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
		return m.export(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// export tells where all counts stand. One that fails isn't tried again before
// the next is due: that one tells the same and more, but for counts since the
// last one (delta), which are lost.
func (m *metrics) export(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	m.next.Store(m.o.Now().Add(m.interval).UnixNano())
	var all metricdata.ResourceMetrics
	err := m.reader.Collect(ctx, &all)
	if err == nil {
		err = m.to.Export(ctx, &all)
	}
	now := m.o.Now()
	m.pause.after(err, now)
	m.next.Store(max(now.Add(m.interval).UnixNano(), m.pause.until.UnixNano()))
	if text := m.pause.news("metrics", err, 0); text != "" {
		m.o.Warn(text)
	}
	return err
}
