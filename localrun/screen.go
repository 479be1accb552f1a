package main

import (
	"io"
	"os"
)

// screen is what a table is drawn on.
type screen struct {
	width  int // in columns; 0: not known, or no terminal
	colour bool
}

// screenOf asks the terminal. A pipe or a file has neither width nor colours.
func screenOf(w io.Writer) screen {
	file, ok := w.(*os.File)
	if !ok {
		return screen{}
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return screen{}
	}
	plainly := os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" // https://no-color.org
	return screen{width: terminalWidth(file), colour: !plainly}
}

// paint shows what is nearly used up in yellow, and what is in red.
func (s screen) paint(text string, share float64) string {
	colour := "32"
	switch {
	case share >= 1:
		colour = "31"
	case share >= 0.8:
		colour = "33"
	}
	if !s.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
