package telemetry

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// encoder writes OTLP's messages, as protobuf or as JSON (OTLP 1.x, "JSON
// Protobuf Encoding"). What is written is said once, with each field's number and
// its name. Both by hand: protobuf's library, and what the stock exporter links
// besides, are seven million bytes.
type encoder struct {
	out   []byte
	json  bool
	ends  []int // of open messages, in protobuf: where their length goes
	comma bool  // in JSON: something stands before
}

// open begins a message; in a list its name is "".
func (e *encoder) open(field int, name string) {
	if e.json {
		e.key(name)
		e.out, e.comma = append(e.out, '{'), false
		return
	}
	e.tag(field, 2)
	e.out = append(e.out, 0) // room for a length below 128
	e.ends = append(e.ends, len(e.out))
}

func (e *encoder) close() {
	if e.json {
		e.out, e.comma = append(e.out, '}'), true
		return
	}
	at := e.ends[len(e.ends)-1]
	e.ends = e.ends[:len(e.ends)-1]
	size := uint64(len(e.out) - at)
	if size < 0x80 {
		e.out[at-1] = byte(size)
		return
	}
	var room [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(room[:], size)
	e.out = append(e.out, room[:n-1]...) // as long as the length is longer than the room
	copy(e.out[at-1+n:], e.out[at:at+int(size)])
	copy(e.out[at-1:], room[:n])
}

// list begins a repeated field in JSON; protobuf repeats the field.
func (e *encoder) list(name string) {
	if e.json {
		e.key(name)
		e.out, e.comma = append(e.out, '['), false
	}
}

func (e *encoder) endList() {
	if e.json {
		e.out, e.comma = append(e.out, ']'), true
	}
}

func (e *encoder) key(name string) {
	if e.comma {
		e.out = append(e.out, ',')
	}
	e.comma = true
	if name != "" {
		e.out = append(append(append(e.out, '"'), name...), '"', ':')
	}
}

func (e *encoder) tag(field, kind int) {
	if field < 16 { // nearly all
		e.out = append(e.out, byte(field<<3|kind))
		return
	}
	e.out = binary.AppendUvarint(e.out, uint64(field)<<3|uint64(kind))
}

// text leaves out what is empty, as protobuf does; value keeps it.
func (e *encoder) text(field int, name, s string) {
	if s != "" {
		e.value(field, name, s)
	}
}

func (e *encoder) value(field int, name, s string) {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if !e.json {
		e.tag(field, 2)
		e.out = append(binary.AppendUvarint(e.out, uint64(len(s))), s...)
		return
	}
	e.key(name)
	e.out = appendJSON(e.out, s)
}

func appendJSON(out []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c > 0x7e {
			quoted, _ := json.Marshal(s) // texts always encode
			return append(out, quoted...)
		}
	}
	return append(append(append(out, '"'), s...), '"')
}

// bytes are ids: hexadecimal in JSON, and not base64 as protobuf's own mapping has it.
func (e *encoder) bytes(field int, name string, b []byte) {
	if !e.json {
		e.tag(field, 2)
		e.out = append(binary.AppendUvarint(e.out, uint64(len(b))), b...)
		return
	}
	e.key(name)
	e.out = append(e.out, '"')
	e.out = append(hex.AppendEncode(e.out, b), '"')
}

// enum is a small number: in JSON too.
func (e *encoder) enum(field int, name string, n int) {
	if n == 0 {
		return
	}
	if !e.json {
		e.tag(field, 0)
		e.out = binary.AppendUvarint(e.out, uint64(n))
		return
	}
	e.key(name)
	e.out = strconv.AppendInt(e.out, int64(n), 10)
}

func (e *encoder) bool(field int, name string, b bool) {
	if !b {
		return
	}
	if !e.json {
		e.tag(field, 0)
		e.out = append(e.out, 1)
		return
	}
	e.key(name)
	e.out = append(e.out, "true"...)
}

// integer is an int64: a text in JSON.
func (e *encoder) integer(field int, name string, n int64) {
	if !e.json {
		e.tag(field, 0)
		e.out = binary.AppendUvarint(e.out, uint64(n))
		return
	}
	e.key(name)
	e.out = append(strconv.AppendInt(append(e.out, '"'), n, 10), '"')
}

// fixed is a fixed64: a time or a count.
func (e *encoder) fixed(field int, name string, n uint64) {
	if !e.json {
		e.tag(field, 1)
		e.out = binary.LittleEndian.AppendUint64(e.out, n)
		return
	}
	e.key(name)
	e.out = append(strconv.AppendUint(append(e.out, '"'), n, 10), '"')
}

// flags are a fixed32: a number in JSON.
func (e *encoder) flags(field int, name string, n uint32) {
	if !e.json {
		e.tag(field, 5)
		e.out = binary.LittleEndian.AppendUint32(e.out, n)
		return
	}
	e.key(name)
	e.out = strconv.AppendUint(e.out, uint64(n), 10)
}

func (e *encoder) double(field int, name string, f float64) {
	if !e.json {
		e.tag(field, 1)
		e.out = binary.LittleEndian.AppendUint64(e.out, math.Float64bits(f))
		return
	}
	e.key(name)
	e.number(f)
}

// number: what JSON has no digits for is a text in protobuf's mapping.
func (e *encoder) number(f float64) {
	switch {
	case math.IsNaN(f):
		e.out = append(e.out, `"NaN"`...)
	case math.IsInf(f, 1):
		e.out = append(e.out, `"Infinity"`...)
	case math.IsInf(f, -1):
		e.out = append(e.out, `"-Infinity"`...)
	default:
		e.out = strconv.AppendFloat(e.out, f, 'g', -1, 64)
	}
}

// counts and bounds are packed lists.
func (e *encoder) counts(field int, name string, all []uint64) {
	e.packed(field, name, len(all), func(i int) uint64 { return all[i] }, func(i int) {
		e.out = append(strconv.AppendUint(append(e.out, '"'), all[i], 10), '"')
	})
}

func (e *encoder) bounds(field int, name string, all []float64) {
	e.packed(field, name, len(all), func(i int) uint64 { return math.Float64bits(all[i]) }, func(i int) { e.number(all[i]) })
}

func (e *encoder) packed(field int, name string, n int, bits func(int) uint64, text func(int)) {
	if !e.json {
		e.tag(field, 2)
		e.out = binary.AppendUvarint(e.out, uint64(8*n))
		for i := range n {
			e.out = binary.LittleEndian.AppendUint64(e.out, bits(i))
		}
		return
	}
	e.list(name)
	for i := range n {
		e.key("")
		text(i)
	}
	e.endList()
}
