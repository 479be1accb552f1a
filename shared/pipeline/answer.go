package pipeline

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Left is what a limit leaves to the caller of this call.
type Left struct {
	Policy string        // the limit, as an item of RateLimit-Policy
	Name   string        // its name there
	Units  int64         // that may still be used
	Reset  time.Duration // until there are more; 0: never, or not known
}

// Left notes what a limit leaves, for the answer.
func (c *Call) Left(l Left) {
	if c.left == nil {
		c.left = c.leftRoom[:0]
	}
	c.left = append(c.left, l)
}

// Limits are what limits leave, in the order in which they were asked.
func (c *Call) Limits() []Left { return c.left }

// Announce writes c.Answer into the header of an answer, in place of what is
// there, and what limits leave. Only Vary is added to: the answer depends on what
// either names (RFC 9110 §12.5.5).
func (c *Call) Announce(h http.Header) {
	c.announceLimits(h)
	for name, values := range c.Answer {
		if name == "Vary" {
			values = vary(h["Vary"], values)
		}
		h[name] = values
	}
}

// announceLimits writes RateLimit-Policy and RateLimit
// (draft-ietf-httpapi-ratelimit-headers-10 §3, §4), in place of the backend's own:
// they are about this gateway. Seconds are rounded up, as in Retry-After.
func (c *Call) announceLimits(h http.Header) {
	if len(c.left) == 0 {
		return
	}
	var room [256]byte
	policies, limits := make([]string, len(c.left)), room[:0]
	for i, l := range c.left {
		policies[i] = l.Policy
		if i > 0 {
			limits = append(limits, ", "...)
		}
		limits = strconv.AppendQuote(limits, l.Name)
		limits = strconv.AppendInt(append(limits, ";r="...), l.Units, 10)
		if l.Reset > 0 {
			limits = strconv.AppendInt(append(limits, ";t="...), int64((l.Reset+time.Second-1)/time.Second), 10)
		}
	}
	h["Ratelimit-Policy"] = []string{strings.Join(policies, ", ")}
	h["Ratelimit"] = []string{string(limits)}
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
