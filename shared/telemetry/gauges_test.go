package telemetry

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"tollgate/shared/contract"
)

func TestHeadroomIsTheLeastSinceItWasTold(t *testing.T) {
	h := headroomOf(&contract.Plan{Products: []contract.PlannedProduct{{Limits: []contract.PlannedLimit{{Name: "daily"}}}}})
	for _, left := range []int64{7, 3, 9} {
		h.saw("daily", left)
		h.saw("of no contract", left)
	}
	if len(h) != 1 || h["daily"].left.Load() != 3 {
		t.Errorf("got %d limits and %d left, want one and 3", len(h), h["daily"].left.Load())
	}
	h["daily"].left.Store(none)
	h.saw("daily", -1)
	if h["daily"].left.Load() != 0 {
		t.Error("a limit that is used up has nothing left")
	}
}

func TestRequestsToTheTablesAreMeasured(t *testing.T) {
	sink := newSink(t)
	stand := newStand(t, exporting(t, sink), Options{Transport: &http.Transport{DisableKeepAlives: true}}, answering(200))
	for _, next := range []transport{answering(204), answering(412), func(*http.Request) (*http.Response, error) { return nil, errors.New("down") }} {
		r, _ := http.NewRequestWithContext(t.Context(), "PUT", "https://x.table.core.windows.net/limits(PartitionKey='secret')", nil)
		_, _ = stand.telemetry.Store(next).RoundTrip(r)
	}
	if err := stand.telemetry.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(sink.metrics["tollgate.store.request.duration"].GetHistogram().GetDataPoints()); n != 3 {
		t.Errorf("got %d series, want one for each outcome", n)
	}
}

func TestAgesAreTold(t *testing.T) {
	sink, at := newSink(t), &clock{}
	stand := newStand(t, exporting(t, sink), Options{Transport: &http.Transport{DisableKeepAlives: true}, Now: at.now}, answering(200))
	token := bearer(t)
	for range 3 {
		stand.ask(t, "GET", "/orders/1", "Authorization: "+token)
	}
	at.pass(time.Minute)
	if err := stand.telemetry.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	age := sink.metrics["tollgate.keyset.age"].GetGauge().GetDataPoints()[0]
	if age.GetAsDouble() < 60 || age.GetAsDouble() > 90 || said(age.Attributes, "tollgate.issuer") == "" {
		t.Errorf("got %v, want a minute", age)
	}
	cache := map[string]int64{}
	for _, p := range sink.metrics["tollgate.token.cache"].GetSum().GetDataPoints() {
		cache[said(p.Attributes, "tollgate.result")] = p.GetAsInt()
	}
	if cache["hit"] == 0 || cache["miss"] == 0 {
		t.Errorf("got %v", cache)
	}
}
