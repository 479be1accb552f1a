package wire

import (
	"bytes"
	"io"
	"net"
	"net/http"
)

const (
	firstBuffer = 4 << 10  // holds a usual head
	keptBuffer  = 16 << 10 // a larger one is given up between two messages
)

// input is what has come over a connection and wasn't used yet. One goroutine
// at a time may use it.
type input struct {
	conn net.Conn
	buf  []byte
	r, w int // buf[r:w] waits to be used
}

// kept is a buffer for the next message; what one huge head needed is given back.
func kept(buf []byte) []byte {
	if cap(buf) > 2*keptBuffer {
		return nil
	}
	return buf[:0]
}

func (in *input) buffered() int { return in.w - in.r }

// fill waits for at least one byte more.
func (in *input) fill() error {
	switch {
	case in.r == in.w:
		in.r, in.w = 0, 0
		if in.buf == nil || len(in.buf) > keptBuffer {
			in.buf = make([]byte, firstBuffer)
		}
	case in.w == len(in.buf) && in.r > 0:
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
	case in.w == len(in.buf):
		in.buf = append(in.buf, make([]byte, len(in.buf))...)
	}
	n, err := in.conn.Read(in.buf[in.w:])
	in.w += n
	if n > 0 {
		return nil // the error, if there is one, comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// Read gives what is buffered, and then reads past the buffer.
func (in *input) Read(p []byte) (int, error) {
	if in.r < in.w {
		n := copy(p, in.buf[in.r:in.w])
		in.r += n
		return n, nil
	}
	return in.conn.Read(p)
}

// unread puts p behind what is buffered: it came over the connection last.
func (in *input) unread(p []byte) {
	if in.r == in.w {
		in.r, in.w = 0, 0
	}
	in.buf = append(in.buf[:in.w], p...)
	in.w = len(in.buf)
	in.buf = in.buf[:cap(in.buf)]
}

// lines reads whole lines up to and with the empty one. Each must end with CRLF:
// RFC 9112 §2.2 lets a recipient take a bare LF, and that is where readings part.
// first, if there is one, is asked about the first line as soon as it is there.
func (in *input) lines(limit int, first func(line []byte) *Fault) (string, error) {
	start, at := 0, 0 // of the line, and up to where was looked; from in.r
	for {
		data := in.buf[in.r:in.w]
		lf := bytes.IndexByte(data[at:], '\n')
		if lf < 0 && len(data) > limit || at+lf > limit {
			return "", tooLong(start == 0 && first != nil)
		}
		if lf < 0 {
			at = len(data)
			if err := in.fill(); err != nil {
				return "", err
			}
			continue
		}
		end := at + lf
		if end == start || data[end-1] != '\r' {
			return "", malformed("a line ends with a bare LF")
		}
		if start == 0 && first != nil {
			if f := first(data[:end-1]); f != nil {
				return "", f
			}
		}
		at = end + 1
		if end-1 == start {
			text := string(data[:at])
			in.r += at
			return text, nil
		}
		start = at
	}
}

func tooLong(firstLine bool) *Fault {
	if firstLine {
		return &Fault{http.StatusRequestURITooLong, "the request line is too long"}
	}
	return &Fault{http.StatusRequestHeaderFieldsTooLarge, "the header section is too large"}
}
