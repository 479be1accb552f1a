package wire

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func appendStatus(out []byte, status int) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(out, ' ')
	return append(append(out, http.StatusText(status)...), "\r\n"...)
}

// fieldLines writes what the handler said, but for what is this package's to say.
func (w *answer) fieldLines() {
	for name, values := range w.header {
		key := http.CanonicalHeaderKey(name) // a handler may have put it into the map in any case
		switch key {
		case "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Keep-Alive":
			continue
		}
		if !isToken(name) || slices.Contains(w.trailers, key) { // TrailerPrefix holds a colon: no token
			continue
		}
		for _, v := range values {
			w.c.out = appendField(w.c.out, name, v)
		}
	}
}

// appendField writes one line. What would end it, or be cut off, becomes a space.
func appendField(out []byte, name, value string) []byte {
	out = append(append(out, name...), ": "...)
	for i := range len(value) {
		c := value[i]
		if c < ' ' && c != '\t' || c == 0x7f {
			c = ' '
		}
		out = append(out, c)
	}
	return append(out, "\r\n"...)
}

// bodiless: RFC 9112 §6.3, items 1 and 2.
func (w *answer) bodiless() bool {
	return w.status < 200 || w.status == http.StatusNoContent || w.status == http.StatusNotModified
}

// frame decides how the end of the content is told, and completes the header.
func (w *answer) frame(whole bool) {
	w.framed = true
	c := w.c
	head := w.r.Method == http.MethodHead
	switch {
	case w.status < 200 || w.status == http.StatusNoContent: // RFC 9110 §8.6: no length
	case w.declared >= 0:
		c.out = appendLength(c.out, w.declared)
	case head || w.status == http.StatusNotModified:
	case whole && !w.hasTrailers():
		w.declared = int64(len(c.held))
		c.out = appendLength(c.out, w.declared)
	case w.r.ProtoMinor == 0:
		w.keep = false
	default:
		w.chunked = true
		c.out = append(c.out, "Transfer-Encoding: chunked\r\n"...)
		if len(w.trailers) > 0 {
			c.out = appendField(c.out, "Trailer", strings.Join(w.trailers, ", "))
		}
	}
	if w.body != nil && !w.body.ended.Load() || c.server.stopping.Load() {
		w.keep = false
	}
	if !w.keep {
		c.out = append(c.out, "Connection: close\r\n"...)
	}
	if _, said := w.header["Date"]; !said {
		c.out = append(c.server.Now().UTC().AppendFormat(append(c.out, "Date: "...), http.TimeFormat), "\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
}

func appendLength(out []byte, n int64) []byte {
	return append(strconv.AppendInt(append(out, "Content-Length: "...), n, 10), "\r\n"...)
}

func (w *answer) hasTrailers() bool {
	if len(w.trailers) > 0 {
		return true
	}
	for name := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

func announcedTrailers(lines []string) (names []string) {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if key := http.CanonicalHeaderKey(trim(name)); isToken(key) && !framingField(key) {
				names = append(names, key)
			}
		}
	}
	return names
}

func (w *answer) trailerLines() {
	for name, values := range w.header {
		prefixed := strings.TrimPrefix(name, http.TrailerPrefix)
		if prefixed == name && !slices.Contains(w.trailers, name) || !isToken(prefixed) || framingField(http.CanonicalHeaderKey(prefixed)) {
			continue
		}
		for _, v := range values {
			w.c.out = appendField(w.c.out, prefixed, v)
		}
	}
}
