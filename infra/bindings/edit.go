package bindings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Edit puts the values into the text of an environment file. Everything else
// stays, byte for byte.
func Edit(text []byte, b Bindings) ([]byte, []Changed, error) {
	had, err := leaves(text)
	if err != nil {
		return nil, nil, err
	}
	if oddEnds(string(text)) {
		return nil, nil, errors.New("its lines end in different ways; save it with one")
	}
	want := maps.Clone(had)
	var changed []Changed
	for _, e := range b.entries() {
		old, there := had[e.at()]
		if there && old == e.value {
			continue
		}
		if text, err = set(text, e); err != nil {
			return nil, nil, err
		}
		want[e.at()] = e.value
		changed = append(changed, Changed{e.at(), old, e.value})
	}
	// The edit is by line and column. What it came to is read again, so that a slip can't pass.
	got, err := leaves(text)
	if err != nil {
		return nil, nil, fmt.Errorf("after the edit: %w", err)
	}
	if !maps.Equal(got, want) {
		return nil, nil, errors.New("the file is written in a way that can't be edited; write these by hand:\n" + lines(changed))
	}
	return text, changed, nil
}

func lines(changed []Changed) string {
	var b strings.Builder
	for _, c := range changed {
		fmt.Fprintln(&b, "  "+c.String())
	}
	return b.String()
}

func parse(text []byte) (*yaml.Node, error) {
	in, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	var doc, second yaml.Node
	if err := in.Load(&doc); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if err := in.Load(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("holds more than one document")
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("isn't a mapping")
	}
	return doc.Content[0], nil
}

// leaves are all values by their paths, sequences by position.
func leaves(text []byte) (map[string]string, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	var walk func(n *yaml.Node, at string)
	walk = func(n *yaml.Node, at string) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				walk(n.Content[i+1], strings.TrimPrefix(at+"."+n.Content[i].Value, "."))
			}
		case yaml.SequenceNode:
			for i, e := range n.Content {
				walk(e, at+"."+strconv.Itoa(i))
			}
		default:
			out[at] = n.Value
		}
	}
	walk(root, "")
	return out, nil
}

func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func set(text []byte, e entry) ([]byte, error) {
	n, err := parse(text)
	if err != nil {
		return nil, err
	}
	f := split(text)
	for i, key := range e.path {
		next := child(n, key)
		if next == nil {
			return f.insert(n, i == 0, entry{e.path[i:], e.value})
		}
		n = next
		if last := i == len(e.path)-1; !last && n.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("line %d: %s isn't a mapping", n.Line, strings.Join(e.path[:i+1], "."))
		}
	}
	return f.replace(n, e)
}

// oddEnds tells that YAML counts other lines than split does.
func oddEnds(text string) bool {
	rest := strings.ReplaceAll(text, "\r\n", "")
	return strings.ContainsAny(rest, "\r\u0085\u2028\u2029") || rest != text && strings.Contains(rest, "\n")
}

// file is a text by lines, their ends kept apart.
type file struct {
	lines []string
	end   string // of a line
}

func split(text []byte) *file {
	end := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		end = "\r\n"
	}
	return &file{strings.Split(string(text), end), end}
}

func (f *file) text() []byte { return []byte(strings.Join(f.lines, f.end)) }

// replace writes another value where n stands, quoted as n is.
func (f *file) replace(n *yaml.Node, e entry) ([]byte, error) {
	odd := fmt.Errorf("line %d: %s is written in a way that can't be edited; write %s there", n.Line, e.at(), e.value)
	if n.Kind != yaml.ScalarNode || n.Line < 1 || n.Line > len(f.lines) {
		return nil, odd
	}
	line := []rune(f.lines[n.Line-1])
	if n.Column < 1 || n.Column > len(line) {
		return nil, odd
	}
	before, rest := string(line[:n.Column-1]), string(line[n.Column-1:])
	length := token(rest, n)
	if length < 0 {
		return nil, odd
	}
	f.lines[n.Line-1] = before + scalar(e.value, n.Style) + rest[length:]
	return f.text(), nil
}

var singleQuoted = regexp.MustCompile(`^'(''|[^'])*'`)

// token is the length of the scalar n at the start of rest, -1 if it isn't there.
func token(rest string, n *yaml.Node) int {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		if quoted, err := strconv.QuotedPrefix(rest); err == nil && quoted[0] == '"' {
			return len(quoted)
		}
	case n.Style&yaml.SingleQuotedStyle != 0:
		if m := singleQuoted.FindString(rest); m != "" {
			return len(m)
		}
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && strings.HasPrefix(rest, n.Value):
		return len(n.Value)
	}
	return -1
}

var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:-]*[A-Za-z0-9/]$`)

func scalar(value string, style yaml.Style) string {
	_, number := strconv.ParseFloat(value, 64)
	switch {
	case style&yaml.SingleQuotedStyle != 0:
		return "'" + strings.ReplaceAll(value, "'", "''") + "'"
	case style&yaml.DoubleQuotedStyle != 0 || !plain.MatchString(value) || number == nil || slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off"}, strings.ToLower(value)):
		return strconv.Quote(value)
	}
	return value
}

// insert adds a key to a mapping: at its end, in its own style.
func (f *file) insert(n *yaml.Node, root bool, e entry) ([]byte, error) {
	if n.Style&yaml.FlowStyle != 0 {
		return f.insertFlow(n, e)
	}
	if len(n.Content) == 0 {
		return nil, fmt.Errorf("line %d: is empty; write %s there", n.Line, e.at())
	}
	indent := strings.Repeat(" ", n.Content[0].Column-1)
	var added []string
	for i, key := range e.path {
		line := indent + strings.Repeat("  ", i) + key + ":"
		if i == len(e.path)-1 {
			line += " " + scalar(e.value, 0)
		}
		added = append(added, line)
	}
	at := len(f.lines)
	if !root {
		if at = f.last(n); at > len(f.lines) {
			return nil, fmt.Errorf("line %d: write %s: %s there", n.Line, e.at(), e.value)
		}
	} else if f.lines[at-1] == "" {
		at-- // the text ends with a line's end
	}
	f.lines = slices.Insert(f.lines, at, added...)
	if root && f.lines[len(f.lines)-1] != "" {
		f.lines = append(f.lines, "")
	}
	return f.text(), nil
}

// last is the last line of a block.
func (f *file) last(n *yaml.Node) int {
	line := n.Line
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		// Until what is indented less than its first line.
		for line < len(f.lines) && (strings.TrimSpace(f.lines[line]) == "" || strings.HasPrefix(f.lines[line], " ")) {
			line++
		}
		return line
	}
	if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 {
		if end, _, ok := f.closing(n); ok {
			return end + 1
		}
	}
	for _, c := range n.Content {
		line = max(line, f.last(c))
	}
	return line
}
