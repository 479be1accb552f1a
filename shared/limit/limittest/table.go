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
	// Meet is called before each request, outside of any lock; an error fails it.
	// After is called once it has taken effect: its error is an outcome that the asker doesn't know.
	Meet, After func(writes bool) error

	mu      sync.Mutex
	rows    map[tables.Key]tables.Row
	version int

	Reads, Writes, Conflicts int
}

// NewTable is empty.
func NewTable(now func() time.Time) *Table {
	return &Table{Now: now, rows: map[tables.Key]tables.Row{}}
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
		s.Reads++
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
		s.Writes++
		if _, ok := s.rows[row.Key]; ok {
			s.Conflicts++
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
		s.Writes++
		switch found, ok := s.rows[row.Key]; {
		case !ok:
			return tables.ErrNotFound
		case found.ETag != row.ETag:
			s.Conflicts++
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
	if s.Meet != nil {
		if err := s.Meet(writes); err != nil {
			return err
		}
	}
	s.mu.Lock()
	err := do()
	date := s.Now().Truncate(time.Second)
	s.mu.Unlock()
	if s.After != nil {
		if err := s.After(writes); err != nil {
			return err
		}
	}
	s.Clock.Heard(asked, date)
	return err
}
