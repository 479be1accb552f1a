package main

import (
	"encoding/csv"
	"strings"
	"testing"

	limits "tollgate/shared/limit/tables"
	"tollgate/shared/subscription"
)

// hostile are values that callers chose.
func hostile() []string {
	return []string{
		"\x1b[2J\x1b[31mowned", "a\r\nb\tc", "\u202egpj.exe", "\u2068\u2066x", "\x9b31m", "a\u0000b", "\xff\xfe", "\u2028next",
		strings.Repeat("long", 500), strings.Repeat("\u0301", 500), "עברית", "مرحبا 123", "漢字", "🙂🙂",
		"=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", " =1", "\t=1", "\r=1", `"=1`, "'=1", "=cmd|'/c calc'!A0", "a,b\"c",
	}
}

func hostileUse(value string) used {
	return used{
		Use: limits.Use{Scope: value, Name: value, Used: 1, Most: 2, By: [][2]string{{"header:X-Site", value}, {"subscription", "x"}}},
		of:  &subscription.Record{ID: "x", Product: value, Owner: value, State: subscription.Active},
	}
}

func TestWhatCallersChoseDoesNothingToATerminal(t *testing.T) {
	for _, value := range hostile() {
		for _, on := range []screen{{}, {width: 100}, {width: 1}} {
			got := drawn(t, []used{{Use: limits.Use{Scope: "api/orders", Name: "l", Used: 1, Most: 2, By: [][2]string{{"header:X-Site", value}}}}}, on)
			for _, r := range got {
				if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || strings.ContainsRune("\u202e\u2066\u2028\ufeff", r) {
					t.Errorf("%q: got %q", value, got)
				}
			}
			for line := range strings.Lines(got) {
				if columns(strings.TrimRight(line, "\n ")) > 160 {
					t.Errorf("%q: got a line of %d columns", value, columns(line))
				}
			}
			if want := 4; on.width == 0 && strings.Count(got, "\n") != want {
				t.Errorf("%q: got %q, want %d lines", value, got, want)
			}
		}
	}
	// The columns beside a text from right to left stay where they are.
	if got := drawn(t, []used{hostileUse("עברית")}, screen{}); strings.Count(got, "\u2068") != 3 || strings.Count(got, "\u2069") != 3 {
		t.Errorf("got %q, want three isolates", got)
	}
	if got := shortened("漢字漢字", 5); got != "漢字…" {
		t.Errorf("got %q", got)
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	var b strings.Builder
	var all []used
	for _, value := range hostile() {
		u := hostileUse(value)
		u.By = u.By[:1]
		all = append(all, u)
	}
	if err := writeUsageCSV(&b, all); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != len(all)+1 {
		t.Fatalf("got %d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.IndexAny(strings.TrimLeft(cell, " \""), "=+-@＝＋－＠") == 0 || strings.ContainsAny(cell, "\r\n\t\x1b\x00") {
				t.Errorf("got %q", cell)
			}
		}
	}
	for value, want := range map[string]string{"=1": "'=1", "a=1": "a=1", " -1": "' -1", "me@example.com": "me@example.com", "\t=1": `\u0009=1`, "": ""} {
		if got := harmless(value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}
