package revocation

import (
	"fmt"
	"strings"
	"time"

	"tollgate/shared/tables"
)

// TableName is the table of both the entries and the generation.
const TableName = "tollgaterevocations"

// entries is the one partition of all entries: they are listed together, and few.
const entries = "entries"

// generation is the row that changes whenever an entry did: the one that
// instances look at.
func generation() tables.Key { return tables.Key{Partition: "generation", Row: "generation"} }

// Entry is one revocation. Times are whole seconds of the store's clock.
type Entry struct {
	Subject
	NotBefore time.Time // what was issued then or before is refused
	Ends      time.Time // from then on it refuses nothing; zero: never
	Made      time.Time
	By        string // who made it
	Reason    string

	etag string
}

// ended: the earliest that it may be is past the end.
func (e Entry) ended(earliest time.Time) bool { return !e.Ends.IsZero() && !earliest.Before(e.Ends) }

func (e Entry) row() tables.Row {
	ends := int64(0)
	if !e.Ends.IsZero() {
		ends = e.Ends.Unix()
	}
	return tables.Row{
		Key: tables.Key{Partition: entries, Row: e.Name()}, ETag: e.etag,
		Fields: tables.Fields{
			"Kind": string(e.Kind), "Issuer": e.Issuer, "Tenant": e.Tenant, "Id": e.ID,
			"NotBefore": e.NotBefore.Unix(), "Ends": ends, "Made": e.Made.Unix(), "By": e.By, "Reason": e.Reason,
		},
	}
}

// read is the entry that a row holds. A row that can't be one is an error and
// never skipped: someone is to be refused by it.
func read(row tables.Row) (Entry, error) {
	f := row.Fields
	s, err := Of(Kind(f.Text("Kind")), f.Text("Issuer"), f.Text("Tenant"), f.Text("Id"))
	if err == nil && s.Name() != row.Row {
		err = fmt.Errorf("it is named as another one")
	}
	if _, there := f["NotBefore"].(int64); err == nil && !there {
		err = fmt.Errorf("it has no time")
	}
	if err != nil {
		return Entry{}, fmt.Errorf("the entry %s can't be read: %w", row.Row, err)
	}
	e := Entry{
		Subject: s, NotBefore: time.Unix(f.Int("NotBefore"), 0).UTC(), Made: time.Unix(f.Int("Made"), 0).UTC(),
		By: f.Text("By"), Reason: f.Text("Reason"), etag: row.ETag,
	}
	if ends := f.Int("Ends"); ends != 0 {
		e.Ends = time.Unix(ends, 0).UTC()
	}
	return e, nil
}

// shown is text for one line, of bounded length: it is read in terminals.
func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	if runes := []rune(s); len(runes) > 200 {
		s = string(runes[:200])
	}
	return strings.TrimSpace(s)
}
