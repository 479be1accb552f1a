package tables

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Key names a row. Its parts hold letters, digits, "-" and "_" alone; whoever
// has other text encodes it (base64url, a digest).
type Key struct{ Partition, Row string }

const maxKey = 512 // Azurite's limit, and far below the service's

func (k Key) check() error {
	for _, part := range []string{k.Partition, k.Row} {
		if part == "" || len(part) > maxKey || slices.ContainsFunc([]byte(part), func(b byte) bool { return !keyByte(b) }) {
			return fmt.Errorf("%q can't be part of a key", part)
		}
	}
	return nil
}

func keyByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_'
}

// Fields are a row's values: string, int64 or bool. Their names are letters and digits.
type Fields map[string]any

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
		switch v := value.(type) {
		case int64:
			out[name], out[name+"@odata.type"] = strconv.FormatInt(v, 10), "Edm.Int64"
		case string, bool:
			out[name] = v
		default:
			return nil, fmt.Errorf("the field %s is a %T, which is not kept", name, value)
		}
	}
	return json.Marshal(out)
}

// decode reads what encode wrote, and nothing else: a row that holds anything
// else was not written by this gateway.
func decode(text []byte, etag string) (Row, error) {
	var in map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&in); err != nil {
		return Row{}, errors.New("the store's answer is not a row")
	}
	row := Row{ETag: etag, Fields: make(Fields, len(in))}
	row.Partition, _ = in["PartitionKey"].(string)
	row.Row, _ = in["RowKey"].(string)
	if own, ok := in["odata.etag"].(string); ok && etag == "" {
		row.ETag = own
	}
	for name, value := range in {
		if name == "PartitionKey" || name == "RowKey" || name == "Timestamp" || strings.Contains(name, "odata.") {
			continue
		}
		switch kind, _ := in[name+"@odata.type"].(string); v := value.(type) {
		case string:
			row.Fields[name] = v
			if kind == "Edm.Int64" {
				n, err := strconv.ParseInt(v, 10, 64)
				if err != nil {
					return Row{}, fmt.Errorf("the field %s is not a number", name)
				}
				row.Fields[name] = n
			}
		case json.Number: // Edm.Int32, which someone else may have written
			n, err := v.Int64()
			if err != nil {
				return Row{}, fmt.Errorf("the field %s is not a whole number", name)
			}
			row.Fields[name] = n
		case bool:
			row.Fields[name] = v
		}
	}
	return row, nil
}
