package limittest

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"tollgate/shared/tables"
)

// Table is rows in memory, with what is asked of it counted.
type Table struct {
	Now func() time.Time // its own clock

	mu      sync.Mutex
	meet    func(writes bool) error
	after   func(writes bool) error
	rows    map[tables.Key]tables.Row
	version int

	reads, writes, conflicts int
}

// NewTable is empty.
func NewTable(now func() time.Time) *Table {
	return &Table{Now: now, rows: map[tables.Key]tables.Row{}}
}

// Meet is called before each request from now on, outside of any lock; its error
// fails the request. After is called once that has taken effect: its error is an
// outcome that the asker doesn't know. nil for neither.
func (s *Table) Meet(before, after func(writes bool) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meet, s.after = before, after
}

func (s *Table) trouble() (before, after func(writes bool) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meet, s.after
}

// Spent is what was asked of it so far.
func (s *Table) Spent() (reads, writes, conflicts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads, s.writes, s.conflicts
}

// View is the table as one instance sees it.
type View struct {
	*Table
	Clock *tables.Clock
}

// View is the table as an instance on that machine sees it.
func (s *Table) View(machine tables.Machine) View { return View{s, tables.NewClock(machine)} }

// Get reads a row.
func (s View) Get(_ context.Context, key tables.Key) (row tables.Row, err error) {
	err = s.answer(false, func() error {
		s.reads++
		found, ok := s.rows[key]
		if !ok {
			return tables.ErrNotFound
		}
		row = found
		row.Fields = maps.Clone(found.Fields)
		return nil
	})
	return row, err
}

// Insert adds a row.
func (s View) Insert(_ context.Context, row tables.Row) (etag string, err error) {
	err = s.answer(true, func() error {
		s.writes++
		if _, ok := s.rows[row.Key]; ok {
			s.conflicts++
			return tables.ErrExists
		}
		etag = s.put(row)
		return nil
	})
	return etag, err
}

// Replace changes a row, if it is the one with row.ETag.
func (s View) Replace(_ context.Context, row tables.Row) (etag string, err error) {
	err = s.answer(true, func() error {
		s.writes++
		switch found, ok := s.rows[row.Key]; {
		case !ok:
			return tables.ErrNotFound
		case found.ETag != row.ETag:
			s.conflicts++
			return tables.ErrChanged
		}
		etag = s.put(row)
		return nil
	})
	return etag, err
}

func (s *Table) put(row tables.Row) string {
	s.version++
	row.ETag = fmt.Sprint(s.version)
	row.Fields = maps.Clone(row.Fields)
	s.rows[row.Key] = row
	return row.ETag
}

// answer is one exchange; its clock hears the date of it, in whole seconds.
func (s View) answer(writes bool, do func() error) error {
	asked := s.Clock.Moment()
	before, after := s.trouble()
	if before != nil {
		if err := before(writes); err != nil {
			return err
		}
	}
	s.mu.Lock()
	err := do()
	date := s.Now().Truncate(time.Second)
	s.mu.Unlock()
	if after != nil {
		if err := after(writes); err != nil {
			return err
		}
	}
	s.Clock.Heard(asked, date)
	return err
}
