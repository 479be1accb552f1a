package bindings

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

func (f *file) insertFlow(n *yaml.Node, e entry) ([]byte, error) {
	line, column, ok := f.closing(n)
	if !ok {
		return nil, fmt.Errorf("line %d: the braces can't be edited; write %s: %s there", n.Line, e.at(), e.value)
	}
	text := scalar(e.value, 0)
	for i := len(e.path) - 1; i >= 0; i-- {
		text = e.path[i] + ": " + text
		if i > 0 {
			text = "{ " + text + " }"
		}
	}
	before, rest := f.lines[line][:column], f.lines[line][column:]
	head := strings.TrimRight(before, " ")
	space := before[len(head):] // as the others have it before their brace
	comma := ", "
	if strings.HasSuffix(head, ",") {
		comma = " "
	}
	f.lines[line] = head + comma + text + space + rest
	return f.text(), nil
}

// closing is where the brace of a flow mapping closes, line and byte from 0.
func (f *file) closing(n *yaml.Node) (line, column int, ok bool) {
	depth := 0
	for line = n.Line - 1; line < len(f.lines); line++ {
		rest, at := f.lines[line], 0
		if line == n.Line-1 {
			at = len(string([]rune(rest)[:n.Column-1]))
		}
		for at < len(rest) {
			switch c := rest[at]; {
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				if depth--; depth == 0 {
					return line, at, true
				}
			case c == '#' && (at == 0 || rest[at-1] == ' '):
				at = len(rest)
			case c == '"' || c == '\'':
				at += skip(rest[at:])
			}
			at++
		}
	}
	return 0, 0, false
}

// skip is how far the closing quote is.
func skip(text string) int {
	if text[0] == '\'' {
		return max(len(singleQuoted.FindString(text))-1, 0)
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return 0
	}
	return len(quoted) - 1
}
