package wire

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// payload is a message's content, taken out of its framing (RFC 9112 §6, §7.1).
// It is used by one goroutine at a time.
type payload struct {
	in       *input
	chunked  bool
	left     int64 // of the content, or of the chunk at hand; -1: until the connection ends
	inside   bool  // a chunk was begun: the CRLF after it is still to come
	trailers int   // bytes that a trailer section may have
	opaque   bool  // as in fields
	trailer  func(http.Header)
	done     bool
}

// read gives io.EOF at the end of the message, and nowhere else.
func (p *payload) read(buf []byte) (int, error) {
	if p.done {
		return 0, io.EOF
	}
	if p.chunked && p.left == 0 {
		if err := p.nextChunk(); err != nil || p.done {
			return 0, orEOF(err)
		}
	}
	if p.left > 0 && int64(len(buf)) > p.left {
		buf = buf[:p.left]
	}
	n, err := p.in.Read(buf)
	switch {
	case n > 0 && p.left > 0:
		p.left -= int64(n)
	case n > 0: // until the connection ends
	case errors.Is(err, io.EOF) && p.left < 0:
		p.done = true
		return 0, io.EOF
	default:
		return 0, unexpected(err)
	}
	p.done = p.left == 0 && !p.chunked
	if p.done {
		return n, io.EOF
	}
	return n, nil
}

func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// unexpected: the end of the connection is not the end of the message.
func unexpected(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// maxChunkLine: 15 hexadecimal digits don't overflow, and no chunk is larger.
const maxChunkLine = 15

// nextChunk reads up to the content of the next chunk, or to the message's end.
// Chunk extensions are refused: nobody uses them, and servers differ in where
// one ends (peers.md §3, CVE-2025-22871, CVE-2025-55315).
func (p *payload) nextChunk() error {
	if p.inside {
		if line, err := p.in.line(0); err != nil || line != "" {
			return chunkFault(err)
		}
	}
	line, err := p.in.line(maxChunkLine)
	if err != nil || line == "" || strings.Trim(line, "0123456789abcdefABCDEF") != "" {
		return chunkFault(err)
	}
	size, err := strconv.ParseInt(line, 16, 64)
	if err != nil {
		return chunkFault(nil)
	}
	p.left, p.inside = size, true
	if size > 0 {
		return nil
	}
	return p.end()
}

func chunkFault(err error) error {
	if err == nil {
		return malformed("a chunk is not a size, its content and line ends")
	}
	return unexpected(err)
}

// end reads the trailer section.
func (p *payload) end() error {
	text, err := p.in.lines(p.trailers, nil)
	if err != nil {
		return unexpected(err)
	}
	if text == "\r\n" {
		p.done = true
		return nil
	}
	h, fault := fields(text, p.trailers/4, p.opaque)
	if fault != nil {
		return fault
	}
	for name := range h {
		if framingField(name) {
			return malformed("a trailer field steers the message")
		}
	}
	p.done = true // not before: after a fault nothing more may be read
	if p.trailer != nil {
		p.trailer(h)
	}
	return nil
}

// line reads one line of at most limit bytes and its CRLF.
func (in *input) line(limit int) (string, error) {
	for {
		data := in.buf[in.r:in.w]
		lf := bytes.IndexByte(data, '\n')
		switch {
		case lf > limit+1, lf < 0 && len(data) > limit+1, lf == 0, lf > 0 && data[lf-1] != '\r':
			return "", malformed("a line is too long, or doesn't end with CRLF")
		case lf > 0:
			in.r += lf + 1
			return string(data[:lf-1]), nil
		}
		if err := in.fill(); err != nil {
			return "", err
		}
	}
}
