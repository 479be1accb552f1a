package forward

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"tollgate/shared/pipeline"
)

// W3C Trace Context, level 1.
const (
	maxTraceState   = 512 // §3.3.1.5: what must be passed on at least
	maxTraceMembers = 32  // §3.3.1.1
)

// addTrace tells the backend of the trace. A call that nobody has looked at yet is looked at now.
func addTrace(c *pipeline.Call, out http.Header) {
	if c.Trace.ID == "" {
		c.Trace = Trace(c.Request.Header, c.Correlation)
	}
	if c.Trace.State != "" {
		out["Tracestate"] = []string{c.Trace.State}
	}
	out["Traceparent"] = []string{c.Trace.Header(c.Trace.Span)}
}

// Trace is the trace that a request belongs to, the caller's or a new one, and
// this gateway's step in it. The ids come from the call's correlation id, which is
// 128 random bits: hashed, so that one doesn't tell the other, and nothing more is
// drawn. The caller's sampling flag passes; a new trace isn't sampled.
func Trace(in http.Header, correlation string) pipeline.Trace {
	sum := sha256.Sum256([]byte(correlation))
	var text [48]byte
	hex.Encode(text[:], sum[:24])
	t, continued := parseTraceparent(in["Traceparent"])
	if continued {
		t.State = traceState(in["Tracestate"])
	} else {
		t.ID = string(text[:32])
	}
	t.Span = string(text[32:])
	return t
}

// parseTraceparent reads version-traceid-parentid-flags (§3.2). A later version
// may go on after a dash, and is read by the four fields that are known (§4.3).
func parseTraceparent(lines []string) (t pipeline.Trace, ok bool) {
	const length = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(lines) != 1 || len(lines[0]) < length {
		return t, false
	}
	s := lines[0]
	version, trace, parent, flags := s[:2], s[3:35], s[36:52], s[53:55]
	if s[2] != '-' || s[35] != '-' || s[52] != '-' || !lowerHex(version) || !lowerHex(trace) || !lowerHex(parent) || !lowerHex(flags) {
		return t, false
	}
	longer := len(s) > length
	if version == "ff" || version == "00" && longer || longer && s[length] != '-' || zero(trace) || zero(parent) {
		return t, false
	}
	return pipeline.Trace{ID: trace, Parent: parent, Sampled: strings.IndexByte("13579bdf", flags[1]) >= 0}, true
}

func lowerHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func zero(s string) bool { return strings.Trim(s, "0") == "" }

// traceState joins its lines in order (§3.3.1). One that is too long, has too many
// members or isn't key=value text is dropped as a whole: a part could mislead.
func traceState(lines []string) string {
	state := strings.Join(lines, ",")
	if state == "" || len(state) > maxTraceState || strings.ContainsFunc(state, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return ""
	}
	members := 0
	for member := range strings.SplitSeq(state, ",") {
		if member = strings.Trim(member, " "); member == "" {
			continue // §3.3.1.1: empty members are allowed
		}
		if members++; members > maxTraceMembers || strings.IndexByte(member, '=') < 1 {
			return ""
		}
	}
	if members == 0 {
		return ""
	}
	return state
}
