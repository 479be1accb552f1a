package pipeline

// Trace is where a call stands in its W3C trace context.
type Trace struct {
	ID      string // the caller's trace, or a new one; "" where nobody has looked yet
	Span    string // this gateway's step in it
	Parent  string // the caller's step; "" where the trace begins here
	State   string // tracestate, as the caller sent it; "" for none, or one that can't be kept whole
	Sampled bool   // whoever comes after should record it
}

// Header is the traceparent by which span is named to whoever comes next. Version
// 00 is what this gateway writes, whatever the caller's was (§4.3).
func (t Trace) Header(span string) string {
	flags := "-00"
	if t.Sampled {
		flags = "-01"
	}
	return "00-" + t.ID + "-" + span + flags
}
