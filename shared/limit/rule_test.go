package limit_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
)

func rule(period string, window time.Duration, edit ...func(*contract.PlannedLimit)) *limit.Rule {
	l := contract.PlannedLimit{Name: "l", Scope: "api/a", Amount: 100, Period: period, Window: window}
	for _, e := range edit {
		e(&l)
	}
	return limit.NewRule(l)
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func fromSubscription(l *contract.PlannedLimit) { l.FromSubscription = true }

// G133, G136: windows are UTC's, whatever zone a time is told in, and each second lies in one.
func TestWindows(t *testing.T) {
	const never = ""
	for name, c := range map[string]struct {
		rule             *limit.Rule
		since, now       string
		wantFrom, wantTo string
	}{
		"a minute":                         {rule("", time.Minute), "", "2026-11-26T12:00:59Z", "2026-11-26T12:00:00Z", "2026-11-26T12:01:00Z"},
		"a minute, from its first second":  {rule("", time.Minute), "", "2026-11-26T12:01:00Z", "2026-11-26T12:01:00Z", "2026-11-26T12:02:00Z"},
		"90 seconds":                       {rule("", 90*time.Second), "", "2026-11-26T00:01:30Z", "2026-11-26T00:01:30Z", "2026-11-26T00:03:00Z"},
		"an hour, where zones differ":      {rule("", time.Hour), "", "2026-11-26T05:45:00+05:30", "2026-11-26T00:00:00Z", "2026-11-26T01:00:00Z"},
		"a day, told in another zone":      {rule("day", 0), "", "2026-11-26T23:30:00-02:00", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"},
		"a day when clocks are turned":     {rule("day", 0), "", "2026-03-29T03:30:00+02:00", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"},
		"a week begins on Monday":          {rule("week", 0), "", "2026-11-29T23:59:59Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		"a month":                          {rule("month", 0), "", "2026-11-30T23:59:59Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
		"a month, from its first second":   {rule("month", 0), "", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		"February of a leap year":          {rule("month", 0), "", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		"the second before 2017's leap":    {rule("day", 0), "", "2016-12-31T23:59:59Z", "2016-12-31T00:00:00Z", "2017-01-01T00:00:00Z"},
		"total":                            {rule("total", 0), "", "2026-11-26T12:00:00Z", "1970-01-01T00:00:00Z", never},
		"a subscription's day":             {rule("day", 0, fromSubscription), "2026-11-01T09:30:00Z", "2026-11-26T09:29:59Z", "2026-11-25T09:30:00Z", "2026-11-26T09:30:00Z"},
		"a subscription's hour":            {rule("", time.Hour, fromSubscription), "2026-11-01T09:30:00Z", "2026-11-26T10:15:00Z", "2026-11-26T09:30:00Z", "2026-11-26T10:30:00Z"},
		"a subscription's month":           {rule("month", 0, fromSubscription), "2026-01-15T09:30:00Z", "2026-11-15T09:29:59Z", "2026-10-15T09:30:00Z", "2026-11-15T09:30:00Z"},
		"a month from the 31st, shorter":   {rule("month", 0, fromSubscription), "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"},
		"a month from the 31st, before":    {rule("month", 0, fromSubscription), "2026-01-31T00:00:00Z", "2026-02-27T23:59:59Z", "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"},
		"a month from the 31st, long gone": {rule("month", 0, fromSubscription), "2024-01-31T10:00:00Z", "2026-04-30T09:00:00Z", "2026-03-31T10:00:00Z", "2026-04-30T10:00:00Z"},
		"a window before its subscription": {rule("month", 0, fromSubscription), "2026-11-26T12:00:00Z", "2026-11-26T11:59:59Z", "2026-10-26T12:00:00Z", "2026-11-26T12:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			k := limit.Key{Rule: c.rule}
			if c.since != "" {
				k.Since = at(t, c.since)
			}
			want := limit.Window{Start: at(t, c.wantFrom).Unix()}
			if c.wantTo != never {
				want.End = at(t, c.wantTo).Unix()
			}
			if got := k.At(at(t, c.now)); got != want {
				t.Errorf("got %s to %s, want %s to %s", time.Unix(got.Start, 0).UTC(), time.Unix(got.End, 0).UTC(), c.wantFrom, c.wantTo)
			}
		})
	}
}

// Each second of two years lies in exactly one window, and windows meet.
func TestWindowsMeet(t *testing.T) {
	for name, r := range map[string]*limit.Rule{
		"minute": rule("", time.Minute), "7 s": rule("", 7*time.Second), "day": rule("day", 0), "week": rule("week", 0), "month": rule("month", 0),
		"subscription's month": rule("month", 0, fromSubscription), "smooth": rule("", time.Minute, func(l *contract.PlannedLimit) { l.Smooth = true }),
	} {
		k := limit.Key{Rule: r, Since: at(t, "2025-08-31T17:45:12Z")}
		w := k.At(at(t, "2025-11-30T23:59:58Z"))
		for range 200 {
			if last, next := k.At(time.Unix(w.End-1, 0)), k.At(time.Unix(w.End, 0)); last != w || next.Start != w.End {
				t.Fatalf("%s: got %+v and then %+v after %+v, want them to meet", name, last, next, w)
			}
			w = k.At(time.Unix(w.End, 0))
		}
	}
}

// A block is at least what is asked for, and never more than is left.
func TestBlocks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		d := limit.Demand{
			Want: 1 + random.Int64N(50), Most: random.Int64N(100_000), Left: random.Int64N(10_000) - 100, Last: random.Int64N(5000), Spent: random.Int64N(5000),
			Passed: time.Duration(random.Int64N(int64(time.Minute))) - time.Second, Active: random.IntN(300),
		}
		got := d.Block(10 * time.Second)
		switch {
		case d.Left >= d.Want && got < d.Want, got > max(0, d.Left):
			t.Fatalf("%+v: got %d", d, got)
		case d.Left < int64(d.Active) && got > max(d.Want, d.Most/2000):
			t.Fatalf("%+v: got %d, want next to nothing more than is asked for where all can't have one", d, got)
		}
	}
}

func TestAShareIsOneAtLeast(t *testing.T) {
	for amount, want := range map[int64]int64{1: 1, 9: 1, 100: 10, 109: 10, 1 << 53: (1 << 53) / 10} {
		r := rule("", time.Minute, func(l *contract.PlannedLimit) { l.Amount = amount }).Share(10)
		if r.Amount != want {
			t.Errorf("got %d as a tenth of %d, want %d", r.Amount, amount, want)
		}
	}
}
