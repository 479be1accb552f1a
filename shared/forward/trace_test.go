package forward

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tollgate/shared/pipeline"
)

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	inbound = "00-" + traceID + "-00f067aa0ba902b7-01"
)

// traced is what the backend hears of these header lines.
func traced(correlation string, parent, state []string) (string, []string) {
	in, out := http.Header{}, http.Header{}
	if parent != nil {
		in["Traceparent"] = parent
	}
	if state != nil {
		in["Tracestate"] = state
	}
	addTrace(&pipeline.Call{Request: &http.Request{Header: in}, Correlation: correlation}, out)
	return out.Get("Traceparent"), out["Tracestate"]
}

func TestAValidTraceIsContinuedWithAStepOfOurOwn(t *testing.T) {
	for parent, flags := range map[string]string{
		inbound:                                                  "01",
		"00-" + traceID + "-00f067aa0ba902b7-00":                 "00",
		"00-" + traceID + "-00f067aa0ba902b7-ff":                 "01", // only the sampled bit has a meaning
		"00-" + traceID + "-00f067aa0ba902b7-02":                 "00",
		"cc-" + traceID + "-00f067aa0ba902b7-01":                 "01", // §4.3: a later version
		"01-" + traceID + "-00f067aa0ba902b7-01-what-is-to-come": "01",
	} {
		got, state := traced("c-1", []string{parent}, []string{"a=1", "b=2"})
		if !strings.HasPrefix(got, "00-"+traceID+"-") || !strings.HasSuffix(got, "-"+flags) || strings.Contains(got, "00f067aa0ba902b7") {
			t.Errorf("%s: got %s, want the trace continued by another parent, with flags %s", parent, got, flags)
		}
		if len(state) != 1 || state[0] != "a=1,b=2" {
			t.Errorf("%s: got the state %q, want its lines joined in order", parent, state)
		}
	}
}

func TestAnInvalidTraceIsBegunAnew(t *testing.T) {
	for name, lines := range map[string][]string{
		"none": nil, "two": {inbound, inbound}, "empty": {""},
		"upper case":       {strings.ToUpper(inbound)},
		"version ff":       {"ff" + inbound[2:]},
		"version 00, more": {inbound + "-x"},
		"later, no dash":   {"01" + inbound[2:] + "x"},
		"zero trace":       {"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01"},
		"zero parent":      {"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01"},
		"short":            {inbound[:54]}, "not hex": {strings.Replace(inbound, "4bf9", "4bg9", 1)},
		"a space before": {" " + inbound}, "other dashes": {strings.ReplaceAll(inbound, "-", "_")},
	} {
		got, state := traced("c-1", lines, []string{"a=1"})
		if strings.Contains(got, traceID) || !strings.HasSuffix(got, "-00") || state != nil {
			t.Errorf("%s: got %s and the state %q, want a new trace, not sampled, without state", name, got, state)
		}
	}
}

func TestTwoCallsHaveTwoTraces(t *testing.T) {
	a, _ := traced("c-1", nil, nil)
	b, _ := traced("c-2", nil, nil)
	again, _ := traced("c-1", nil, nil)
	if a == b || a != again {
		t.Errorf("got %s, %s and %s, want one trace for each call", a, b, again)
	}
	one, _ := traced("c-1", []string{inbound}, nil)
	other, _ := traced("c-2", []string{inbound}, nil)
	if one == other {
		t.Errorf("got %s twice, want another parent for each call", one)
	}
}

func TestAStateThatCanNotBeKeptWholeIsDropped(t *testing.T) {
	members := func(n int) string { return strings.TrimSuffix(strings.Repeat("a=1,", n), ",") }
	for state, kept := range map[string]bool{
		"a=1": true, "a=1,,b=2": true, members(32): true, members(33): false, "a=" + strings.Repeat("x", 510): true, "a=" + strings.Repeat("x", 511): false,
		"": false, ",": false, "a": false, "=1": false, "a=1\tb": false, "a=\x7f": false, "a=é": false,
	} {
		got, out := traced("c-1", []string{inbound}, []string{state})
		if (out != nil) != kept || !strings.Contains(got, traceID) {
			t.Errorf("%q: got %q, want it kept: %v, and the trace continued", state, out, kept)
		}
	}
}

// The W3C's own grammar of version 00, written anew.
var grammar = regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]$`)

// Whatever comes in, what goes out is valid; it continues the inbound trace if
// and only if a strict reader takes that for one.
func FuzzTraceparent(f *testing.F) {
	f.Add(inbound, "a=1,b=2", "c-1")
	f.Add("01-"+traceID+"-00f067aa0ba902b7-01-x", "a", "")
	f.Add("ff-"+traceID+"-00f067aa0ba902b7-01", ",,,", "x")
	f.Add("00-"+strings.Repeat("0", 32)+"-00f067aa0ba902b7-01", strings.Repeat("a=1,", 40), "c")
	known := regexp.MustCompile(`^(?:00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}|(?:0[1-9a-f]|[1-9a-e][0-9a-f]|f[0-9a-e])-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-(?s:.*))?)$`)
	f.Fuzz(func(t *testing.T, parent, state, correlation string) {
		got, kept := traced(correlation, []string{parent}, []string{state})
		out := grammar.FindStringSubmatch(got)
		if out == nil || zero(out[1]) || zero(out[2]) {
			t.Fatalf("got %q, want a valid traceparent", got)
		}
		want := ""
		if m := known.FindStringSubmatch(parent); m != nil && !zero(m[1]+m[3]) && !zero(m[2]+m[4]) {
			want = m[1] + m[3]
		}
		if (out[1] == want) != (want != "") || want == "" && kept != nil {
			t.Errorf("%q, %q: got %q and the state %q, want the trace %q", parent, state, got, kept, want)
		}
		if kept != nil && (len(kept) != 1 || len(kept[0]) > 512 || strings.Count(kept[0], "=") < 1) {
			t.Errorf("got the state %q, want one line of at most 512 characters", kept)
		}
	})
}

func BenchmarkTrace(b *testing.B) {
	in := http.Header{"Traceparent": {inbound}, "Tracestate": {"a=1"}}
	b.ReportAllocs()
	for b.Loop() {
		addTrace(&pipeline.Call{Request: &http.Request{Header: in}, Correlation: "0123456789abcdef0123456789abcdef"}, http.Header{})
	}
}
