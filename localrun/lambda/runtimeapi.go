package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// routes is the runtime API (runtime API, version 2018-06-01), and of the
// extensions API what a runtime uses to be told of its end.
func (in *instance) routes() http.Handler {
	mux := http.NewServeMux()
	const version = "/2018-06-01/runtime/"
	mux.HandleFunc("GET "+version+"invocation/next", in.serveNext)
	mux.HandleFunc("POST "+version+"invocation/{id}/response", in.serveResponse)
	mux.HandleFunc("POST "+version+"invocation/{id}/error", in.serveError)
	mux.HandleFunc("POST "+version+"init/error", in.serveInitError)
	mux.HandleFunc("POST /2020-01-01/extension/register", in.serveRegister)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	return mux
}

// serveNext holds the request until there is an invocation; the process is
// stopped meanwhile, and may be for hours.
func (in *instance) serveNext(w http.ResponseWriter, r *http.Request) {
	in.mu.Lock()
	busy := in.current != nil
	in.mu.Unlock()
	if busy {
		refuseCall(w, http.StatusForbidden, "InvalidStateTransition", "the invocation before has no answer yet")
		return
	}
	select {
	case in.asked <- struct{}{}:
	default:
		refuseCall(w, http.StatusForbidden, "InvalidStateTransition", "next is asked for already")
		return
	}
	select {
	case inv := <-in.next:
		in.mu.Lock()
		in.current = inv
		in.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", functionARN)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+inv.id[:8]+"-"+inv.id[24:]+inv.id[24:]+";Sampled=0")
		_, _ = w.Write(inv.event) // a process that dies here is seen by watch
	case <-r.Context().Done():
	}
}

// claim is the invocation that a call answers; nil if it doesn't run, or has its answer.
func (in *instance) claim(w http.ResponseWriter, r *http.Request) *invocation {
	in.mu.Lock()
	defer in.mu.Unlock()
	inv := in.current
	if inv == nil || inv.id != r.PathValue("id") {
		refuseCall(w, http.StatusBadRequest, "InvalidRequestID", "no such invocation runs")
		return nil
	}
	if inv.taken {
		refuseCall(w, http.StatusForbidden, "InvalidStateTransition", "it has its answer")
		return nil
	}
	inv.taken = true
	return inv
}

// finish ends an invocation before the runtime hears so: what it does next may depend on it.
func (in *instance) finish(w http.ResponseWriter, inv *invocation) {
	in.mu.Lock()
	in.current = nil
	in.mu.Unlock()
	in.l.report.event(EventAnswered, in.process.PID(), inv.id)
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func (in *instance) serveResponse(w http.ResponseWriter, r *http.Request) {
	inv := in.claim(w, r)
	if inv == nil {
		return
	}
	// custom: the header says that an answer streams. AWS's own library for Go
	// doesn't send it: where an invocation streams, so does whatever is posted.
	if in.l.options.Kind == URLStream || r.Header.Get("Lambda-Runtime-Function-Response-Mode") == "streaming" {
		in.streamed(inv, r)
		in.finish(w, inv)
		return
	}
	limit := in.l.options.Limits.Payload
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		inv.fail(&Failure{"Runtime.TruncatedResponse", err.Error()})
	case int64(len(body)) > limit:
		inv.fail(&Failure{"Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", limit)})
		in.mu.Lock()
		in.current = nil
		in.mu.Unlock()
		refuseCall(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", limit))
		return
	default:
		inv.reply <- &Reply{Type: r.Header.Get("Content-Type"), Body: io.NopCloser(bytes.NewReader(body))}
	}
	in.finish(w, inv)
}

// streamed passes an answer on as it arrives, to its end or to what went wrong.
func (in *instance) streamed(inv *invocation, r *http.Request) {
	reader, writer := io.Pipe()
	inv.reply <- &Reply{Streamed: true, Type: r.Header.Get("Content-Type"), Body: reader}
	limit := in.l.options.Limits.Stream
	_, err := io.Copy(writer, io.LimitReader(r.Body, limit))
	if errors.Is(err, io.ErrClosedPipe) { // nobody listens any more: the function isn't told
		err = nil
	}
	rest, cut := io.Copy(io.Discard, r.Body)
	kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type") // custom: what went wrong on the way
	switch {
	case err != nil || cut != nil:
		err = &Failure{"Runtime.TruncatedResponse", fmt.Sprint(errors.Join(err, cut))}
	case rest > 0:
		err = &Failure{"Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", limit)}
	case kind != "":
		said, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		err = &Failure{kind, string(said)}
	}
	if err != nil {
		in.l.report.event(EventWarning, in.process.PID(), err.Error())
	}
	_ = writer.CloseWithError(err) // nil: the end
}

func (in *instance) serveError(w http.ResponseWriter, r *http.Request) {
	inv := in.claim(w, r)
	if inv == nil {
		return
	}
	failed := failureOf(r)
	in.l.report.event(EventWarning, in.process.PID(), failed.Error())
	inv.fail(failed)
	in.finish(w, inv)
}

func (in *instance) serveInitError(w http.ResponseWriter, r *http.Request) {
	select {
	case in.initFailed <- failureOf(r):
	default:
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

// failureOf is an error as a runtime tells it.
func failureOf(r *http.Request) *Failure {
	var said struct{ ErrorType, ErrorMessage string }
	body, _ := io.ReadAll(io.LimitReader(r.Body, 256<<10))
	_ = json.Unmarshal(body, &said) // what isn't JSON has neither
	f := &Failure{said.ErrorType, said.ErrorMessage}
	if kind := r.Header.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		f.Type = kind
	}
	return f
}

// serveRegister takes a runtime for an extension of itself, of which Lambda
// gives notice before its end.
func (in *instance) serveRegister(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Lambda-Extension-Name") == "" {
		refuseCall(w, http.StatusBadRequest, "InvalidExtensionName", "Lambda-Extension-Name is missing")
		return
	}
	in.extension.Store(true)
	w.Header().Set("Lambda-Extension-Identifier", newID())
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"functionName":%q,"functionVersion":"$LATEST","handler":"bootstrap"}`, functionName)
}

func refuseCall(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errorType":%q,"errorMessage":%q}`, kind, message)
}
