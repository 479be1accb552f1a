package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"tollgate/shared/subscription"
)

func TestWhatCutsSomebodyOffIsAskedFor(t *testing.T) {
	for answer, sure := range map[string]bool{"y\n": true, " YES \n": true, "y": true, "n\n": false, "\n": false, "": false, "yes please\n": false} {
		cmd := &cobra.Command{}
		cmd.SetContext(t.Context())
		cmd.SetIn(strings.NewReader(answer))
		cmd.SetErr(io.Discard)
		if err := confirm(cmd, false, "Sure?"); (err == nil) != sure {
			t.Errorf("%q: got %v", answer, err)
		}
		if err := confirm(cmd, true, "Sure?"); err != nil {
			t.Errorf("--yes: got %v", err)
		}
	}
}

func TestAnEndIsADayATimeOrSoManyDays(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"": "", "90d": "2026-05-30T12:00:00Z", "1d": "2026-03-02T12:00:00Z", "2027-06-30": "2027-06-30T00:00:00Z", "2027-06-30T14:00:00+02:00": "2027-06-30T12:00:00Z",
		"soon": "!", "0d": "!", "90": "!", "-1d": "!", "2027-02-30": "!", "999999d": "!",
	} {
		got, err := moment(text, now)
		switch {
		case want == "!" && err == nil, want != "!" && err != nil:
			t.Errorf("%q: got %v, %v", text, got, err)
		case want != "!" && want != "" && got.Format(time.RFC3339) != want:
			t.Errorf("%q: got %s, want %s", text, got.Format(time.RFC3339), want)
		}
	}
}

// Whoever asked for a subscription chose its owner; the question repeats it.
func TestTheQuestionDoesNothingToATerminal(t *testing.T) {
	for _, value := range hostile() {
		r := &subscription.Record{ID: "x", Product: value, Owner: value, State: subscription.Submitted, Tenant: value, Note: value}
		var out strings.Builder
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		if err := (&keysFlags{}).show(cmd, r, ""); err != nil {
			t.Fatal(err)
		}
		if err := writeSubscriptions(&out, []shown{shownOf(r)}); err != nil {
			t.Fatal(err)
		}
		out.WriteString(asking(r, "Sure?"))
		for _, c := range out.String() {
			if c < ' ' && c != '\n' || c >= 0x7f && c < 0xa0 || strings.ContainsRune("\u202e\u2066\u2028\ufeff", c) {
				t.Errorf("%q: got %q", value, out.String())
				break
			}
		}
	}
}
