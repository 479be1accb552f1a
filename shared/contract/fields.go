package contract

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

// field is one field of the language, as its struct tag tells it.
type field struct {
	name     string
	required bool
	index    int
	tag      reflect.StructTag
	typ      reflect.Type
}

func fieldsOf(t reflect.Type) []field {
	var fs []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("field"), ",")
		if name == "" {
			continue
		}
		fs = append(fs, field{name, rest == "required", i, f.Tag, f.Type})
	}
	return fs
}

func names(fs []field) []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = f.name
	}
	return out
}

// choices splits an enum tag. " ,;" is the three separators themselves.
func choices(enum string) []string {
	if enum == " ,;" {
		return []string{" ", ",", ";"}
	}
	return strings.Split(enum, ",")
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// shape says what a node is, in a reader's words.
func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!str":
		return "text"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the truth value " + n.Value
	case "!!null":
		return "nothing"
	default:
		return "a value tagged " + n.ShortTag()
	}
}

func scalarName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Duration]():
		return "a span of time such as 30s"
	case reflect.TypeFor[Size]():
		return "a size such as 10MiB"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	default:
		return "text"
	}
}
