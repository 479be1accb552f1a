package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// traceparent differs from call to call, and so do ids.
var traceparent = regexp.MustCompile(`00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}`)

// remaining goes down with each call, whichever way it came.
var remaining = regexp.MustCompile(`;r=\d+;t=\d+`)

// settle takes out of an answer what no two calls share.
func (s *Seen) settle() {
	id := s.Header.Get("X-Correlation-Id")
	s.Front = id == ""
	plain := func(text string) string {
		if id != "" {
			text = strings.ReplaceAll(text, id, "ID")
		}
		return remaining.ReplaceAllString(traceparent.ReplaceAllString(text, "TRACE"), ";r=N;t=N")
	}
	for _, name := range []string{"Date", "Connection", "Transfer-Encoding", "X-Amzn-Requestid", "X-Amzn-Remapped-Date", "Server"} {
		s.Header.Del(name)
	}
	if method, _, _ := strings.Cut(s.Request, " "); method != http.MethodHead {
		s.Header.Del("Content-Length") // the body is compared
	}
	over(s.Header, plain)
	s.Body = plain(s.Body)
	for i := range s.Backend {
		over(s.Backend[i].Header, plain)
	}
	var said struct{ Code string }
	if json.Unmarshal([]byte(s.Body), &said) == nil {
		s.Code = said.Code
	}
}

func over(h http.Header, plain func(string) string) {
	for _, values := range h {
		for i := range values {
			values[i] = plain(values[i])
		}
	}
}

// shown is what the answer has for one of compare's names.
func (s *Seen) shown(what string) string {
	kind, name, _ := strings.Cut(what, " ")
	switch {
	case kind == "header":
		return fmt.Sprintf("%q", s.Header.Values(name))
	case kind == "status" || len(s.Backend) == 0:
		return fmt.Sprintf("%d %s, %.300q after %d calls of the backend", s.Status, s.Code, s.Body, len(s.Backend))
	case kind == "heard":
		return fmt.Sprintf("%q", s.Backend[0].Header.Values(name))
	case kind == "body":
		return fmt.Sprintf("%.300q", s.Body)
	}
	return fmt.Sprintf("%s %s, host %s, %.100q, trailers %v, %d calls", s.Backend[0].Method, s.Backend[0].Target, s.Backend[0].Host, s.Backend[0].Body, s.Backend[0].Trailer, len(s.Backend))
}

// compare names what differs: "status", "body", "header NAME", "calls", "method",
// "target", "heard NAME", "sent body".
func compare(ref, own Seen) (all []string) {
	add := func(differs bool, name string) {
		if differs {
			all = append(all, name)
		}
	}
	add(ref.Status != own.Status || ref.Code != own.Code || ref.Front != own.Front, "status")
	if len(all) > 0 {
		add(len(ref.Backend) != len(own.Backend), "calls")
		return all // it is another answer: nothing of it can be held against the other
	}
	for _, name := range names(ref.Header, own.Header) {
		add(!slices.Equal(ref.Header.Values(name), own.Header.Values(name)), "header "+name)
	}
	if len(ref.Backend) != len(own.Backend) {
		return append(all, "calls")
	}
	for i, b := range own.Backend {
		r := ref.Backend[i]
		add(r.Method != b.Method, "method")
		add(r.Target != b.Target, "target")
		add(r.Host != b.Host, "heard Host")
		add(string(r.Body) != string(b.Body), "sent body")
		for _, name := range names(r.Header, b.Header) {
			add(!slices.Equal(r.Header.Values(name), b.Header.Values(name)), "heard "+name)
		}
		add(len(r.Trailer) != len(b.Trailer), "sent trailers")
	}
	// The echo tells what the backend heard, which is compared above.
	add(!echoes(own) && ref.Body != own.Body, "body")
	return all
}

// echoes tells whether the body is the echo's, of this very call.
func echoes(s Seen) bool {
	var e struct{ Method, Path, Query string }
	if len(s.Backend) == 0 || json.Unmarshal([]byte(s.Body), &e) != nil {
		return false
	}
	target := e.Path
	if strings.Contains(s.Backend[0].Target, "?") {
		target += "?" + e.Query
	}
	return e.Method == s.Backend[0].Method && target == s.Backend[0].Target
}

func names(a, b http.Header) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
