package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// Ctrl-C at a question ends the command, and what is typed afterwards counts for nothing.
func TestCtrlCAtAQuestionChangesNothing(t *testing.T) {
	in, typing := io.Pipe()
	defer typing.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	cmd := &cobra.Command{}
	cmd.SetContext(ctx)
	cmd.SetIn(in)
	cmd.SetErr(io.Discard)
	interrupt()
	if err := confirm(cmd, false, "Sure?"); !errors.Is(err, errInterrupted) || exitCode(err) != 130 {
		t.Errorf("got %v, exit code %d, want it interrupted", err, exitCode(err))
	}
	if _, err := pasted(cmd, 100); !errors.Is(err, errInterrupted) {
		t.Errorf("got %v, want it interrupted", err)
	}
}

func TestASlipInASubcommandIsNoSuccess(t *testing.T) {
	for _, args := range [][]string{{"revoke", "usr", "x", "--yes"}, {"revocations", "lst"}, {"limits", "rset", "--all", "--yes"}, {"keys", "suspnd", "x", "--yes"}} {
		cmd := command()
		cmd.SetArgs(args)
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		if err := cmd.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%v: got success", args)
		} else {
			t.Log(err)
		}
	}
}

func TestSpans(t *testing.T) {
	for text, want := range map[string]time.Duration{"7d": 7 * 24 * time.Hour, "36h": 36 * time.Hour, "0": 0, "90m": 90 * time.Minute, "20s": 20 * time.Second} {
		var s lasting
		if err := s.Set(text); err != nil || time.Duration(s) != want {
			t.Errorf("%s: got %v (%v), want %v", text, time.Duration(s), err, want)
		}
	}
	for text, want := range map[time.Duration]string{48 * time.Hour: "2d", 36 * time.Hour: "36h", 90 * time.Minute: "1h30m", 20 * time.Second: "20s", 10 * time.Minute: "10m"} {
		s := lasting(text)
		if s.String() != want {
			t.Errorf("got %s, want %s", s.String(), want)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1w", "0d"} {
		var s lasting
		if s.Set(text) == nil {
			t.Errorf("%q: got %v, want an error", text, time.Duration(s))
		}
	}
}
