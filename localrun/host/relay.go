package host

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// relay streams the handler's answer, flushing each chunk. As in YARP nothing is
// sent before the first byte of the body, so a failure up to there is still 500.
func (h *Host) relay(c *call, answer *http.Response, active *activity) error {
	h.copyHeaders(c.w.Header(), answer)
	announced := make([]string, 0, len(answer.Trailer))
	for name := range answer.Trailer {
		announced = append(announced, name)
		c.w.Header().Add("Trailer", name)
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := answer.Body.Read(buffer)
		active.touch()
		if n > 0 {
			if !c.w.started {
				c.w.WriteHeader(answer.StatusCode)
			}
			if _, err := c.w.Write(buffer[:n]); err != nil {
				return fmt.Errorf("write to the caller: %w", err)
			}
			if err := c.w.flush(); err != nil {
				return fmt.Errorf("write to the caller: %w", err)
			}
			active.touch()
		}
		switch {
		case errors.Is(err, io.EOF):
			if !c.w.started {
				c.w.WriteHeader(answer.StatusCode)
			}
			copyTrailers(c.w.Header(), answer.Trailer, announced)
			return nil
		case err != nil:
			return fmt.Errorf("read the handler's answer: %w", err)
		}
	}
}

// copyHeaders applies functions-host.md §2c: the same list is dropped on the way
// back.
func (h *Host) copyHeaders(to http.Header, answer *http.Response) {
	for name, values := range answer.Header {
		switch {
		case unproxied(name):
		case name == "Strict-Transport-Security" && (h.options.Variants.DropHSTS || len(to[name]) > 0):
			// YARP 2.0.1 drops it always, later ones when the host sets its own.
		case name == "Content-Length" && answer.ContentLength == 0 && bodiless(answer.StatusCode):
		default:
			to[name] = append(to[name], values...)
		}
	}
	if _, ok := to["Content-Type"]; !ok {
		to["Content-Type"] = nil // keeps Go from guessing one
	}
}

func bodiless(status int) bool { return status < 200 || status == 204 || status == 205 }

func copyTrailers(to, trailer http.Header, announced []string) {
	for name, values := range trailer {
		if !slices.Contains(announced, name) {
			name = http.TrailerPrefix + name
		}
		to[name] = values
	}
}
