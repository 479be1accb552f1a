package boot

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"unicode"
)

// hostLog writes the gateway's own lines in the shape that the Functions host
// understands (functions-host.md §1.1): a line of stdout is information, one of
// stderr an error, or a warning if it says "warn". Always one line: the host
// makes each an entry of its own.
type hostLog struct {
	mu          *sync.Mutex
	out, errors io.Writer
	attrs       []slog.Attr
}

var _ slog.Handler = hostLog{}

func newLog(stdout, stderr io.Writer) *slog.Logger {
	return slog.New(hostLog{mu: &sync.Mutex{}, out: stdout, errors: stderr})
}

// Enabled: what is said is meant for an operator.
func (h hostLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// WithAttrs has every line say them too.
func (h hostLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return h
}

// WithGroup does nothing: there are few attributes, and their names are whole.
func (h hostLog) WithGroup(string) slog.Handler { return h }

// Handle writes one line.
func (h hostLog) Handle(_ context.Context, r slog.Record) error {
	attrs := h.attrs
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs[:len(attrs):len(attrs)], a); return true })
	to, line := h.errors, plainLine(r, attrs)
	if r.Level < slog.LevelWarn {
		to, line = h.out, jsonLine(r, attrs)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := to.Write(append(line, '\n'))
	return err
}

// jsonLine stands among events, so it is JSON like them, with its name first.
func jsonLine(r slog.Record, attrs []slog.Attr) []byte {
	line := member([]byte("{"), "event", r.Message)
	for _, a := range attrs {
		line = member(append(line, ','), a.Key, a.Value.Any())
	}
	return append(line, '}')
}

// member is one of a JSON object; a value that can't be written is null.
func member(line []byte, name string, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte("null")
	}
	key, _ := json.Marshal(name) // a text always marshals
	return append(append(append(line, key...), ':'), text...)
}

func plainLine(r slog.Record, attrs []slog.Attr) []byte {
	var b strings.Builder
	b.WriteString("tollgate: ")
	if r.Level < slog.LevelError {
		b.WriteString("warning: ")
	}
	b.WriteString(singleLine(r.Message))
	for _, a := range attrs {
		if text := singleLine(a.Value.String()); text != "" {
			b.WriteString(" " + a.Key + "=" + text)
		}
	}
	return []byte(b.String())
}

// singleLine keeps faults apart and control characters, which a setting may hold, out of the log.
func singleLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\n", " | "))
}
