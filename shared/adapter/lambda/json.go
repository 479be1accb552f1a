package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// object is a JSON object whose members are looked at when they are wanted.
// encoding/json takes the last of two members of one name, and Path for path:
// whoever wrote the event, and whoever reads it next, may have meant the other.
type object map[string]json.RawMessage

// parse reads one object and nothing after it. No error holds any of its text:
// errors end up in a log.
func parse(text []byte) (object, error) {
	switch {
	case len(text) == 0:
		return nil, errors.New("it is empty")
	case !utf8.Valid(text):
		return nil, errors.New("it isn't UTF-8")
	case !json.Valid(text):
		return nil, errors.New("it isn't JSON, or was cut off")
	}
	return members(text)
}

// members splits an object whose syntax is known to be right.
func members(text []byte) (object, error) {
	i := space(text, 0)
	if i == len(text) || text[i] != '{' {
		return nil, errors.New("it isn't an object")
	}
	out := object{}
	for i = space(text, i+1); text[i] != '}'; i = space(text, i) {
		if text[i] == ',' {
			i = space(text, i+1)
		}
		end := value(text, i)
		name, err := unquote(text[i:end])
		if err != nil {
			return nil, err
		}
		i = space(text, space(text, end)+1) // past the colon
		end = value(text, i)
		if _, twice := out[name]; twice {
			return nil, errors.New("it has a member twice")
		}
		out[name], i = text[i:end], end
	}
	return out, nil
}

func space(text []byte, i int) int {
	for i < len(text) && strings.IndexByte(" \t\r\n", text[i]) >= 0 {
		i++
	}
	return i
}

// value is where the value that begins at i ends.
func value(text []byte, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case c == '{' || c == '[':
			depth++
		case depth == 0 && (c == ',' || c == '}' || c == ']' || c == ':' || space(text, i) > i):
			return i
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return i
}

// unquote refuses half a surrogate pair, which encoding/json would replace: what
// is decided about must be what was sent.
func unquote(text []byte) (string, error) {
	var s string
	if json.Unmarshal(text, &s) != nil {
		return "", errors.New("it has something else where a text must be")
	}
	if strings.ContainsRune(s, utf8.RuneError) && halved(string(text)) {
		return "", errors.New("it holds half a surrogate pair")
	}
	return s, nil
}

// halved tells whether an escape is half a pair; an escaped or plain U+FFFD is none.
func halved(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if text[i] != 'u' {
			continue
		}
		switch c := text[i+1 : i+5]; {
		case !surrogate(c, "89ab"):
			if surrogate(c, "cdef") {
				return true
			}
		case len(text) < i+11 || text[i+5:i+7] != `\u` || !surrogate(text[i+7:i+11], "cdef"):
			return true
		default:
			i += 6
		}
		i += 4
	}
	return false
}

func surrogate(hex, third string) bool {
	hex = strings.ToLower(hex)
	return hex[0] == 'd' && strings.IndexByte(third, hex[1]) >= 0
}

// has tells whether a member is there and isn't null.
func (o object) has(name string) bool { return o[name] != nil && string(o[name]) != "null" }

// sub is a member that is an object; without it, an empty one.
func (o object) sub(name string) (object, error) {
	if !o.has(name) {
		return nil, nil
	}
	sub, err := members(o[name])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return sub, nil
}

// text is a member that is a text; "" without it.
func (o object) text(name string) (string, error) {
	if !o.has(name) {
		return "", nil
	}
	s, err := unquote(o[name])
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (o object) truth(name string) (bool, error) {
	switch string(o[name]) {
	case "true":
		return true, nil
	case "false", "", "null":
		return false, nil
	}
	return false, fmt.Errorf("%s: it is neither true nor false", name)
}

// list is a member that is a list of texts.
func (o object) list(name string) ([]string, error) {
	if !o.has(name) {
		return nil, nil
	}
	return texts(name, o[name])
}

func texts(name string, raw json.RawMessage) ([]string, error) {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, fmt.Errorf("%s: it isn't a list", name)
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, err := unquote(item)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, s)
	}
	return out, nil
}
