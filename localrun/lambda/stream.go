package lambda

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// integration is the content type of a streamed answer that says an HTTP answer:
// its status and headers as JSON, eight zero bytes, its body.
const integration = "application/vnd.awslambda.http-integration-response"

// maxPrelude bounds what comes before the zero bytes. Lambda has a limit, but tells none.
const maxPrelude = 64 << 10

// stream hands an answer on as it arrives.
func (f *Front) stream(w http.ResponseWriter, reply *Reply) {
	defer func() { _, _ = io.Copy(io.Discard, reply.Body) }() // a function goes on when the caller has left
	in := bufio.NewReaderSize(reply.Body, 32<<10)
	status := http.StatusOK
	a := answered{Status: &status, Headers: map[string]scalar{"Content-Type": "application/octet-stream"}}
	if reply.Type == integration {
		var err error
		if a, err = prelude(in); err != nil {
			f.fail(w, err)
			return
		}
	}
	f.head(w, a)
	out := http.NewResponseController(w)
	_ = out.Flush()
	chunk := make([]byte, 32<<10)
	for {
		n, err := in.Read(chunk)
		if n > 0 {
			if _, gone := w.Write(chunk[:n]); gone != nil || out.Flush() != nil {
				return
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil: // the only way to tell a caller that the rest is missing
			panic(http.ErrAbortHandler)
		}
	}
}

// prelude reads to the end of the eight zero bytes.
func prelude(in *bufio.Reader) (a answered, err error) {
	var text []byte
	for zeros := 0; zeros < 8; {
		c, err := in.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = malformed(text, "the prelude doesn't end")
			}
			return a, err
		}
		if text = append(text, c); c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		if len(text) > maxPrelude {
			return a, malformed(text, "the prelude is too long")
		}
	}
	text = text[:len(text)-8]
	if err := json.Unmarshal(text, &a); err != nil {
		return a, malformed(text, err.Error())
	}
	if a.Status == nil { // custom: 200 if it isn't said
		status := http.StatusOK
		a.Status = &status
	}
	if *a.Status < 200 || *a.Status > 599 {
		return a, malformed(text, "its statusCode is none")
	}
	return a, nil
}
