package inspector

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// alive is how often a stream without requests says that it is still there.
const alive = 15 * time.Second

// stream sends each request as it is decided: server-sent events, one row each,
// from the number after the one that the page has. A page that was too slow, or
// lost its connection, asks again from where it is.
func (in *Inspector) stream(w http.ResponseWriter, r *http.Request) {
	news, leave := in.log.watch()
	defer leave()
	f := filterOf(r.URL.Query())
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	if last, err := strconv.Atoi(r.Header.Get("Last-Event-ID")); err == nil {
		after = last
	}
	w.Header().Set("Content-Type", "text/event-stream")
	s := sender{w, http.NewResponseController(w)}
	if !s.send("retry: 1000\n\n") {
		return
	}
	missed := in.log.newest(f)
	slices.Reverse(missed)
	told := after // the highest number
	for _, e := range missed {
		if e.number > after && !s.row(e) {
			return
		}
		told = max(told, e.number)
	}
	beat := time.NewTicker(alive)
	defer beat.Stop()
	for ok := true; ok; {
		select {
		case e, open := <-news:
			if !open {
				return
			}
			if e.number > told {
				missed = nil // what came while it was sent is over; the log alone keeps entries
			}
			ok = !f.keeps(e) || slices.Contains(missed, e) || s.row(e)
		case <-beat.C:
			ok = s.send(": still here\n\n")
		case <-r.Context().Done():
			return
		}
	}
}

// sender writes a stream.
type sender struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

func (s sender) row(e *entry) bool {
	text, err := json.Marshal(rowOf(e)) // no line end in it
	return err == nil && s.send(fmt.Sprintf("id: %d\ndata: %s\n\n", e.number, text))
}

// send tells whether somebody is there.
func (s sender) send(text string) bool {
	_, err := s.w.Write([]byte(text))
	return err == nil && s.out.Flush() == nil
}
