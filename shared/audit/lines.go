package audit

import (
	"context"
	"errors"
	"io"
	"sync"
)

// Outlet is where events go; a Lines or a Batches.
type Outlet interface {
	Sink
	put(line []byte, reserved bool, correlation string) error
	release()
}

// Lines writes each event as one line, with one Write.
//
// The call whose event finds nobody writing writes it, and what others bring
// meanwhile; those others go on at once. So an event is written when its call
// ends, no goroutine has to run for it, and where the writer is stuck it holds up
// one call, however many come.
type Lines struct {
	waiting
	writing bool
	torn    bool  // a line was begun and not ended; whoever writes reads and writes it
	untold  error // what happened while no call was there to be told
	w       io.Writer
}

var _ Outlet = (*Lines)(nil)

// NewLines writes to w.
func NewLines(w io.Writer) *Lines {
	l := &Lines{w: w}
	l.losses.outlet = "stdout"
	return l
}

// rooms lends room for a line.
var rooms = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// Reserve keeps a place.
func (l *Lines) Reserve() bool { return l.reserve() }

// Record writes the event, or leaves it to whoever writes now.
func (l *Lines) Record(_ context.Context, e *Event) error { return hand(e, l) }

// hand encodes the event once for all outlets.
func hand(e *Event, outlets ...Outlet) error {
	room := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	line := append(e.Append((*room)[:0]), '\n')
	*room = line[:0]
	var failed error
	for _, o := range outlets {
		if err := o.put(line, e.Reserved, e.Correlation); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (l *Lines) put(line []byte, reserved bool, correlation string) error {
	l.mu.Lock()
	if reserved {
		l.promised--
	}
	if l.writing {
		defer l.mu.Unlock()
		return l.keep(line, reserved)
	}
	l.writing = true
	told := l.untold
	l.untold = nil
	l.mu.Unlock()
	told = errors.Join(told, l.write(line, correlation))
	for range favours {
		next := l.next()
		if next == nil {
			return told
		}
		for _, line := range next {
			told = errors.Join(told, l.write(line, ""))
		}
	}
	go func() { // so many come that this call would never end
		var told error
		for next := l.next(); next != nil; next = l.next() {
			for _, line := range next {
				told = errors.Join(told, l.write(line, ""))
			}
			l.mu.Lock()
			l.untold = errors.Join(l.untold, told)
			l.mu.Unlock()
			told = nil
		}
	}()
	return told
}

// favours is how many times a call looks whether others brought something.
const favours = 16

// next takes what others brought; nil ends the writing.
func (l *Lines) next() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.lines
	l.lines, l.bytes, l.writing = nil, 0, len(out) > 0
	return out
}

func (l *Lines) write(line []byte, correlation string) error {
	if l.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := l.w.Write(line)
	if n > 0 {
		l.torn = line[n-1] != '\n'
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failing = err != nil
	if err == nil {
		return l.losses.over()
	}
	told := l.losses.add(1, err)
	if loss, ok := errors.AsType[*Loss](told); ok {
		loss.LastFailed = correlation
	}
	return told
}

// all is several outlets as one sink: each event goes to each.
type all []Outlet

var _ Sink = all(nil)

// All is one sink for several outlets. A place is one in each of them.
func All(outlets ...Outlet) Sink {
	if len(outlets) == 1 {
		return outlets[0]
	}
	return all(outlets)
}

func (a all) Reserve() bool {
	for i, o := range a {
		if !o.Reserve() {
			for _, taken := range a[:i] {
				taken.release()
			}
			return false
		}
	}
	return true
}

func (a all) Record(_ context.Context, e *Event) error { return hand(e, a...) }
