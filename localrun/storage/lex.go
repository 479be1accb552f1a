package storage

import (
	"cmp"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
)

// lexeme is a literal, or else a word or sign.
type lexeme struct {
	literal bool
	value   value
	word    string
}

// lex splits a $filter.
func lex(text string) ([]lexeme, bool) {
	var all []lexeme
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		next, after, ok := lexOne(rest)
		if !ok {
			return nil, false
		}
		all, rest = append(all, next), after
	}
	return all, true
}

func lexOne(rest string) (next lexeme, after string, ok bool) {
	switch rest[0] {
	case '(', ')':
		return lexeme{word: rest[:1]}, rest[1:], true
	case '\'':
		s, after, ok := quoted(rest)
		return lexeme{literal: true, value: value{edmString, s}}, after, ok
	}
	end := strings.IndexAny(rest, " ()'")
	if end < 0 {
		end = len(rest)
	}
	word := rest[:end]
	if end < len(rest) && rest[end] == '\'' { // such as datetime'…'
		s, after, ok := quoted(rest[end:])
		if !ok {
			return lexeme{}, "", false
		}
		v, ok := prefixed(word, s)
		return lexeme{literal: true, value: v}, after, ok
	}
	if v, ok := plain(word); ok {
		return lexeme{literal: true, value: v}, rest[end:], true
	}
	return lexeme{word: word}, rest[end:], strings.IndexByte("0123456789-+.", word[0]) < 0
}

// prefixed is a literal whose type is said before it.
func prefixed(prefix, s string) (value, bool) {
	switch prefix {
	case "datetime":
		t, err := time.Parse(time.RFC3339, s)
		return value{edmDateTime, t.UTC()}, err == nil
	case "guid":
		return value{edmGUID, strings.ToLower(s)}, isGUID(s)
	case "X", "binary":
		b, err := hex.DecodeString(s)
		return value{edmBinary, b}, err == nil
	}
	return value{}, false
}

// plain is a literal without apostrophes. A number without L, point or exponent is an Int32.
func plain(word string) (value, bool) {
	switch word {
	case "true", "false":
		return value{edmBoolean, word == "true"}, true
	}
	if strings.IndexByte("0123456789-+.", word[0]) < 0 {
		return value{}, false
	}
	if digits, long := strings.CutSuffix(word, "L"); long {
		n, err := strconv.ParseInt(digits, 10, 64)
		return value{edmInt64, n}, err == nil
	}
	if strings.ContainsAny(word, ".eE") {
		f, err := strconv.ParseFloat(word, 64)
		return value{edmDouble, f}, err == nil
	}
	n, err := strconv.ParseInt(word, 10, 32)
	return value{edmInt32, n}, err == nil
}

// numeric compares integers exactly, and anything else as doubles.
func numeric(a, b value) (n int, ok bool) {
	x, isInt := a.v.(int64)
	y, alsoInt := b.v.(int64)
	if isInt && alsoInt {
		return cmp.Compare(x, y), true
	}
	f, g := float(a), float(b)
	return cmp.Compare(f, g), !math.IsNaN(f) && !math.IsNaN(g)
}

// float is NaN for what is no number.
func float(v value) float64 {
	switch x := v.v.(type) {
	case int64:
		return float64(x)
	case float64:
		return x
	}
	return math.NaN()
}
