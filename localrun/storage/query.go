package storage

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// get is a point read.
func (s *Storage) get(c call) (answer, *refusal) {
	t, refused := s.table(c.target.table)
	if refused != nil {
		return answer{}, refused
	}
	at, found := t.find(c.target.pk, c.target.rk)
	if !found {
		return answer{}, resourceNotFound()
	}
	e := t.rows[at]
	body := e.show(c, t, selected(c))
	if c.level() != none {
		body["odata.metadata"] = c.base + "/$metadata#" + t.name + "/@Element"
	}
	a := reply(c, http.StatusOK, body)
	a.header["Etag"] = []string{e.etag()}
	return a, nil
}

// query is one page. A full one names the next row, whether or not it matches.
func (s *Storage) query(c call) (answer, *refusal) {
	t, refused := s.table(c.target.table)
	if refused != nil {
		return answer{}, refused
	}
	match, top, refused := paging(c)
	if refused != nil {
		return answer{}, refused
	}
	first, refused := start(c, t)
	if refused != nil {
		return answer{}, refused
	}
	found, selected, header := []any{}, selected(c), http.Header{}
	for _, e := range t.rows[first:] {
		if len(found) == top {
			header["X-Ms-Continuation-Nextpartitionkey"] = []string{token(e.pk)}
			header["X-Ms-Continuation-Nextrowkey"] = []string{token(e.rk)}
			break
		}
		if match(e.property) {
			found = append(found, e.show(c, t, selected))
		}
	}
	body := map[string]any{"value": found}
	if c.level() != none {
		body["odata.metadata"] = c.base + "/$metadata#" + t.name
	}
	a := reply(c, http.StatusOK, body)
	for name, values := range header {
		a.header[name] = values
	}
	return a, nil
}

// paging reads $filter and $top.
func paging(c call) (match predicate, top int, refused *refusal) {
	top = maxPage
	if c.query.Has("$top") {
		n, err := strconv.Atoi(c.query.Get("$top"))
		if err != nil || n < 1 || n > maxPage {
			return nil, 0, invalidInput("$top is from 1 to 1000.")
		}
		top = n
	}
	match = func(func(string) (value, bool)) bool { return true }
	if text := c.query.Get("$filter"); strings.TrimSpace(text) != "" {
		match, refused = parseFilter(text)
	}
	return match, top, refused
}

// selected is nil for every property.
func selected(c call) []string {
	var names []string
	for name := range strings.SplitSeq(c.query.Get("$select"), ",") {
		switch name = strings.TrimSpace(name); name {
		case "":
		case "*":
			return nil
		default:
			names = append(names, name)
		}
	}
	return names
}

// start is the first row of the page.
func start(c call, t *table) (int, *refusal) {
	if !c.query.Has("NextPartitionKey") {
		return 0, nil
	}
	pk, ok := untoken(c.query.Get("NextPartitionKey"))
	rk, fine := untoken(c.query.Get("NextRowKey"))
	if !ok || !fine {
		return 0, invalidInput("The continuation token is malformed.")
	}
	at, _ := t.find(pk, rk)
	return at, nil
}

// token hides a key as the service does: it is for the service to read, and
// nothing that a client may make.
func token(key string) string {
	text := base64.URLEncoding.EncodeToString([]byte(key))
	return "1!" + strconv.Itoa(len(text)) + "!" + text
}

func untoken(s string) (string, bool) {
	if s == "" {
		return "", true
	}
	parts := strings.Split(s, "!")
	if len(parts) != 3 || parts[0] != "1" || parts[1] != strconv.Itoa(len(parts[2])) {
		return "", false
	}
	key, err := base64.URLEncoding.DecodeString(parts[2])
	return string(key), err == nil
}
