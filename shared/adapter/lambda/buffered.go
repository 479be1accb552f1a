package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"unicode/utf8"

	"tollgate/shared/pipeline"
)

// buffered is an answer that goes out whole, as text if it is one, else in base64.
type buffered struct {
	answer
	body []byte

	read   int  // bytes of the body that were looked at
	longer int  // by how much JSON makes them longer
	binary bool // they aren't UTF-8
}

var (
	_ http.ResponseWriter  = (*buffered)(nil)
	_ pipeline.Retractable = (*buffered)(nil)
)

func (b *buffered) Write(p []byte) (int, error) {
	if err := b.begin(len(p)); err != nil {
		return 0, err
	}
	if b.head {
		return len(p), nil
	}
	b.body = append(b.body, p...)
	b.look()
	if !b.fits(b.text()) && !b.fits(base64.StdEncoding.EncodedLen(len(b.body))) {
		return 0, pipeline.ErrAnswerTooLarge
	}
	return len(p), nil
}

// Retract: nothing is out before the end.
func (b *buffered) Retract() bool {
	b.retract()
	b.body, b.read, b.longer, b.binary = nil, 0, 0, false
	return true
}

// look goes on to what was not looked at yet. The beginning of a character at the
// end waits for its rest.
func (b *buffered) look() {
	for !b.binary && b.read < len(b.body) {
		c := b.body[b.read]
		switch {
		case c == '"' || c == '\\':
			b.longer++
		case c < ' ': // most become six bytes
			b.longer += 5
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b.body[b.read:])
			if r == utf8.RuneError && size == 1 {
				b.binary = utf8.FullRune(b.body[b.read:])
				return
			}
			if r == '\u2028' || r == '\u2029' { // encoding/json escapes them
				b.longer += 3
			}
			b.read += size - 1
		}
		b.read++
	}
}

// text is how long the body is as text in JSON; as long as can be if it is none.
func (b *buffered) text() int {
	if b.binary {
		return int(b.most)
	}
	return len(b.body) + b.longer
}

// overhead is more than an answer has besides its body and its header.
const overhead = 1 << 10

// fits tells whether an answer can go out with a body of n bytes.
func (b *buffered) fits(n int) bool {
	n += overhead
	for name, values := range b.said {
		for _, v := range values {
			n += len(name) + 2*len(v) + 8
		}
	}
	return n <= int(b.most)
}

// encode writes the answer as the front reads it.
func (b *buffered) encode() ([]byte, error) {
	p := payload{prelude: b.prelude()}
	if b.read == len(b.body) && b.fits(b.text()) {
		p.Body = string(b.body)
	} else {
		p.Body, p.IsBase64Encoded = base64.StdEncoding.EncodeToString(b.body), true
	}
	return marshal(p)
}

// marshal leaves <, > and & as they are: each would become six bytes.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, errors.New("the answer can't be written as JSON")
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
