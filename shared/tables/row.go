package tables

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Key names a row. Its parts hold letters, digits, "-" and "_" alone; whoever
// has other text encodes it (base64url, a digest).
type Key struct{ Partition, Row string }

const maxKey = 512 // Azurite's limit, and far below the service's

func (k Key) check() error {
	for _, part := range []string{k.Partition, k.Row} {
		if part == "" || len(part) > maxKey || slices.ContainsFunc([]byte(part), func(b byte) bool { return !keyByte(b) }) {
			return fmt.Errorf("%.64q can't be part of a key", part)
		}
	}
	return nil
}

func keyByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_'
}

// Fields are a row's values: string, int64 or bool. Their names are letters and
// digits, a letter first, and not those of the service's own fields.
type Fields map[string]any

var fieldName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,254}$`)

func reserved(name string) bool {
	return name == "PartitionKey" || name == "RowKey" || name == "Timestamp"
}

// Text is the field of that name, "" if there is none.
func (f Fields) Text(name string) string {
	s, _ := f[name].(string)
	return s
}

// Int is the field of that name, 0 if there is none.
func (f Fields) Int(name string) int64 {
	n, _ := f[name].(int64)
	return n
}

// Bool is the field of that name, false if there is none.
func (f Fields) Bool(name string) bool {
	b, _ := f[name].(bool)
	return b
}

// Row is one row, and which version of it.
type Row struct {
	Key
	ETag   string
	Fields Fields
}

// encode writes an int64 as text with its type: aztables reads what it is given
// through float64, which holds 53 bits of it (entra-oauth.md §5).
func encode(row Row) ([]byte, error) {
	if err := row.check(); err != nil {
		return nil, err
	}
	out := map[string]any{"PartitionKey": row.Partition, "RowKey": row.Row}
	for name, value := range row.Fields {
		if !fieldName.MatchString(name) || reserved(name) {
			return nil, fmt.Errorf("%.64q can't be the name of a field", name)
		}
		switch v := value.(type) {
		case int64:
			out[name], out[name+"@odata.type"] = strconv.FormatInt(v, 10), "Edm.Int64"
		case string:
			if !utf8.ValidString(v) {
				return nil, fmt.Errorf("the field %s is not UTF-8, and JSON would change it", name)
			}
			out[name] = v
		case bool:
			out[name] = v
		default:
			return nil, fmt.Errorf("the field %s is a %T, which is not kept", name, value)
		}
	}
	return json.Marshal(out)
}

// decode reads what encode wrote, and of what someone else wrote what is the same
// here: a whole number of 32 bits, and the text of a time, a GUID or bytes. Any
// other number is refused: by now aztables has rounded it.
func decode(text []byte, etag string) (Row, error) {
	var in map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&in); err != nil {
		return Row{}, errors.New("the store's answer is not a row")
	}
	row := Row{ETag: etag, Fields: make(Fields, len(in))}
	var first, second bool
	row.Partition, first = in["PartitionKey"].(string)
	row.Row, second = in["RowKey"].(string)
	if !first || !second {
		return Row{}, errors.New("the store's answer is a row without a key")
	}
	if own, ok := in["odata.etag"].(string); ok && etag == "" {
		row.ETag = own
	}
	for name, value := range in {
		if reserved(name) || strings.Contains(name, "odata.") || value == nil {
			continue
		}
		kind, _ := in[name+"@odata.type"].(string)
		v, ok := plain(value, kind)
		if !ok {
			return Row{}, fmt.Errorf("%w: its field %s is not of a type that is kept", ErrUnreadable, name)
		}
		row.Fields[name] = v
	}
	return row, nil
}

// plain is the value as Fields have it.
func plain(value any, kind string) (v any, ok bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 32)
		return n, err == nil
	case string:
		if kind == "Edm.Int64" {
			n, err := strconv.ParseInt(v, 10, 64)
			return n, err == nil
		}
		return v, kind != "Edm.Double" // NaN and the infinities
	}
	return nil, false
}
