package main

import (
	"strings"
	"unicode"
)

// columns is how many of a terminal's a text takes: two for what East Asian
// scripts and pictures take. A mark counts as one, so that none comes for free.
func columns(s string) (n int) {
	for _, r := range s {
		switch {
		case r == isolate || r == isolated:
		case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0xff01 && r <= 0xff60 || r >= 0x1f300 && r <= 0x1faff:
			n += 2
		default:
			n++
		}
	}
	return n
}

func padded(s string, width int) string {
	return bounded(s) + strings.Repeat(" ", max(0, width-columns(s)))
}

func shortened(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	var b strings.Builder
	n := 1 // for the ellipsis
	for _, r := range s {
		if n += columns(string(r)); n > width {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}

// Unicode's bidirectional algorithm (UAX #9 §2.4): what stands between these
// doesn't reorder what stands around them.
const isolate, isolated = '\u2068', '\u2069'

// bounded keeps a text that runs from right to left from moving the columns beside it.
func bounded(s string) string {
	rtl := func(r rune) bool {
		return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
	}
	if strings.IndexFunc(s, rtl) < 0 {
		return s
	}
	return string(isolate) + s + string(isolated)
}
