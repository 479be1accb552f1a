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

// addTrace continues the caller's trace with a step of our own, or begins one.
// The ids come from the call's correlation id, which is 128 random bits: hashed,
// so that one doesn't tell the other, and nothing more is drawn.
func addTrace(c *pipeline.Call, out http.Header) {
	in := c.Request.Header
	trace, span, continued, sampled := Trace(in, c.Correlation)
	c.Trace, c.Span = trace, span
	flags := "00"
	if sampled {
		flags = "01"
	}
	if continued {
		if state, ok := traceState(in["Tracestate"]); ok {
			out["Tracestate"] = []string{state}
		}
	}
	out["Traceparent"] = []string{"00-" + trace + "-" + span + "-" + flags}
}

// Trace is the trace that a request belongs to, and this gateway's step in it.
func Trace(in http.Header, correlation string) (trace, span string, continued, sampled bool) {
	sum := sha256.Sum256([]byte(correlation))
	var text [48]byte
	hex.Encode(text[:], sum[:24])
	if trace, sampled, continued = parseTraceparent(in["Traceparent"]); !continued {
		trace = string(text[:32])
	}
	return trace, string(text[32:]), continued, sampled
}

// parseTraceparent reads version-traceid-parentid-flags (§3.2). A later version
// may go on after a dash, and is read by the four fields that are known (§4.3).
func parseTraceparent(lines []string) (traceID string, sampled, ok bool) {
	const length = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(lines) != 1 || len(lines[0]) < length {
		return "", false, false
	}
	s := lines[0]
	version, trace, parent, flags := s[:2], s[3:35], s[36:52], s[53:55]
	if s[2] != '-' || s[35] != '-' || s[52] != '-' || !lowerHex(version) || !lowerHex(trace) || !lowerHex(parent) || !lowerHex(flags) {
		return "", false, false
	}
	longer := len(s) > length
	if version == "ff" || version == "00" && longer || longer && s[length] != '-' || zero(trace) || zero(parent) {
		return "", false, false
	}
	return trace, strings.IndexByte("13579bdf", flags[1]) >= 0, true
}

func lowerHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func zero(s string) bool { return strings.Trim(s, "0") == "" }

// traceState joins its lines in order (§3.3.1). One that is too long, has too many
// members or isn't key=value text is dropped as a whole: a part could mislead.
func traceState(lines []string) (string, bool) {
	state := strings.Join(lines, ",")
	if state == "" || len(state) > maxTraceState || strings.ContainsFunc(state, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return "", false
	}
	members := 0
	for member := range strings.SplitSeq(state, ",") {
		if member = strings.Trim(member, " "); member == "" {
			continue // §3.3.1.1: empty members are allowed
		}
		if members++; members > maxTraceMembers || strings.IndexByte(member, '=') < 1 {
			return "", false
		}
	}
	return state, members > 0
}
