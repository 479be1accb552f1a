package storage

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// The types that a property can have.
const (
	edmString   = "Edm.String"
	edmBoolean  = "Edm.Boolean"
	edmInt32    = "Edm.Int32"
	edmInt64    = "Edm.Int64"
	edmDouble   = "Edm.Double"
	edmDateTime = "Edm.DateTime"
	edmGUID     = "Edm.Guid"
	edmBinary   = "Edm.Binary"
)

// value of a property: v is a string (also for a GUID), bool, int64 (also for
// Int32), float64, time.Time or []byte.
type value struct {
	edm string
	v   any
}

// typed makes a value of what JSON has and the type that was named for it, if any.
func typed(raw any, edm string) (v value, ok bool) {
	switch raw := raw.(type) {
	case bool:
		return value{edmBoolean, raw}, edm == "" || edm == edmBoolean
	case json.Number:
		return number(raw.String(), edm)
	case string:
		return text(raw, edm)
	}
	return value{}, false // objects and arrays
}

// number: an Int64 comes as a text, never as a number.
func number(raw, edm string) (value, bool) {
	n, err := strconv.ParseInt(raw, 10, 32)
	if err == nil && (edm == "" || edm == edmInt32) {
		return value{edmInt32, n}, true
	}
	f, err := strconv.ParseFloat(raw, 64)
	return value{edmDouble, f}, err == nil && (edm == "" || edm == edmDouble)
}

func text(raw, edm string) (value, bool) {
	switch edm {
	case "", edmString:
		return value{edmString, raw}, true
	case edmInt64:
		n, err := strconv.ParseInt(raw, 10, 64)
		return value{edm, n}, err == nil
	case edmDouble:
		f, err := parseDouble(raw)
		return value{edm, f}, err == nil
	case edmDateTime:
		t, err := time.Parse(time.RFC3339, raw)
		return value{edm, t.UTC().Truncate(tick)}, err == nil && t.UTC().Year() >= 1601
	case edmGUID:
		return value{edm, strings.ToLower(raw)}, isGUID(raw)
	case edmBinary:
		b, err := base64.StdEncoding.DecodeString(raw)
		return value{edm, b}, err == nil
	}
	return value{}, false
}

// parseDouble takes what JSON has no number for, too.
func parseDouble(raw string) (float64, error) {
	switch raw {
	case "INF", "Infinity":
		return math.Inf(1), nil
	case "-INF", "-Infinity":
		return math.Inf(-1), nil
	}
	return strconv.ParseFloat(raw, 64)
}

func isGUID(s string) bool {
	digits := strings.ReplaceAll(s, "-", "")
	_, err := hex.DecodeString(digits)
	return err == nil && len(s) == 36 && len(digits) == 32 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-'
}

// format is a time as the service writes it, to 100 ns.
func format(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// json is the value as an answer has it.
func (v value) json() any {
	switch x := v.v.(type) {
	case int64:
		if v.edm == edmInt64 {
			return strconv.FormatInt(x, 10)
		}
	case float64:
		return double(x)
	case time.Time:
		return format(x)
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	}
	return v.v
}

// double keeps the point, by which a reader tells it from an Int32.
func double(f float64) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return json.Number(s)
}

// named tells the types that JSON doesn't show, which minimal metadata names.
func (v value) named() bool {
	switch v.edm {
	case edmInt64, edmDateTime, edmGUID, edmBinary:
		return true
	case edmDouble:
		_, isText := double(v.v.(float64)).(string)
		return isText
	}
	return false
}

// size in bytes, as the documentation of the data model counts it.
func (v value) size() int {
	switch x := v.v.(type) {
	case bool:
		return 1
	case []byte:
		return len(x) + 4
	case string:
		if v.edm == edmString {
			return 2*units(x) + 4
		}
		return 16
	}
	if v.edm == edmInt32 {
		return 4
	}
	return 8
}
