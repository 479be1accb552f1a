package wire

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// sending is the request's body on its way, in a goroutine of its own: the
// backend may answer before it has all.
type sending struct {
	last  atomic.Bool // the write that is under way is the last one
	done  atomic.Bool // all of it is out
	over  chan struct{}
	broke atomic.Pointer[error] // the body itself couldn't be read
}

// whole tells, once the answer is there, whether all of the body is out. A last
// write that is under way has mostly been made: the backend's answer was quicker
// than our own goroutine. If it hasn't, it is not waited for.
func (s *sending) whole(l *link) bool {
	if !s.done.Load() && s.last.Load() {
		_ = l.nc.SetWriteDeadline(longAgo) // ends only what would wait
		<-s.over
		_ = l.nc.SetWriteDeadline(time.Time{})
	}
	return s.done.Load()
}

func (s *sending) body(l *link, r *http.Request) {
	defer closeBody(r)
	defer close(s.over)
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	left := r.ContentLength
	if left == 0 {
		left = -1 // a body of unknown length, as net/http has it; the head says so
	}
	for {
		n, err := r.Body.Read(*buf)
		if n > 0 {
			if left > 0 && int64(n) > left {
				err = errors.New("the body is longer than was said")
			} else if s.last.Store(int64(n) == left); s.piece(l, (*buf)[:n], left < 0) != nil {
				return // the backend takes no more; it may have answered
			}
			if left > 0 {
				left -= int64(n)
			}
		}
		switch {
		case err == nil && left != 0:
		case left == 0, left < 0 && errors.Is(err, io.EOF):
			s.end(l, left < 0)
			return
		default: // half a body must not look like a whole one
			err = unexpected(err)
			s.broke.Store(&err)
			_ = l.nc.SetDeadline(longAgo)
			return
		}
	}
}

func (s *sending) piece(l *link, p []byte, chunked bool) error {
	if !chunked {
		_, err := l.nc.Write(p)
		return err
	}
	size := append(strconv.AppendInt(nil, int64(len(p)), 16), "\r\n"...)
	parts := net.Buffers{size, p, []byte("\r\n")}
	_, err := parts.WriteTo(l.nc)
	return err
}

func (s *sending) end(l *link, chunked bool) {
	if chunked {
		s.last.Store(true)
		if _, err := io.WriteString(l.nc, "0\r\n\r\n"); err != nil {
			return
		}
	}
	s.done.Store(true)
}
