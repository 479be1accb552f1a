package events

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"tollgate/shared/audit"
)

// pause is how often a followed file is looked at.
const pause = 150 * time.Millisecond

// follower reads a file that grows, from where it stood.
type follower struct {
	name string
	file *os.File
	at   int64
	rest []byte // of a line whose end isn't there yet
	long bool   // that line is longer than any event: what remains of it is dropped
}

// Follow hands over each event that is written to the file from now on, until ctx
// ends. A file that is cut, or replaced by a new one, is read from its beginning.
func (r *Reader) Follow(ctx context.Context, name string, ready func(), yield func(audit.Event)) error {
	f := &follower{name: name}
	if err := f.open(); err != nil {
		return err
	}
	defer func() { _ = f.file.Close() }()
	end, err := f.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	f.at = end
	ready()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if err := f.more(r, yield); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (f *follower) open() (err error) {
	f.file, err = os.Open(f.name)
	f.at, f.rest, f.long = 0, nil, false
	return err
}

// more reads what came, and notices a file that began anew.
func (f *follower) more(r *Reader, yield func(audit.Event)) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < f.at {
		if _, err := f.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		f.at, f.rest, f.long = 0, nil, false
		r.Stats.Restarts++
	}
	if err := f.drain(r, yield); err != nil {
		return err
	}
	now, err := os.Stat(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // between two files
	}
	if err != nil || os.SameFile(info, now) {
		return err
	}
	old := f.file
	if err := f.open(); err != nil {
		f.file = old
		return nil
	}
	_ = old.Close()
	r.Stats.Restarts++
	return f.drain(r, yield)
}

func (f *follower) drain(r *Reader, yield func(audit.Event)) error {
	part := make([]byte, 64<<10)
	for {
		n, err := f.file.Read(part)
		f.at += int64(n)
		f.take(part[:n], r, yield)
		if errors.Is(err, io.EOF) || err == nil && n == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (f *follower) take(part []byte, r *Reader, yield func(audit.Event)) {
	for len(part) > 0 {
		end := bytes.IndexByte(part, '\n')
		if end < 0 {
			if len(f.rest)+len(part) > maxLine {
				f.rest, f.long = nil, true
			}
			if !f.long {
				f.rest = append(f.rest, part...)
			}
			return
		}
		line := append(f.rest, part[:end]...)
		part = part[end+1:]
		if f.long {
			r.Stats.Lines, r.Stats.Skipped, r.Stats.TooLong = r.Stats.Lines+1, r.Stats.Skipped+1, r.Stats.TooLong+1
		} else if len(bytes.TrimSpace(line)) > 0 {
			r.Line(line, yield)
		}
		f.rest, f.long = nil, false
	}
}
