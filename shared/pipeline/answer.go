package pipeline

import (
	"net/http"
	"slices"
	"strings"
)

// Announce writes c.Answer into the header of an answer, in place of what is
// there. Only Vary is added to: the answer depends on what either names
// (RFC 9110 §12.5.5).
func (c *Call) Announce(h http.Header) {
	for name, values := range c.Answer {
		if name == "Vary" {
			values = vary(h["Vary"], values)
		}
		h[name] = values
	}
}

// vary is one line that names what both do, each once.
func vary(lines, more []string) []string {
	var names []string
	for _, line := range slices.Concat(lines, more) {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if name != "" && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
				names = append(names, name)
			}
		}
	}
	if slices.Contains(names, "*") {
		return []string{"*"}
	}
	return []string{strings.Join(names, ", ")}
}
