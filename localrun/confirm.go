package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// confirm asks before something that can't be taken back, or cuts somebody off.
// A script says --yes: without a terminal there is nobody to ask.
func confirm(cmd *cobra.Command, yes bool, question string) error {
	if yes {
		return nil
	}
	in := cmd.InOrStdin()
	if file, ok := in.(*os.File); ok {
		info, err := file.Stat()
		if err != nil || info.Mode()&os.ModeCharDevice == 0 {
			return errors.New("there is no terminal to ask on; say --yes if it is meant")
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	line, err := bufio.NewReader(in).ReadString('\n')
	switch answer := strings.ToLower(strings.TrimSpace(line)); {
	case answer == "y", answer == "yes":
		return nil
	case err != nil:
		return errors.New("nobody answers; say --yes if it is meant. Nothing was changed")
	}
	return errors.New("nothing was changed")
}
