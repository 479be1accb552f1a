package main

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
)

const (
	barWidth           = 20
	leastBar           = 8
	leastBy, defaultBy = 30, 60 // columns for what a count is by: at the least, and where no terminal says how many there are
	gap                = "  "
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
		case strings.HasPrefix(what, contract.PerClaim+":"):
			value = plain(listed(by[1]))
		}
		if value == "" {
			value = "(none)"
		}
		parts = append(parts, what+" "+value)
	}
	return strings.Join(parts, ", ")
}

// listed is a claim that holds a list, which is kept as limit.Value writes it.
func listed(value string) string {
	if parts := limit.Parts([]byte(value)); len(parts) > 0 && string(limit.Value(parts...)) == value {
		return strings.Join(parts, "|")
	}
	return value
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
func bar(share float64, width int) string {
	eighths := int(min(max(share, 0), 1) * float64(width*8))
	if share > 0 && eighths == 0 {
		eighths = 1
	}
	full, part := eighths/8, eighths%8
	text := strings.Repeat("█", full)
	if part > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[part-1])
		full++
	}
	return text + strings.Repeat("·", width-full)
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

// layout is how wide each column is.
type layout struct {
	scope, limit, by, amount, bar, ends int
	stacked                             bool // by stands on a line of its own: it wouldn't fit
}

func layoutOf(lines []usageLine, width int) layout {
	l := layout{len("SCOPE"), len("LIMIT"), len("BY"), len("USED / OF"), barWidth, len("ENDS"), false}
	for _, one := range lines {
		l.scope, l.limit, l.by = max(l.scope, columns(one.scope)), max(l.limit, columns(one.limit)), max(l.by, columns(one.by))
		l.amount, l.ends = max(l.amount, columns(one.amount)), max(l.ends, columns(one.ends))
	}
	if width == 0 {
		l.by = min(l.by, defaultBy)
		return l
	}
	fixed := l.scope + l.limit + l.amount + len("100 %") + l.ends + 5*len(gap)
	if room := width - fixed - l.bar - len(gap); room >= min(l.by, leastBy) {
		l.by = min(l.by, room)
		return l
	}
	l.stacked, l.bar, l.by = true, min(l.bar, max(leastBar, width-fixed)), max(leastBy, width-len(gap))
	return l
}

// writeUses is the table without what is said of it.
func writeUses(w io.Writer, all []used, on screen) error {
	var lines []usageLine
	for _, u := range all {
		lines = append(lines, lineOf(u))
	}
	l := layoutOf(lines, on.width)
	text := l.row(usageLine{scope: "SCOPE", limit: "LIMIT", by: "BY", amount: "USED / OF", ends: "ENDS"}, strings.Repeat(" ", l.bar), "")
	for _, one := range lines {
		text += l.row(one, on.paint(bar(one.share, l.bar), one.share), percent(one.share))
	}
	_, err := io.WriteString(w, text)
	return err
}

func (l layout) row(one usageLine, bar, percent string) string {
	amount := strings.Repeat(" ", l.amount-columns(one.amount)) + one.amount
	by := bounded(shortened(one.by, l.by))
	cells := []string{padded(one.scope, l.scope), padded(one.limit, l.limit), by + strings.Repeat(" ", max(0, l.by-columns(by))), amount, bar, fmt.Sprintf("%5s", percent), one.ends}
	if l.stacked {
		cells = slices.Delete(cells, 2, 3)
		return strings.Join(cells, gap) + "\n" + gap + by + "\n"
	}
	return strings.Join(cells, gap) + "\n"
}
