package lambda

import (
	"errors"
	"io"
	"net/http"

	"tollgate/shared/pipeline"
)

// streamType tells AWS that the answer begins with a prelude.
const streamType = "application/vnd.awslambda.http-integration-response"

// streamed is an answer that goes out while it comes: a prelude in JSON, eight
// zero bytes, and the content.
type streamed struct {
	answer
	out   *io.PipeWriter
	begun bool // some of it is out
}

var (
	_ http.ResponseWriter  = (*streamed)(nil)
	_ pipeline.Retractable = (*streamed)(nil)
)

func (s *streamed) Write(p []byte) (int, error) {
	if err := s.begin(len(p)); err != nil {
		return 0, err
	}
	if s.head || len(p) == 0 {
		return len(p), nil
	}
	if err := s.start(); err != nil {
		return 0, err
	}
	return s.out.Write(p)
}

// FlushError sends the prelude: content is never held back (http.ResponseController).
func (s *streamed) FlushError() error { return s.start() }

// Retract is possible until the prelude is out.
func (s *streamed) Retract() bool {
	if s.begun {
		return false
	}
	s.retract()
	return true
}

func (s *streamed) start() error {
	if s.begun {
		return nil
	}
	s.begun = true
	text, err := marshal(s.prelude())
	if err != nil {
		return err
	}
	_, err = s.out.Write(append(text, 0, 0, 0, 0, 0, 0, 0, 0))
	return err
}

// end completes the answer, or breaks it off.
func (s *streamed) end(whole bool) {
	if whole && s.start() == nil {
		_ = s.out.Close() // never fails
		return
	}
	_ = s.out.CloseWithError(errors.New("the answer broke off"))
}
