package backend

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// behaviour is what the query asked for.
type behaviour struct {
	status  int
	delay   time.Duration
	events  int64
	every   time.Duration
	bytes   int64
	abort   bool
	headers []header
}

type header struct{ name, value string }

// behaviourOf reads the query, and names what it couldn't make sense of.
func behaviourOf(query url.Values) (behaviour, []string) {
	p := parser{query: query}
	b := behaviour{
		// 1xx is no final status, and net/http refuses those past 999.
		status: int(p.number("status", 200, 999, http.StatusOK)),
		delay:  p.duration("delay", 0),
		events: p.number("events", 1, 1_000_000, 0),
		every:  p.duration("every", 100*time.Millisecond),
		bytes:  p.number("bytes", 1, 1<<40, 0),
		abort:  p.number("abort", 0, 1, 0) == 1,
	}
	for _, text := range query["header"] {
		name, value, found := strings.Cut(text, ":")
		if !found || strings.TrimSpace(name) == "" {
			p.ignore("header", text, "must be Name:Value")
			continue
		}
		b.headers = append(b.headers, header{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return b, p.ignored
}

type parser struct {
	query   url.Values
	ignored []string
}

func (p *parser) ignore(name, text, why string) {
	p.ignored = append(p.ignored, fmt.Sprintf("%s=%s: %s", name, text, why))
}

func (p *parser) number(name string, low, high, missing int64) int64 {
	if !p.query.Has(name) {
		return missing
	}
	text := p.query.Get(name)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > high {
		p.ignore(name, text, fmt.Sprintf("must be a number from %d to %d", low, high))
		return missing
	}
	return n
}

func (p *parser) duration(name string, missing time.Duration) time.Duration {
	if !p.query.Has(name) {
		return missing
	}
	text := p.query.Get(name)
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		p.ignore(name, text, "must be a time such as 2s")
		return missing
	}
	return d
}
