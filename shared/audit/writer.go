package audit

import (
	"strconv"
	"strings"
)

// writer appends JSON. Names of attributes are given with what goes before them.
type writer struct {
	b   []byte
	cut bool // something is shorter than it was
}

func (w *writer) raw(s string) { w.b = append(w.b, s...) }

// always writes a text, also an empty one.
func (w *writer) always(name, s string, most int) {
	w.b = append(w.b, name...)
	w.quote(s, most)
}

// text writes one that isn't empty.
func (w *writer) text(name, s string, most int) {
	if s != "" {
		w.always(name, s, most)
	}
}

func (w *writer) number(name string, n int64) {
	w.b = strconv.AppendInt(append(w.b, name...), n, 10)
}

// some writes a number that isn't 0.
func (w *writer) some(name string, n int64) {
	if n != 0 {
		w.number(name, n)
	}
}

// mark ends what was cut: an ellipsis, as JSON escapes it.
const mark = `\u2026`

const hex = "0123456789abcdef"

// quote appends a JSON text of printable ASCII. What a terminal or a log viewer
// would obey (ANSI, C1 controls, line separators), and anything else that isn't
// ASCII, is first escaped as Go writes it in a string, so that it can't come back
// when a reader decodes the line. What HTML would obey is escaped as encoding/json
// does it.
func (w *writer) quote(s string, most int) {
	if len(s) <= most && plain(s) { // nearly always
		w.b = append(append(append(w.b, '"'), s...), '"')
		return
	}
	s, longer := printable(s, most)
	w.b = append(w.b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
			continue
		}
		w.b = append(w.b, s[from:i]...)
		from = i + 1
		if c == '"' || c == '\\' {
			w.b = append(w.b, '\\', c)
		} else {
			w.b = append(w.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	w.b = append(w.b, s[from:]...)
	if longer {
		w.cut = true
		w.b = append(w.b, mark...)
	}
	w.b = append(w.b, '"')
}

// plain tells that nothing needs escaping.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// printable escapes, and cuts what is too long.
func printable(s string, most int) (text string, longer bool) {
	s = s[:min(len(s), most+1)] // enough to know whether it is longer
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			quoted := strconv.QuoteToASCII(s)
			s = quoted[1 : len(quoted)-1]
			break
		}
	}
	if len(s) > most {
		return s[:most], true
	}
	return s, false
}

// activityOf is what the method does, in OCSF's words for an API Activity.
func activityOf(method string) (id int, name string) {
	switch method {
	case "POST":
		return 1, "Create"
	case "GET", "HEAD", "OPTIONS":
		return 2, "Read"
	case "PUT", "PATCH":
		return 3, "Update"
	case "DELETE":
		return 4, "Delete"
	case "":
		return 0, "Unknown"
	default:
		return 99, method
	}
}

// severityOf: a refusal is worth a look; one of a credential that proves nothing
// a second; one that an honest client can't bring about, or a fault of the
// gateway's own, a third.
func severityOf(e *Event) (id int, name string) {
	switch {
	case attack(e.Code):
		return 4, "High"
	case e.Status >= 500 && e.Verdict == Refused, credential(e.Code):
		return 3, "Medium"
	case e.Code != Granted:
		return 2, "Low"
	default:
		return 1, "Informational"
	}
}

// attack: forged or revoked credentials, and requests that two readers could
// read in two ways.
func attack(code string) bool {
	switch code {
	case "unknown_key", "bad_signature", "alg_not_allowed", "embedded_key", "not_jws", "tenant_mismatch", "token_revoked", "key_revoked", "invalid_dpop_proof",
		"certificate_mismatch", "key_token_mismatch", "too_many_refused", "malformed_request", "target_ambiguous", "path_not_canonical", "multiple_credentials",
		"header_not_accepted", "gateway_failed":
		return true
	}
	return false
}

// credential: refused for what it is, rather than for being absent or too old.
func credential(code string) bool {
	switch code {
	case "malformed", "issuer_not_trusted", "wrong_audience", "wrong_token_type", "graph_style_token", "lifetime_exceeded", "exp_missing", "binding_required",
		"key_unknown", "key_malformed", "key_inactive", "key_not_for_api", "key_ambiguous", "key_invalid", "tenant_not_allowed", "client_not_allowed", "client_auth_too_weak",
		"address_not_allowed", "claim_not_forwardable":
		return true
	}
	return strings.HasPrefix(code, "replay_")
}
