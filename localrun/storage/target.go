package storage

import (
	"strings"
	"unicode/utf16"
)

// kind of a target.
type kind int

const (
	service   kind = iota // the account itself
	catalogue             // Tables, or one of them by its name
	entities              // those of a table
	one                   // entity
	batch
)

// target is what an address names.
type target struct {
	kind   kind
	table  string
	pk, rk string
}

// target reads the decoded path of a request.
func (s *Storage) target(path string) (target, *refusal) {
	rest, ok := strings.CutPrefix(path, "/"+s.options.Account)
	if !ok || rest != "" && rest[0] != '/' {
		return target{}, resourceNotFound()
	}
	return parse(strings.TrimPrefix(rest, "/"))
}

func parse(rest string) (target, *refusal) {
	name, inside, keyed := strings.Cut(rest, "(")
	if keyed {
		var closed bool
		if inside, closed = strings.CutSuffix(inside, ")"); !closed {
			return target{}, invalidInput("The address is malformed.")
		}
	}
	switch {
	case rest == "":
		return target{kind: service}, nil
	case rest == "$batch":
		return target{kind: batch}, nil
	case strings.EqualFold(name, "Tables"):
		return parseCatalogue(inside)
	case strings.Contains(name, "/"):
		return target{}, resourceNotFound()
	case inside == "":
		return target{kind: entities, table: name}, nil
	}
	return parseKeys(name, inside)
}

func parseCatalogue(inside string) (target, *refusal) {
	if inside == "" {
		return target{kind: catalogue}, nil
	}
	name, rest, ok := quoted(inside)
	if !ok || rest != "" {
		return target{}, invalidInput("The address of the table is malformed.")
	}
	return target{kind: catalogue, table: name}, nil
}

// parseKeys reads PartitionKey='…',RowKey='…', in either order.
func parseKeys(table, inside string) (target, *refusal) {
	malformed := invalidInput("The address of the entity is malformed.")
	keys := map[string]string{}
	for rest := inside; ; {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			return target{}, malformed
		}
		value, after, ok := quoted(after)
		if !ok {
			return target{}, malformed
		}
		keys[strings.TrimSpace(name)] = value
		if after == "" {
			break
		}
		if rest, ok = strings.CutPrefix(after, ","); !ok {
			return target{}, malformed
		}
	}
	pk, first := keys["PartitionKey"]
	rk, second := keys["RowKey"]
	if !first || !second || len(keys) != 2 {
		return target{}, malformed
	}
	if refused := checkKeys(pk, rk); refused != nil {
		return target{}, refused
	}
	return target{kind: one, table: table, pk: pk, rk: rk}, nil
}

// quoted reads a text in apostrophes, where two stand for one.
func quoted(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '\'' {
		return "", s, false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '\'':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '\'':
			b.WriteByte('\'')
			i++
		default:
			return b.String(), s[i+1:], true
		}
	}
	return "", s, false
}

// maxKey is 1 KiB of UTF-16.
const maxKey = 512

func checkKeys(keys ...string) *refusal {
	for _, key := range keys {
		if units(key) > maxKey {
			return &refusal{400, "KeyValueTooLarge", "A key takes more than 1 KiB."}
		}
		if strings.ContainsFunc(key, forbidden) {
			return invalidInput(`A key holds / \ # ? or a control character.`)
		}
	}
	return nil
}

func forbidden(r rune) bool {
	return strings.ContainsRune(`/\#?`, r) || r < 0x20 || r >= 0x7f && r <= 0x9f
}

// units is the length in UTF-16, which the service counts in.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
