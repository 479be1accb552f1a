package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// marked is the part of the line that the rule's name leads to: the last of its
// words that stands there as a key, or the whole line; in characters.
func marked(line, rule string) (from, width int) {
	start := len(line) - len(strings.TrimLeft(line, " \t"))
	end, at := len(line), 0
	for word := range strings.SplitSeq(rule, ".") {
		key := regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(word) + `:`)
		if found := key.FindStringIndex(line[at:]); found != nil {
			end = at + found[1] - 1
			start = end - len(word)
			at = end
		}
	}
	return utf8.RuneCountInString(line[:start]), utf8.RuneCountInString(line[start:end])
}

// plain shows what a terminal would obey as Go writes it in a string.
func plain(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) || r == utf8.RuneError }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsGraphic(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
