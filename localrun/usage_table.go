package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"unicode"

	"tollgate/shared/contract"
)

const (
	barWidth           = 20
	leastBy, defaultBy = 16, 60 // columns for what a count is by: at the least, and where no terminal says how many there are
	debitedNote        = "Used is what instances have debited; a part of it may still be held by them, unspent."
)

// usageLine is a count in columns.
type usageLine struct {
	scope, limit, by, amount, ends string
	share                          float64
}

func lineOf(u used) usageLine {
	l := usageLine{scope: plain(u.Scope), limit: plain(u.Name), by: countedBy(u), share: u.share(), ends: "never ends"}
	l.amount = fmt.Sprintf("%d / %d", u.Used, u.Most)
	if u.Bytes {
		l.amount = sized(u.Used) + " / " + sized(u.Most)
	}
	switch {
	case u.Smooth:
		l.ends = "sliding"
	case u.Ends != nil:
		l.ends = when(*u.Ends)
	}
	return l
}

// countedBy says by what, for people.
func countedBy(u used) string {
	var parts []string
	for _, by := range u.By {
		what, value := by[0], plain(by[1])
		switch {
		case what == contract.PerAll:
			parts = append(parts, "everybody")
			continue
		case what == contract.PerSubscription && u.of != nil:
			value += " (" + plain(purpose(u.of)) + ", " + plain(u.of.Owner) + ")"
		case what == contract.PerAddress:
			value = network(value)
		}
		if value == "" {
			value = "(none)"
		}
		parts = append(parts, what+" "+value)
	}
	return strings.Join(parts, ", ")
}

// network is what an IPv6 address stands for where it is counted by: its /64.
func network(value string) string {
	if a, err := netip.ParseAddr(value); err == nil && a.Is6() && !a.Is4In6() {
		return value + "/64"
	}
	return value
}

// sized is an amount of bytes in the unit that contracts would write.
func sized(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= unit.size {
			text := fmt.Sprintf("%.1f", float64(n)/float64(unit.size))
			return strings.TrimSuffix(text, ".0") + " " + unit.name
		}
	}
	return fmt.Sprintf("%d B", n)
}

// bar fills from the left in eighths, and is full only where all is used.
func bar(share float64) string {
	eighths := min(int(max(share, 0)*barWidth*8), barWidth*8)
	if share > 0 && eighths == 0 {
		eighths = 1
	}
	full, part := eighths/8, eighths%8
	text := strings.Repeat("█", full)
	if part > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[part-1])
		full++
	}
	return text + strings.Repeat("·", barWidth-full)
}

// percent is rounded down, so that 100 % means all of it.
func percent(share float64) string {
	if share > 0 && share < 0.01 {
		return "<1 %"
	}
	return fmt.Sprintf("%d %%", int64(share*100+1e-9))
}

// writeUsage is the table, as wide as the screen.
func writeUsage(w io.Writer, all []used, on screen) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "nothing is used")
		return err
	}
	if err := writeUses(w, all, on); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\n"+debitedNote)
	return err
}

func writeUses(w io.Writer, all []used, on screen) error {
	lines, widths := []usageLine{}, [3]int{len("SCOPE"), len("LIMIT"), len("USED / OF")}
	by, ends := len("BY"), len("ENDS")
	for _, u := range all {
		l := lineOf(u)
		lines = append(lines, l)
		for i, text := range [3]string{l.scope, l.limit, l.amount} {
			widths[i] = max(widths[i], columns(text))
		}
		by, ends = max(by, columns(l.by)), max(ends, len(l.ends))
	}
	room := defaultBy
	if on.width > 0 {
		room = max(leastBy, on.width-widths[0]-widths[1]-widths[2]-ends-barWidth-len("100 %")-6*2)
	}
	by = min(by, room)
	row := func(scope, limit, by string, byWidth int, amount, bar, percent, ends string) string {
		return fmt.Sprintf("%s  %s  %s  %s  %s  %5s  %s\n", padded(scope, widths[0]), padded(limit, widths[1]), padded(by, byWidth),
			strings.Repeat(" ", widths[2]-columns(amount))+amount, bar, percent, ends)
	}
	text := row("SCOPE", "LIMIT", "BY", by, "USED / OF", strings.Repeat(" ", barWidth), "", "ENDS")
	for _, l := range lines {
		text += row(l.scope, l.limit, shortened(l.by, by), by, l.amount, on.paint(bar(l.share), l.share), percent(l.share), l.ends)
	}
	_, err := io.WriteString(w, text)
	return err
}

// columns is how many of a terminal's a text takes: two for what East Asian
// scripts and pictures take. A mark counts as one, so that none comes for free.
func columns(s string) (n int) {
	for _, r := range s {
		switch {
		case r == isolate || r == isolated:
		case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0xff01 && r <= 0xff60 || r >= 0x1f300 && r <= 0x1faff:
			n += 2
		default:
			n++
		}
	}
	return n
}

func padded(s string, width int) string {
	return bounded(s) + strings.Repeat(" ", max(0, width-columns(s)))
}

func shortened(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	var b strings.Builder
	n := 1 // for the ellipsis
	for _, r := range s {
		if n += columns(string(r)); n > width {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}

// Unicode's bidirectional algorithm (UAX #9 §2.4): what stands between these
// doesn't reorder what stands around them.
const isolate, isolated = '\u2068', '\u2069'

// bounded keeps a text that runs from right to left from moving the columns beside it.
func bounded(s string) string {
	rtl := func(r rune) bool {
		return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
	}
	if strings.IndexFunc(s, rtl) < 0 {
		return s
	}
	return string(isolate) + s + string(isolated)
}
