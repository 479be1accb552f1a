package token

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"tollgate/shared/pipeline"
)

// maxDepth bounds nesting; Entra's deepest claim (_claim_sources) nests three levels.
const maxDepth = 16

// parseObject reads one JSON object (RFC 8259), and nothing but it.
//
// encoding/json won't do here: it folds case ("AUD" becomes aud), lets the last
// of several equal names win and replaces invalid UTF-8, so one text could mean
// different things to two readers. All of these are refused, as are unpaired
// surrogates and deep nesting.
func parseObject(data []byte) (pipeline.Claims, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	p := &parser{data: data}
	p.space()
	if p.peek() != '{' {
		return nil, errors.New("not an object")
	}
	v, err := p.object(0)
	if err != nil {
		return nil, fmt.Errorf("byte %d: %w", p.i, err)
	}
	p.space()
	if p.i != len(p.data) {
		return nil, fmt.Errorf("byte %d: something follows the object", p.i)
	}
	return v, nil
}

type parser struct {
	data []byte
	i    int
}

var errSyntax = errors.New("not JSON")

func (p *parser) peek() byte {
	if p.i < len(p.data) {
		return p.data[p.i]
	}
	return 0
}

func (p *parser) space() {
	for p.i < len(p.data) {
		switch p.data[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

// take consumes c after white space.
func (p *parser) take(c byte) bool {
	p.space()
	if p.peek() != c {
		return false
	}
	p.i++
	return true
}

func (p *parser) object(depth int) (map[string]any, error) {
	if depth >= maxDepth {
		return nil, errors.New("nested too deep")
	}
	p.i++ // the {
	out := map[string]any{}
	if p.take('}') {
		return out, nil
	}
	for {
		p.space()
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if _, twice := out[name]; twice {
			return nil, errors.New("a name is there twice")
		}
		if !p.take(':') {
			return nil, errSyntax
		}
		if out[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		if p.take('}') {
			return out, nil
		}
		if !p.take(',') {
			return nil, errSyntax
		}
	}
}

func (p *parser) list(depth int) ([]any, error) {
	if depth >= maxDepth {
		return nil, errors.New("nested too deep")
	}
	p.i++ // the [
	out := []any{}
	if p.take(']') {
		return out, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if p.take(']') {
			return out, nil
		}
		if !p.take(',') {
			return nil, errSyntax
		}
	}
}

func (p *parser) value(depth int) (any, error) {
	p.space()
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.list(depth)
	case c == '"':
		return p.text()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case p.word("true"):
		return true, nil
	case p.word("false"):
		return false, nil
	case p.word("null"):
		return nil, nil
	default:
		return nil, errSyntax
	}
}

func (p *parser) word(w string) bool {
	if len(p.data)-p.i < len(w) || string(p.data[p.i:p.i+len(w)]) != w {
		return false
	}
	p.i += len(w)
	return true
}

// number keeps the text: a float64 would round, and nothing here needs arithmetic but the times.
func (p *parser) number() (pipeline.Number, error) {
	start := p.i
	if p.peek() == '-' {
		p.i++
	}
	switch c := p.peek(); {
	case c == '0':
		p.i++
	case '1' <= c && c <= '9':
		p.digits()
	default:
		return "", errSyntax
	}
	if p.peek() == '.' {
		p.i++
		if !p.digits() {
			return "", errSyntax
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.i++
		if c := p.peek(); c == '+' || c == '-' {
			p.i++
		}
		if !p.digits() {
			return "", errSyntax
		}
	}
	return pipeline.Number(p.data[start:p.i]), nil
}

func (p *parser) digits() bool {
	start := p.i
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.i++
	}
	return p.i > start
}

func (p *parser) text() (string, error) {
	if p.peek() != '"' {
		return "", errSyntax
	}
	p.i++
	start := p.i
	for p.i < len(p.data) {
		switch c := p.data[p.i]; {
		case c == '"':
			s := string(p.data[start:p.i])
			p.i++
			return s, nil
		case c == '\\':
			return p.escaped([]byte(string(p.data[start:p.i])))
		case c < 0x20:
			return "", errSyntax
		}
		p.i++
	}
	return "", errSyntax
}

// escaped goes on with a string that holds a backslash; out is what came before it.
func (p *parser) escaped(out []byte) (string, error) {
	for p.i < len(p.data) {
		c := p.data[p.i]
		p.i++
		switch {
		case c == '"':
			return string(out), nil
		case c < 0x20:
			return "", errSyntax
		case c != '\\':
			out = append(out, c)
			continue
		}
		r, err := p.escape()
		if err != nil {
			return "", err
		}
		out = utf8.AppendRune(out, r)
	}
	return "", errSyntax
}

func (p *parser) escape() (rune, error) {
	c := p.peek()
	p.i++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.unicode()
	}
	return 0, errSyntax
}

func (p *parser) unicode() (rune, error) {
	high, err := p.hex4()
	if err != nil || !utf16.IsSurrogate(high) {
		return high, err
	}
	if !p.word(`\u`) {
		return 0, errors.New("unpaired surrogate")
	}
	low, err := p.hex4()
	if err != nil {
		return 0, err
	}
	r := utf16.DecodeRune(high, low)
	if r == utf8.RuneError {
		return 0, errors.New("unpaired surrogate")
	}
	return r, nil
}

func (p *parser) hex4() (rune, error) {
	if len(p.data)-p.i < 4 {
		return 0, errSyntax
	}
	digits := string(p.data[p.i : p.i+4])
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		return 0, errSyntax
	}
	p.i += 4
	return rune(n), nil
}
