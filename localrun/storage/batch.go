package storage

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxBatch is how many operations a transaction has at most.
const maxBatch = 100

// batch is an entity group transaction: all of it or nothing. It is answered 202
// even if it fails; what failed stands in the part, its index before a colon.
func (s *Storage) batch(c call) (answer, *refusal) {
	calls, refused := s.parts(c)
	if refused != nil {
		return answer{}, refused
	}
	var plans []planned
	seen := map[string]bool{}
	for i, part := range calls {
		p, refused := s.planPart(part, i, plans, seen)
		if refused != nil {
			failed := *refused
			failed.text = strconv.Itoa(i) + ":" + failed.text
			a := s.refuseLocked(part, &failed)
			whole := multiple([]answer{a})
			whole.conflict = a.conflict
			return whole, nil
		}
		plans = append(plans, p)
	}
	var answers []answer
	for _, p := range plans {
		answers = append(answers, s.commit(p))
	}
	whole := multiple(answers)
	whole.committed = true
	return whole, nil
}

// planPart checks one operation, and that it belongs with those before it.
func (s *Storage) planPart(part call, i int, before []planned, seen map[string]bool) (planned, *refusal) {
	if i == maxBatch {
		return planned{}, invalidInput("The batch has more than 100 operations.")
	}
	p, refused := s.plan(part)
	if refused != nil {
		return planned{}, refused
	}
	if i > 0 && (p.table != before[0].table || p.pk != before[0].pk) {
		return planned{}, &refusal{http.StatusBadRequest, "CommandsInBatchActOnDifferentPartitions", "The operations of a batch are for one partition."}
	}
	if seen[p.rk] {
		return planned{}, &refusal{http.StatusBadRequest, "InvalidDuplicateRow", "An entity may be in a batch once."}
	}
	seen[p.rk] = true
	return p, nil
}

// parts reads the operations of the only change set.
func (s *Storage) parts(c call) ([]call, *refusal) {
	malformed := invalidInput("The batch is malformed; it has one change set and nothing else.")
	outer, err := sections(c.header.Get("Content-Type"), bytes.NewReader(c.body))
	if err != nil || len(outer) != 1 {
		return nil, malformed
	}
	inner, err := sections(outer[0].kind, bytes.NewReader(outer[0].body))
	if err != nil || len(inner) == 0 {
		return nil, malformed
	}
	var calls []call
	for _, section := range inner {
		part, refused := s.part(c, section)
		if refused != nil {
			return nil, refused
		}
		calls = append(calls, part)
	}
	return calls, nil
}

type section struct {
	kind string // its content type
	body []byte
}

func sections(kind string, body io.Reader) ([]section, error) {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil || media != "multipart/mixed" || params["boundary"] == "" {
		return nil, fmt.Errorf("%q is not multipart/mixed with a boundary", kind)
	}
	var all []section
	for r := multipart.NewReader(body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		all = append(all, section{p.Header.Get("Content-Type"), text})
	}
}

// part reads an operation, written as the HTTP request that it would be alone.
func (s *Storage) part(c call, section section) (call, *refusal) {
	malformed := invalidInput("An operation of the batch is malformed.")
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(section.body)))
	line, err := r.ReadLine()
	words := strings.Split(line, " ")
	if err != nil || len(words) != 3 {
		return call{}, malformed
	}
	where, err := url.Parse(words[1])
	if err != nil {
		return call{}, malformed
	}
	header, err := r.ReadMIMEHeader()
	if err != nil {
		return call{}, malformed
	}
	body, err := io.ReadAll(r.R)
	if err != nil {
		return call{}, malformed
	}
	target, refused := s.target(where.Path)
	if refused == nil && words[0] == http.MethodGet {
		refused = invalidInput("This stand-in takes no queries in a batch.")
	}
	return call{
		method: verb(words[0]), target: target, base: c.base,
		query: where.Query(), header: http.Header(header), body: body,
	}, refused
}

// multiple is the answers in one.
func multiple(answers []answer) answer {
	set, whole := "changesetresponse_"+unique(), "batchresponse_"+unique()
	var b bytes.Buffer
	fmt.Fprintf(&b, "--%s\r\nContent-Type: multipart/mixed; boundary=%s\r\n\r\n", whole, set)
	for _, a := range answers {
		fmt.Fprintf(&b, "--%s\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n", set)
		fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
		for _, name := range slices.Sorted(maps.Keys(a.header)) {
			fmt.Fprintf(&b, "%s: %s\r\n", name, a.header.Get(name))
		}
		fmt.Fprintf(&b, "\r\n%s\r\n", a.body)
	}
	fmt.Fprintf(&b, "--%s--\r\n--%s--\r\n", set, whole)
	return answer{status: http.StatusAccepted, body: b.Bytes(), header: http.Header{"Content-Type": {"multipart/mixed; boundary=" + whole}}}
}
