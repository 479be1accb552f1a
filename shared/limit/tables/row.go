package tables

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/tables"
)

// mostActive bounds the instances that a row remembers.
const mostActive = 128

// What a partition begins with in place of the window's end.
const (
	never  = "ffffffffff" // it has none
	smooth = "smooth"     // one row holds all slots
)

// state is a row, read.
type state struct {
	limit.Count
	etag   string
	active []active
}

// active is an instance that debited lately, and when: seconds of the store's clock.
type active struct {
	instance uint32
	seen     uint32
}

// rowKey begins with the window's end, so that a range of partitions holds what
// has ended, and nothing else. A smooth rule has one row for all its slots.
func rowKey(r *limit.Rule, id string, w limit.Window) tables.Key {
	end := never
	switch {
	case r.Smooth:
		end = smooth
	case w.End != 0:
		end = fmt.Sprintf("%010x", w.End)
	}
	return tables.Key{Partition: end + "-" + id, Row: "count"}
}

// join notes that this instance debits now, beside those that did lately.
func (s *state) join(instance uint32, now time.Time, horizon time.Duration) {
	seconds := uint32(now.Unix())
	since := seconds - uint32(4*horizon/time.Second) - 2
	kept := []active{{instance, seconds}}
	for _, a := range s.active {
		if a.instance != instance && a.seen >= since && len(kept) < mostActive {
			kept = append(kept, a)
		}
	}
	s.active = kept
}

// decode reads what row wrote. What isn't there is zero.
func decode(row tables.Row) state {
	s := state{etag: row.ETag}
	s.Used = row.Fields.Int("Used")
	for part := range strings.SplitSeq(row.Fields.Text("Slots"), ",") {
		start, used, ok := strings.Cut(part, ":")
		a, errStart := strconv.ParseInt(start, 10, 64)
		b, errUsed := strconv.ParseInt(used, 10, 64)
		if ok && errStart == nil && errUsed == nil {
			s.Slots = append(s.Slots, limit.Slot{Start: a, Used: b})
		}
	}
	text, _ := base64.RawURLEncoding.DecodeString(row.Fields.Text("Active"))
	for ; len(text) >= 8; text = text[8:] {
		s.active = append(s.active, active{binary.BigEndian.Uint32(text), binary.BigEndian.Uint32(text[4:])})
	}
	return s
}

func (s *state) row(name tables.Key, r *limit.Rule, by string, w limit.Window) tables.Row {
	var instances []byte
	for _, a := range s.active {
		instances = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(instances, a.instance), a.seen)
	}
	fields := tables.Fields{
		"Scope": r.Scope, "Name": r.Name, "By": by, "Most": r.Amount, "Bytes": r.Bytes,
		"Used": s.Used, "Starts": w.Start, "Ends": r.Ends(w),
		"Active": base64.RawURLEncoding.EncodeToString(instances),
	}
	if r.Smooth {
		var slots []string
		for _, slot := range s.Slots {
			slots = append(slots, fmt.Sprintf("%d:%d", slot.Start, slot.Used))
		}
		fields["Slots"], fields["Span"] = strings.Join(slots, ","), int64(r.Window/time.Second)
	}
	return tables.Row{Key: name, ETag: s.etag, Fields: fields}
}

// maxReadable bounds it: a hundred thousand are held in memory, of values that callers may have chosen.
const maxReadable = 200

// readable is what the count is by, for people: pairs of what and value, as JSON.
func readable(key limit.Key) string {
	values := limit.Parts(key.Value)
	pairs := [][2]string{}
	for i, by := range key.Rule.By {
		what, value := by.Kind, ""
		if len(by.Names) > 0 {
			what += ":" + strings.Join(by.Names, "|")
		}
		if i < len(values) {
			value = values[i]
		}
		if by.Kind == contract.PerClaim || by.Kind == contract.PerToken {
			_, value = limit.Owned(value)
		}
		if len(value) > maxReadable/len(key.Rule.By) {
			value = value[:maxReadable/len(key.Rule.By)] + "…"
		}
		pairs = append(pairs, [2]string{what, strings.ToValidUTF8(value, "�")})
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // it would make six bytes of one
	_ = enc.Encode(pairs)    // texts always marshal
	return strings.TrimSuffix(text.String(), "\n")
}
