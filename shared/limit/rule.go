package limit

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"tollgate/shared/contract"
)

// slack is what a smooth limit may let through beyond its rate, as a part of
// it: a twentieth. It makes up for counting in slots, so that calls that come
// evenly at the rate pass.
const slack = 20

// Rule is one limit, compiled. It is not changed.
type Rule struct {
	contract.PlannedLimit
	most   int64  // Amount, and with Smooth what any slots + 1 may hold together
	slot   int64  // seconds of a slot; 0 without Smooth
	slots  int64  // that a window of it covers at least
	prefix string // of what its counts are named by
}

// NewRule compiles one limit.
func NewRule(l contract.PlannedLimit) *Rule {
	r := &Rule{PlannedLimit: l, most: l.Amount}
	kind := l.Period
	if l.Period == contract.PeriodFixed {
		kind = strconv.FormatInt(int64(l.Window/time.Second), 10)
	}
	if l.Smooth {
		// Any window of that length touches at most one slot more than it covers, so
		// what holds for every slots + 1 in a row holds for every window.
		seconds := int64(l.Window / time.Second)
		r.slot = (seconds + slack - 1) / slack
		r.slots = (seconds + r.slot - 1) / r.slot
		r.most = l.Amount + l.Amount/slack
		kind += "smooth"
	}
	if l.Bytes {
		kind += "bytes" // what was counted as bytes is no number of calls
	}
	r.prefix = l.Scope + "\x00" + l.Name + "\x00" + kind + "\x00"
	for _, part := range l.By {
		r.prefix += part.Kind + "\x00"
		for _, name := range part.Names {
			r.prefix += name + "\x00"
		}
	}
	return r
}

// Share is the rule with that percentage of the amount, one at least.
func (r *Rule) Share(percent int) *Rule {
	l := r.PlannedLimit
	l.Amount = max(1, l.Amount/100*int64(percent)+l.Amount%100*int64(percent)/100)
	return NewRule(l)
}

// Key names one count: whose, by which rule.
type Key struct {
	Rule  *Rule
	Value []byte    // what it is counted by, as Value encodes it; only valid during the call
	Since time.Time // when the subscription began; zero for none
}

// ID names the count in any store: letters, digits, "-" and "_", 43 of them. Two
// counts never share one: what goes into the digest can be taken apart again.
func (k Key) ID() string {
	h := sha256.New()
	h.Write([]byte(k.Rule.prefix))
	h.Write(k.Value)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Window is a span of the store's clock, in seconds since 1970: from Start to before End.
type Window struct {
	Start int64
	End   int64 // 0: never
}

// Holds tells that both times are in the window.
func (w Window) Holds(lo, hi time.Time) bool {
	return lo.Unix() >= w.Start && (w.End == 0 || hi.Unix() < w.End)
}

// Until is how long it is until the window's end, 0 if it has none.
func (w Window) Until(now time.Time) time.Duration {
	if w.End == 0 {
		return 0
	}
	return time.Unix(w.End, 0).Sub(now)
}

// At is the window of t, which a smooth rule's slot is too.
func (k Key) At(t time.Time) Window {
	r := k.Rule
	switch {
	case r.slot > 0:
		return aligned(t.Unix(), 0, r.slot)
	case r.Period == contract.PeriodTotal:
		return Window{}
	case r.FromSubscription && !k.Since.IsZero():
		return since(t.UTC(), k.Since.UTC().Truncate(time.Second), r)
	case r.Period == contract.PeriodMonth:
		y, m, _ := t.UTC().Date()
		return Window{date(y, m, 1), date(y, m+1, 1)}
	case r.Period == contract.PeriodWeek:
		const monday = 4 * 24 * 3600 // 1970-01-05
		return aligned(t.Unix(), monday, 7*24*3600)
	}
	return aligned(t.Unix(), 0, r.seconds())
}

func date(y int, m time.Month, d int) int64 { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() }

// seconds is the length of windows that all have the same.
func (r *Rule) seconds() int64 {
	switch r.Period {
	case contract.PeriodDay:
		return 24 * 3600
	case contract.PeriodWeek:
		return 7 * 24 * 3600
	}
	return int64(r.Window / time.Second)
}

// aligned is the window of that length around t, counted from anchor.
func aligned(t, anchor, length int64) Window {
	n := (t - anchor) / length
	if t < anchor && (t-anchor)%length != 0 {
		n--
	}
	return Window{anchor + n*length, anchor + (n+1)*length}
}

// since is the window of t, of those that begin with a subscription.
func since(t, began time.Time, r *Rule) Window {
	if r.Period != contract.PeriodMonth {
		return aligned(t.Unix(), began.Unix(), r.seconds())
	}
	n := (t.Year()-began.Year())*12 + int(t.Month()-began.Month())
	for monthsAfter(began, n).After(t) {
		n--
	}
	for !monthsAfter(began, n+1).After(t) {
		n++
	}
	return Window{monthsAfter(began, n).Unix(), monthsAfter(began, n+1).Unix()}
}

// monthsAfter is the same day and time n months on; the last day of a month that is shorter.
func monthsAfter(began time.Time, n int) time.Time {
	first := time.Date(began.Year(), began.Month()+time.Month(n), 1, began.Hour(), began.Minute(), began.Second(), 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(began.Day(), last)-1)
}
