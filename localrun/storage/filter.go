package storage

import (
	"strings"
	"time"
)

// A $filter has at most so many comparisons, and parentheses no deeper.
const (
	maxComparisons = 15
	maxDepth       = 32
)

// predicate tells whether an entity, given by its properties, matches.
type predicate func(property func(name string) (value, bool)) bool

// operand is a literal, or a property to look up.
type operand func(property func(name string) (value, bool)) (value, bool)

// parser of: or = and {"or" and}; and = not {"and" not}; not = ["not"] primary.
type parser struct {
	tokens      []lexeme
	comparisons int
	depth       int
}

func parseFilter(text string) (predicate, *refusal) {
	malformed := invalidInput("The $filter is malformed, or has more than 15 comparisons.")
	tokens, ok := lex(text)
	if !ok {
		return nil, malformed
	}
	p := &parser{tokens: tokens}
	match, ok := p.or()
	if !ok || len(p.tokens) > 0 || p.comparisons > maxComparisons {
		return nil, malformed
	}
	return match, nil
}

// word takes the next token if it is this word or sign.
func (p *parser) word(w string) bool {
	if len(p.tokens) == 0 || p.tokens[0].literal || p.tokens[0].word != w {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) or() (predicate, bool) {
	left, ok := p.and()
	for ok && p.word("or") {
		var right predicate
		if right, ok = p.and(); ok {
			a := left
			left = func(e func(string) (value, bool)) bool { return a(e) || right(e) }
		}
	}
	return left, ok
}

func (p *parser) and() (predicate, bool) {
	left, ok := p.not()
	for ok && p.word("and") {
		var right predicate
		if right, ok = p.not(); ok {
			a := left
			left = func(e func(string) (value, bool)) bool { return a(e) && right(e) }
		}
	}
	return left, ok
}

func (p *parser) not() (predicate, bool) {
	if p.depth++; p.depth > maxDepth {
		return nil, false
	}
	defer func() { p.depth-- }()
	if p.word("not") {
		inner, ok := p.not()
		return func(e func(string) (value, bool)) bool { return !inner(e) }, ok
	}
	if p.word("(") {
		inner, ok := p.or()
		return inner, ok && p.word(")")
	}
	return p.comparison()
}

// comparison is of two operands, or a boolean property on its own.
func (p *parser) comparison() (predicate, bool) {
	p.comparisons++
	left, ok := p.operand()
	if !ok {
		return nil, false
	}
	for _, op := range []string{"eq", "ne", "gt", "ge", "lt", "le"} {
		if !p.word(op) {
			continue
		}
		right, ok := p.operand()
		return func(e func(string) (value, bool)) bool {
			a, there := left(e)
			b, also := right(e)
			return there && also && compare(op, a, b)
		}, ok
	}
	return func(e func(string) (value, bool)) bool {
		v, there := left(e)
		return there && v.v == true
	}, true
}

func (p *parser) operand() (operand, bool) {
	if len(p.tokens) == 0 {
		return nil, false
	}
	t := p.tokens[0]
	switch {
	case t.literal:
		p.tokens = p.tokens[1:]
		return func(func(string) (value, bool)) (value, bool) { return t.value, true }, true
	case checkName(t.word) == nil:
		p.tokens = p.tokens[1:]
		return func(e func(string) (value, bool)) (value, bool) { return e(t.word) }, true
	}
	return nil, false
}

// compare is false for values that have no order between them, such as a text and a number.
func compare(op string, a, b value) bool {
	n, ok := order(a, b)
	if !ok {
		return false
	}
	switch op {
	case "eq":
		return n == 0
	case "ne":
		return n != 0
	case "gt":
		return n > 0
	case "ge":
		return n >= 0
	case "lt":
		return n < 0
	}
	return n <= 0
}

func order(a, b value) (n int, ok bool) {
	switch x := a.v.(type) {
	case string:
		y, ok := b.v.(string)
		return strings.Compare(x, y), ok && a.edm == b.edm
	case time.Time:
		y, ok := b.v.(time.Time)
		return x.Compare(y), ok
	case []byte:
		y, ok := b.v.([]byte)
		return strings.Compare(string(x), string(y)), ok
	case bool:
		y, ok := b.v.(bool)
		return rank(x) - rank(y), ok
	}
	return numeric(a, b)
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}
