package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// errInterrupted ends a command that a person stopped while it waited for them.
var errInterrupted = errors.New("interrupted; nothing was changed")

// awaited is what read reads from a person, unless they press Ctrl-C first. The
// read can't be ended; its goroutine ends with the process.
func awaited(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := read()
		got <- answer{text, err}
	}()
	select {
	case a := <-got:
		if ctx.Err() != nil {
			return "", errInterrupted
		}
		return a.text, a.err
	case <-ctx.Done():
		return "", errInterrupted
	}
}

// terminal tells that a person sits there.
func terminal(in io.Reader) bool {
	file, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// pasted is a token from standard input; a person at a terminal is told what is waited for.
func pasted(cmd *cobra.Command, most int64) (string, error) {
	in := cmd.InOrStdin()
	if terminal(in) {
		fmt.Fprintln(cmd.ErrOrStderr(), "Paste the token, and end with Ctrl-D on a line of its own.")
	}
	text, err := awaited(cmd.Context(), func() (string, error) {
		all, err := io.ReadAll(io.LimitReader(in, most))
		return string(all), err
	})
	if errors.Is(err, errInterrupted) {
		return "", err
	}
	if err != nil {
		return "", fmt.Errorf("read the token from standard input: %w", err)
	}
	return strings.TrimSpace(text), nil
}

// confirm asks before something that can't be taken back, or cuts somebody off.
// A script says --yes: without a terminal there is nobody to ask.
func confirm(cmd *cobra.Command, yes bool, question string) error {
	if yes {
		return nil
	}
	in := cmd.InOrStdin()
	if _, file := in.(*os.File); file && !terminal(in) {
		return errors.New("there is no terminal to ask on; say --yes if it is meant")
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	line, err := awaited(cmd.Context(), func() (string, error) { return bufio.NewReader(in).ReadString('\n') })
	switch answer := strings.ToLower(strings.TrimSpace(line)); {
	case errors.Is(err, errInterrupted):
		fmt.Fprintln(cmd.ErrOrStderr())
		return err
	case answer == "y", answer == "yes":
		return nil
	case err != nil:
		return errors.New("nobody answers; say --yes if it is meant. Nothing was changed")
	}
	return errors.New("nothing was changed")
}

// lasting is a time that people write with days too.
type lasting time.Duration

func (s *lasting) Set(text string) error {
	if n, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil && strings.HasSuffix(text, "d") && n > 0 && n < 10_000 {
		*s = lasting(n) * lasting(24*time.Hour)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("write a time such as 36h or 7d")
	}
	*s = lasting(d)
	return nil
}

func (s *lasting) String() string {
	d := time.Duration(*s)
	if d > 0 && d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	text := d.String() // 36h0m0s
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (s *lasting) Type() string { return "time" }
