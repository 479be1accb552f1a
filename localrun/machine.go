package main

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
)

// writeMachine writes JSON in which everything that isn't printable is escaped:
// callers choose some of these texts, and a person may look at them in a terminal.
func writeMachine(w io.Writer, value any) error {
	var b bytes.Buffer
	if err := writeIndented(&b, value); err != nil {
		return err
	}
	_, err := w.Write(printable(b.Bytes()))
	return err
}

// printable escapes what is not graphic. In JSON such runes stand in texts only.
func printable(text []byte) []byte {
	if bytes.IndexFunc(text, hidden) < 0 {
		return text
	}
	var out bytes.Buffer
	for _, r := range string(text) {
		if !hidden(r) {
			out.WriteRune(r)
			continue
		}
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
			continue
		}
		fmt.Fprintf(&out, `\u%04x`, r)
	}
	return out.Bytes()
}

func hidden(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }
