package wire_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pipeline is some requests in a row, each well-formed, and what a handler must see of them.
func pipeline(random *rand.Rand) (text string, want []call) {
	var b strings.Builder
	for i := range 1 + random.IntN(6) {
		line, h := fmt.Sprintf("%s /%d", []string{"GET", "POST", "PUT", "DELETE"}[random.IntN(4)], i), header()
		fmt.Fprintf(&b, "%s HTTP/1.1\r\nHost: a\r\n", line)
		for j := range random.IntN(4) {
			name, value := fmt.Sprintf("X-%d", j), strings.Repeat("v", random.IntN(3000))
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
			h.Add(name, value)
		}
		body := strings.Repeat(smuggled, random.IntN(200)) // what looks like a request is none inside a body
		body = body[:random.IntN(len(body)+1)]
		c := seen(line, "a", h, body)
		switch {
		case random.IntN(2) == 0:
			fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
			h.Set("Content-Length", fmt.Sprint(len(body)))
		default:
			b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
			for rest := body; rest != ""; {
				n := 1 + random.IntN(len(rest))
				fmt.Fprintf(&b, "%0*x\r\n%s\r\n", 1+random.IntN(5), n, rest[:n])
				rest = rest[n:]
			}
			b.WriteString("0\r\n")
			if random.IntN(2) == 0 {
				b.WriteString("X-Sum: 1\r\n")
				c.Trailer.Set("X-Sum", "1")
			}
			b.WriteString("\r\n")
		}
		want = append(want, c)
	}
	return b.String(), want
}

func pieces(random *rand.Rand, text string) (all []string) {
	most := 1 + random.IntN(5000)
	for text != "" {
		n := min(len(text), 1+random.IntN(most))
		all, text = append(all, text[:n]), text[n:]
	}
	return all
}

func checkPipeline(t *testing.T, s *stand, n *notes, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	text, want := pipeline(random)
	_, whole := s.converse(n, text)
	got, answers := s.converse(n, pieces(random, text)...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("seed %d: got other requests (-said +seen):\n%s", seed, diff)
	}
	if diff := cmp.Diff(whole, answers); diff != "" {
		t.Fatalf("seed %d: got other answers (-whole +pieces):\n%s", seed, diff)
	}
	if count := strings.Count(answers, "HTTP/1.1 200 OK\r\n"); count != len(want) {
		t.Fatalf("seed %d: got %d answers, want %d", seed, count, len(want))
	}
}

// A pipeline in whatever pieces is the requests that were said, in order.
func TestAPipelineIsWhatWasSaid(t *testing.T) {
	n := &notes{}
	s := serve(t, n)
	for seed := range uint64(500) {
		checkPipeline(t, s, n, seed)
	}
}

func FuzzServer(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		n := &notes{}
		checkPipeline(t, serve(t, n), n, seed)
	})
}

// Whatever comes, the server answers or hangs up, and every answer is one.
func FuzzConversation(f *testing.F) {
	for _, c := range unreadable {
		if len(c.text) < 1<<10 {
			f.Add(c.text+smuggled, uint64(1))
		}
	}
	for _, body := range brokenChunks {
		f.Add(chunked+"\r\n"+body+smuggled, uint64(1))
	}
	for _, c := range readable {
		f.Add(c.text, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		n := &notes{}
		s := serve(t, n)
		calls, answers := s.converse(n, text)
		gotCalls, gotAnswers := s.converse(n, pieces(rand.New(rand.NewPCG(seed, 2)), text)...)
		if diff := cmp.Diff(calls, gotCalls) + cmp.Diff(answers, gotAnswers); diff != "" {
			t.Fatalf("got another reading (-whole +pieces):\n%s", diff)
		}
		for i, c := range calls {
			if c.Broken && i != len(calls)-1 {
				t.Fatalf("got a request after a body that broke off: %+v", calls)
			}
		}
	})
}
