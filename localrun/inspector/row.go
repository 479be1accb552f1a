package inspector

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate/shared/audit"
)

// row is a request in the list: for the template, and as the stream has it.
type row struct {
	Number    int    `json:"number"`
	Time      string `json:"time"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Operation string `json:"operation"` // with its API
	Verdict   string `json:"verdict"`
	Status    string `json:"status"`
	Code      string `json:"code"`
	Caller    string `json:"caller"`
	Took      string `json:"took"`
}

func rowOf(one *entry) row {
	e := &one.event
	r := row{
		Number: one.number, Time: e.Time.Local().Format("15:04:05.000"), Method: visible(e.Method), Path: visible(scrubbed(e.Path)),
		Operation: visible(e.API), Verdict: visible(e.Verdict), Status: fmt.Sprint(e.Status), Code: visible(e.Code), Caller: visible(caller(e)), Took: took(whole(e)),
	}
	if e.Operation != "" {
		r.Operation += " · " + visible(e.Operation)
	}
	if e.Status == 0 {
		r.Status = "–"
	}
	if e.Event == audit.Started {
		r.Took = "running"
	}
	return r
}

// whole is how long the call took. The event has it in milliseconds, and its parts
// more exactly.
func whole(e *audit.Event) time.Duration { return max(e.Duration, e.Own+e.Waited) }

// took is a duration for people.
func took(d time.Duration) string {
	switch {
	case d <= 0:
		return "0"
	case d < time.Microsecond:
		return "< 1 µs"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// visible writes what can't be seen, or turns the text around it, as Go writes it in a string.
func visible(s string) string { return written(s, false) }

// visibleLines is visible, but for the line ends and tabs of a body.
func visibleLines(s string) string { return written(s, true) }

func written(s string, lines bool) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}
