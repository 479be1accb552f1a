package limits

import (
	"fmt"
	"strings"
	"time"
)

// The drawing's field, in its own units.
const (
	width, height = 720, 300
	left, bottom  = 60, 40
)

// draw is how many calls were offered and admitted since each window began.
func draw(r *result, limit int64, length, window time.Duration) string {
	var b strings.Builder
	x := func(at time.Duration) float64 {
		return left + float64(at)/float64(length)*(width-left-10)
	}
	y := func(n int64) float64 {
		return height - bottom - min(float64(n)/float64(limit)/1.5, 1)*(height-bottom-20)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	for at := time.Duration(0); at <= length; at += window / 2 {
		fmt.Fprintf(&b, `<line x1="%[1]g" x2="%[1]g" y1="20" y2="%[2]d" stroke="#ddd"/><text x="%[1]g" y="%[3]d" text-anchor="middle">%[4]s</text>`+"\n",
			x(at), height-bottom, height-bottom+18, at)
	}
	fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%[3]g" y2="%[3]g" stroke="#b00" stroke-dasharray="6 4"/><text x="%[1]d" y="%[4]g" dx="4" fill="#b00">limit %[5]d</text>`+"\n",
		left, width-10, y(limit), y(limit)-5, limit)
	fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="#999" stroke-width="1.5"/>`+"\n", trace(r, window, x, y, func(call) bool { return true }))
	fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="#06c" stroke-width="2"/>`+"\n", trace(r, window, x, y, func(c call) bool { return c.admitted }))
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#999">offered, cut off above</text><text x="%d" y="%d" fill="#06c">admitted by 200 instances, since each minute began</text>`+"\n",
		left+10, height-6, left+200, height-6)
	b.WriteString("</svg>\n")
	return b.String()
}

// trace is a line through the counts, a point for each quarter of a second.
func trace(r *result, window time.Duration, x func(time.Duration) float64, y func(int64) float64, counts func(call) bool) string {
	var b strings.Builder
	n, drawn, began := int64(0), time.Duration(-1), time.Duration(-1)
	for _, c := range r.calls {
		if start := c.at / window * window; start != began {
			if began >= 0 {
				fmt.Fprintf(&b, "L%.1f %.1f ", x(start), y(n))
			}
			n, began = 0, start
			fmt.Fprintf(&b, "M%.1f %.1f ", x(start), y(0))
		}
		if counts(c) {
			n++
		}
		if c.at-drawn >= 250*time.Millisecond {
			fmt.Fprintf(&b, "L%.1f %.1f ", x(c.at), y(n))
			drawn = c.at
		}
	}
	return strings.TrimSpace(b.String())
}
