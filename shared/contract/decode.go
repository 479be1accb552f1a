package contract

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// mark is where a value or key stands in its file.
type mark struct{ line, column, width int }

// document is one file, decoded, with the place of everything in it.
type document struct {
	file string
	at   map[string]mark // by path, such as "operations.2.match"; "operations.2.match#" is the key
	bad  *Faults

	patterns map[string]*regexp.Regexp // compiled so far, for all documents of an estate: the start waits for them
}

func (d *document) pattern(text string) *regexp.Regexp {
	p := d.patterns[text]
	if p == nil {
		p = regexp.MustCompile(text)
		d.patterns[text] = p
	}
	return p
}

func (d *document) fault(path, format string, args ...any) {
	d.report(Fault{Message: fmt.Sprintf(format, args...)}, path)
}

func (d *document) warn(path, format string, args ...any) {
	d.report(Fault{Message: fmt.Sprintf(format, args...), Warning: true}, path)
}

// report places the fault at path, or at the nearest thing around it that the file has.
func (d *document) report(f Fault, path string) {
	f.File = d.file
	for p := path; ; {
		if m, ok := d.at[p]; ok {
			f.Line, f.Column, f.Width = m.line, m.column, m.width
			break
		}
		cut := strings.LastIndexByte(p, '.')
		if cut < 0 {
			if p == "" {
				break
			}
			p = ""
			continue
		}
		p = p[:cut]
	}
	*d.bad = append(*d.bad, f)
}

func (d *document) place(path string, n *yaml.Node) {
	width := max(len([]rune(n.Value)), 1)
	if n.Kind != yaml.ScalarNode {
		width = 1
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		width += 2
	}
	d.at[path] = mark{n.Line, n.Column, width}
}

// decode fills v from n and reports all that doesn't fit. tag holds the rules of the field that v is.
func (d *document) decode(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	d.place(path, n)
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fault(path, "anchors and aliases are not part of the language; write the value out")
		return
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		d.fault(path, "has no value; give it one or remove the line")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch {
	case v.Type() == reflect.TypeFor[Names]():
		d.decodeNames(n, v, path)
	case v.Type() == reflect.TypeFor[Secret]():
		d.decodeSecret(n, v, path)
	case v.Kind() == reflect.Struct:
		d.decodeStruct(n, v, path)
	case v.Kind() == reflect.Slice:
		d.decodeList(n, v, path, tag)
	case v.Kind() == reflect.Map:
		d.decodeMap(n, v, path, tag)
	default:
		d.decodeScalar(n, v, path, tag)
	}
}

// is reports a node of another shape than wanted.
func (d *document) is(n *yaml.Node, kind yaml.Kind, want, path string) bool {
	if n.Kind != kind {
		d.fault(path, "want %s, got %s", want, shape(n))
	}
	return n.Kind == kind
}

func (d *document) decodeStruct(n *yaml.Node, v reflect.Value, path string) {
	if !d.is(n, yaml.MappingNode, "a mapping (name: value)", path) {
		return
	}
	fields := fieldsOf(v.Type())
	seen := d.entries(n, path, func(key, value *yaml.Node, at string) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == key.Value })
		if i < 0 {
			d.fault(at+"#", "unknown field %q%s", key.Value, suggest(key.Value, names(fields)))
			return
		}
		d.decode(value, v.Field(fields[i].index), at, fields[i].tag)
	})
	for _, f := range fields {
		if f.required && !seen[f.name] {
			d.fault(path, "%q is missing: %s", f.name, f.tag.Get("doc"))
		}
	}
}

func (d *document) decodeMap(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if !d.is(n, yaml.MappingNode, "a mapping (name: value)", path) {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	keys := d.pattern(tag.Get("keys"))
	d.entries(n, path, func(key, value *yaml.Node, at string) {
		if !keys.MatchString(key.Value) {
			d.fault(at+"#", "%q can't be a name here; it must match %s", key.Value, keys)
			return
		}
		e := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, e, at, "")
		v.SetMapIndex(reflect.ValueOf(key.Value), e)
	})
}

// entries visits each key once, reporting a key that isn't plain text or is there twice.
func (d *document) entries(n *yaml.Node, path string, visit func(key, value *yaml.Node, at string)) map[string]bool {
	seen := map[string]bool{}
	if len(n.Content) == 0 {
		d.fault(path, "is empty; fill it or remove the line")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, key.Value)
		if !seen[key.Value] {
			d.place(at+"#", key)
		}
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			d.place(at+"#", key)
			d.fault(at+"#", "a name must be plain text, got %s", shape(key))
		case seen[key.Value]:
			d.place(at+"##", key)
			d.fault(at+"##", "%q is there twice, first on line %d", key.Value, d.at[at+"#"].line)
		default:
			seen[key.Value] = true
			visit(key, value, at)
		}
	}
	return seen
}

func (d *document) decodeList(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if !d.is(n, yaml.SequenceNode, "a list", path) {
		return
	}
	if len(n.Content) == 0 {
		// An empty list could be read as "none needed"; silence must never be a rule.
		d.fault(path, "is an empty list; name something or remove the line")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	seen := map[string]bool{}
	for i, item := range n.Content {
		at := join(path, strconv.Itoa(i))
		d.decode(item, out.Index(i), at, tag)
		if item.Kind == yaml.ScalarNode && item.Value != "" {
			if seen[item.Value] {
				d.fault(at, "%q is in the list twice", shown(item.Value))
			}
			seen[item.Value] = true
		}
	}
	v.Set(out)
}

func (d *document) decodeNames(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.ScalarNode {
		one := reflect.New(reflect.TypeFor[string]()).Elem()
		d.decodeScalar(n, one, path, "")
		v.Set(reflect.ValueOf(Names{one.String()}))
		return
	}
	var many []string
	d.decodeList(n, reflect.ValueOf(&many).Elem(), path, "")
	v.Set(reflect.ValueOf(Names(many)))
}

func (d *document) decodeScalar(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if !d.is(n, yaml.ScalarNode, scalarName(v.Type()), path) {
		return
	}
	if err := setScalar(n, v); err != "" {
		d.fault(path, "%s", err)
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Type() != reflect.TypeFor[PEM]() { // bind reads that one
			d.checkText(v.String(), v.Type() == reflect.TypeFor[Text](), path, tag)
		}
	case reflect.Int:
		if low, err := strconv.ParseInt(tag.Get("min"), 10, 64); err == nil && v.Int() < low {
			d.fault(path, "must be at least %d, got %d", low, v.Int())
		}
	}
}

func (d *document) checkText(s string, bound bool, path string, tag reflect.StructTag) {
	if enum := tag.Get("enum"); enum != "" && !slices.Contains(choices(enum), s) {
		d.fault(path, "%q is not one of %s", s, strings.Join(choices(enum), ", "))
	}
	if p := tag.Get("pattern"); p != "" && !d.pattern(p).MatchString(s) {
		d.fault(path, "%q must match %s", s, p)
	}
	if s == "" {
		d.fault(path, "is empty; give it a value or remove the line")
	}
	if strings.Contains(s, "${secret:") {
		d.fault(path, "%s", misplacedSecret)
		return
	}
	if !bound && strings.Contains(s, "${") {
		d.fault(path, "can't take a value of the environment: ${…} is allowed only in backend.url, backend.targets, audience, values, issuer, discovery, and resource and clientId of authenticate")
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }); i >= 0 && path != "description" && !strings.HasSuffix(path, ".description") {
		d.fault(path, "holds a control character at byte %d", i)
	}
}
