package storage

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxBody is what the service takes as a request, batches included.
const maxBody = 4 << 20

// call is one operation: a request, or a part of a batch.
type call struct {
	method string
	target target
	path   string // as it was sent, for the signature
	base   string // the account's address, for odata
	query  url.Values
	header http.Header
	body   []byte
}

// answer is what a call gets.
type answer struct {
	status    int
	header    http.Header
	body      []byte
	committed bool // something was written
	conflict  bool // 409 or 412
}

// read takes the whole request in, so that no lock waits for a client.
func (s *Storage) read(w http.ResponseWriter, r *http.Request) (call, *refusal) {
	c := call{method: verb(r.Method), path: r.URL.EscapedPath(), base: "http://" + r.Host + "/" + s.options.Account, header: r.Header}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	r.Body = http.NoBody // a fault that waits must not wait for more
	if err != nil {
		return c, bodyTooLarge()
	}
	c.body = body
	if c.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return c, invalidInput("The query string is malformed.")
	}
	var refused *refusal
	c.target, refused = s.target(r.URL.Path)
	return c, refused
}

// MERGE is what PATCH was called before HTTP had it.
func verb(method string) string {
	if method == "MERGE" {
		return http.MethodPatch
	}
	return method
}

// write sends the answer, with the headers that every answer has.
func (s *Storage) write(w http.ResponseWriter, c call, a answer) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	h.Set("X-Ms-Request-Id", unique())
	h.Set("Cache-Control", "no-cache")
	for _, name := range []string{"X-Ms-Version", "X-Ms-Client-Request-Id"} {
		if v := c.header.Get(name); v != "" {
			h.Set(name, v)
		}
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone
}

func (s *Storage) refuse(c call, refused *refusal) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refuseLocked(c, refused)
}

// refuseLocked is an error as the service writes it. The lock is held.
func (s *Storage) refuseLocked(c call, refused *refusal) answer {
	text := refused.text + "\nRequestId:" + unique() + "\nTime:" + format(s.now())
	a := reply(c, refused.status, map[string]any{"odata.error": map[string]any{
		"code": refused.code, "message": map[string]string{"lang": "en-US", "value": text},
	}})
	a.conflict = refused.status == http.StatusConflict || refused.status == http.StatusPreconditionFailed
	if refused.status == http.StatusUnauthorized {
		a.header.Set("WWW-Authenticate", "Bearer authorization_uri="+strings.TrimSuffix(s.options.Authority, "/")+"/oauth2/authorize resource_id="+Resource)
	}
	return a
}

// reply is an answer in JSON.
func reply(c call, status int, value any) answer {
	text, _ := json.Marshal(value) // texts, numbers and maps of them always marshal
	return answer{status: status, body: text, header: http.Header{
		"Content-Type": {"application/json;odata=" + c.level().String() + ";streaming=true;charset=utf-8"},
	}}
}

func nothing() answer { return answer{status: http.StatusNoContent, header: http.Header{}} }

// quiet tells whether the caller wants no body back.
func (c call) quiet() bool { return c.header.Get("Prefer") == "return-no-content" }

func unique() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// level is how much metadata an answer carries.
type level int

const (
	none level = iota
	minimal
	full
)

func (l level) String() string {
	return [...]string{"nometadata", "minimalmetadata", "fullmetadata"}[l]
}

// level: $format counts before Accept.
func (c call) level() level {
	asked := c.query.Get("$format")
	if asked == "" {
		asked = c.header.Get("Accept")
	}
	switch {
	case strings.Contains(asked, "odata=nometadata"):
		return none
	case strings.Contains(asked, "odata=fullmetadata"):
		return full
	}
	return minimal
}
