package audit

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// MaxLine is the most bytes of an event, its newline included.
const MaxLine = 32 << 10

// How much of each part there may be. Escaping makes six bytes of one at the
// most; the lists are bounded by what they are when written.
const (
	maxMethod = 32
	maxID     = 128
	maxText   = 1 << 10 // path and cause
	maxName   = 256     // of a claim: the contract's
	maxValue  = 256     // one of a claim's
	maxValues = 32      // of one claim
	maxMarks  = 16
	maxLimits = 16
	roomMarks = 2 << 10
	roomClaim = 6 << 10
)

// head is how each line begins: what tells an event from other lines of a stream.
const head = `{"class_uid":6003,"class_name":"API Activity","category_uid":6,"category_name":"Application Activity",`

// Is tells whether a line is an event, by how it begins.
func Is(line string) bool { return strings.HasPrefix(line, head) }

// product is what OCSF calls this gateway.
const product = "tollgate"

// none stands where OCSF requires a name and there is none. No contract can call something so.
const none = "-"

// Append appends the event as one line without its newline: printable ASCII
// only, whatever the event holds, and shorter than MaxLine.
func (e *Event) Append(b []byte) []byte {
	start := len(b)
	if b = e.append(b, roomClaim); len(b)-start < MaxLine {
		return b
	}
	// The bounds above make this impossible for what a gateway records; an event that
	// was made by hand may still be too large.
	small := *e
	small.Claims, small.Marks, small.Limits, small.Cause, small.Omitted, small.Pseudonyms = nil, nil, nil, "", nil, nil
	return small.append(b[:start], 0)
}

func (e *Event) append(b []byte, claims int) []byte {
	w := writer{b: append(b, head...), cut: claims == 0}
	w.what(e)
	w.actor(e)
	w.call(e)
	w.unmapped(e, claims)
	w.metadata(e) // last: it tells whether anything was cut
	w.raw("}")
	return w.b
}

func (w *writer) metadata(e *Event) {
	w.raw(`,"metadata":{"version":"1.6.0","product":{"name":"` + product + `","vendor_name":"Tollgate"`)
	w.text(`,"version":`, e.Build, maxID)
	w.raw(`},"profiles":["security_control","trace","datetime"],"log_name":"audit"`)
	w.text(`,"log_provider":`, e.Gateway, maxID)
	uid := e.Correlation
	switch e.Event {
	case Started, Ended: // two events of one call
		uid += "/" + e.Event
	}
	w.always(`,"uid":`, uid, maxID+8)
	w.always(`,"correlation_uid":`, e.Correlation, maxID)
	if w.cut {
		w.raw(`,"is_truncated":true`)
	}
	w.raw("}")
}

// what happened: the class's own attributes, and those of the profiles.
func (w *writer) what(e *Event) {
	activity, name := activityOf(e.Method)
	w.number(`"activity_id":`, int64(activity))
	w.always(`,"activity_name":`, name, maxMethod)
	w.number(`,"type_uid":`, int64(600300+activity))
	severity, word := severityOf(e)
	w.number(`,"severity_id":`, int64(severity))
	w.always(`,"severity":`, word, maxID)
	w.number(`,"time":`, e.Time.UnixMilli())
	w.raw(`,"time_dt":"`)
	w.b = e.Time.UTC().AppendFormat(w.b, time.RFC3339Nano)
	w.raw(`"`)
	w.some(`,"duration":`, e.Duration.Milliseconds())
	if e.Verdict == Refused {
		w.raw(`,"action_id":2,"action":"Denied","disposition_id":2,"disposition":"Blocked"`)
	} else {
		w.raw(`,"action_id":1,"action":"Allowed","disposition_id":1,"disposition":"Allowed"`)
	}
	if e.Code == Granted {
		w.raw(`,"status_id":1,"status":"Success"`)
	} else {
		w.raw(`,"status_id":2,"status":"Failure"`)
	}
	w.always(`,"status_code":`, e.Code, maxID)
	w.text(`,"status_detail":`, e.Cause, maxText)
	if e.Rule != "" {
		w.text(`,"policy":{"uid":`, e.Rule, 2*maxID)
		w.raw("}")
	}
	w.trace(e)
}

func (w *writer) trace(e *Event) {
	if e.Trace == "" {
		return
	}
	w.text(`,"trace":{"uid":`, e.Trace, maxID)
	if e.Span != "" {
		w.text(`,"span":{"uid":`, e.Span, maxID)
		w.number(`,"start_time":`, e.Time.UnixMilli())
		w.number(`,"end_time":`, e.Time.Add(e.Duration).UnixMilli())
		w.raw("}")
	}
	w.raw("}")
}

// actor is who called. OCSF wants something there even where nobody is known.
func (w *writer) actor(e *Event) {
	w.raw(`,"actor":{"user":{`)
	switch {
	case e.User != "":
		w.text(`"uid":`, e.User, maxID)
	default:
		w.raw(`"name":"` + none + `"`)
	}
	switch e.Principal {
	case "user":
		w.raw(`,"type_id":1,"type":"User"`)
	case "application":
		w.raw(`,"type_id":4,"type":"Service"`)
	default:
		w.raw(`,"type_id":0,"type":"Unknown"`)
	}
	if e.Tenant != "" {
		w.text(`,"org":{"uid":`, e.Tenant, maxID)
		w.raw("}")
	}
	w.raw("}")
	w.text(`,"app_uid":`, e.App, maxID)
	if e.Session != "" || e.Issuer != "" {
		w.raw(`,"session":{`)
		w.always(`"uid":`, orNone(e.Session), maxID)
		w.text(`,"issuer":`, e.Issuer, maxID)
		w.raw("}")
	}
	w.raw("}")
}

// call is the request, its answer, and both ends of the way.
func (w *writer) call(e *Event) {
	w.always(`,"api":{"operation":`, orNone(e.Operation), maxID)
	w.always(`,"service":{"name":`, orNone(e.API), maxID)
	w.always(`,"version":`, e.Contract, maxID)
	w.always(`},"request":{"uid":`, e.Correlation, maxID)
	w.raw(`}},"src_endpoint":{`)
	if _, err := netip.ParseAddr(e.Client); err != nil { // unknown, or a pseudonym, which is no address
		w.always(`"name":`, orNone(e.Client), maxID)
	} else {
		w.text(`"ip":`, e.Client, maxID)
	}
	w.raw("}")
	if e.Backend != "" {
		host, port, err := net.SplitHostPort(e.Backend)
		if err != nil {
			host = e.Backend
		}
		w.always(`,"dst_endpoint":{"hostname":`, host, 2*maxID)
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			w.number(`,"port":`, int64(n))
		}
		w.raw("}")
	}
	w.always(`,"http_request":{"http_method":`, e.Method, maxMethod)
	w.always(`,"url":{"path":`, e.Path, maxText)
	w.raw("}")
	w.some(`,"body_length":`, e.Received)
	w.raw("}")
	if e.Status != 0 {
		w.number(`,"http_response":{"code":`, int64(e.Status))
		w.some(`,"body_length":`, e.Sent)
		w.raw("}")
	}
}

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}
