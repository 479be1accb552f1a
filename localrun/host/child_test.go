package host

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childVariable turns the test binary into a handler; its value says which.
const childVariable = "HOST_TEST_CHILD"

func TestMain(m *testing.M) {
	if kind, ok := os.LookupEnv(childVariable); ok {
		os.Exit(childOf(kind))
	}
	goleak.VerifyTestMain(m)
}

// childOf is the handler process of the tests:
//
//	serve     answers what the query's "do" asks for
//	exit:N    prints a line on each stream and exits with N
//	mute      accepts connections and never answers
//	deaf      never listens
//	host      is a host itself, for the app in CHILD_ROOT
//	garbage   answers every connection with something that isn't HTTP
func childOf(kind string) int {
	if kind == "host" {
		return hostItself()
	}
	starts := note("starts")
	if first, _ := strconv.Atoi(os.Getenv("CHILD_FAIL_FIRST")); starts <= first {
		fmt.Fprintln(os.Stderr, "start", starts, "fails")
		return 3
	}
	address := "127.0.0.1:" + os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT")
	kind, code, _ := strings.Cut(kind, ":")
	switch kind {
	case "exit":
		fmt.Println("one line on stdout")
		fmt.Fprintln(os.Stderr, "one line on stderr")
		n, _ := strconv.Atoi(code)
		return n
	case "deaf":
		time.Sleep(time.Hour)
	case "mute", "garbage":
		l, err := net.Listen("tcp", address)
		for err == nil {
			var conn net.Conn
			if conn, err = l.Accept(); err == nil && kind == "garbage" {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, "what?\n")
				_ = conn.Close()
			}
		}
	case "serve":
		s := &childServer{gates: map[string]chan struct{}{}, counts: map[string]int{}}
		fmt.Fprintln(os.Stderr, http.ListenAndServe(address, s))
	}
	return 1
}

// hostItself runs a host, tells its handler's pid and waits to be killed.
func hostItself() int {
	h, err := Start(context.Background(), Options{Root: os.Getenv("CHILD_ROOT"), Settings: map[string]string{childVariable: "serve"}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(h.PID())
	<-h.Done()
	return 0
}

// note appends one byte to a file in the app root and tells how many it holds.
func note(name string) int {
	file, err := os.OpenFile(filepath.Join(os.Getenv("FUNCTIONS_APP_ROOT_PATH"), name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0
	}
	defer file.Close()
	_, _ = file.WriteString("x")
	info, _ := file.Stat()
	return int(info.Size())
}

type childServer struct {
	mu     sync.Mutex
	gates  map[string]chan struct{}
	counts map[string]int
}

// gate is a channel that do=open closes.
func (s *childServer) gate(name string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gates[name] == nil {
		s.gates[name] = make(chan struct{})
	}
	return s.gates[name]
}

// seen is what the handler saw of a request.
type seen struct {
	Method   string
	URI      string
	Host     string
	Header   http.Header
	Length   int64
	Encoding []string
	Body     string
	Trailer  http.Header
}

func (s *childServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if key := q.Get("count"); key != "" {
		s.mu.Lock()
		s.counts[key]++
		s.mu.Unlock()
	}
	answer, ok := os.LookupEnv("CHILD_JSON")
	switch do := q.Get("do"); {
	case do == "" && ok && r.Method == http.MethodPost:
		s.answerJSON(w, r, answer)
	case do == "", do == "echo":
		s.echo(w, r)
	case do == "upgrade":
		s.upgrade(w, r)
	case s.obey(w, q, do), s.stream(w, r, do), s.fail(w, r, do):
	}
}

// obey does what concerns the process or the tests' book-keeping.
func (s *childServer) obey(w http.ResponseWriter, q url.Values, do string) bool {
	switch do {
	case "counted":
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprint(w, s.counts[q.Get("of")])
	case "open":
		close(s.gate(q.Get("gate")))
	case "exit":
		code, _ := strconv.Atoi(q.Get("code"))
		os.Exit(code)
	case "exitonce":
		if note("exitonce") == 1 {
			os.Exit(3)
		}
		fmt.Fprint(w, "survived")
	case "print":
		fmt.Println(q.Get("out"))
		fmt.Fprintln(os.Stderr, q.Get("err"))
	case "environment":
		dir, _ := os.Getwd()
		_ = json.NewEncoder(w).Encode(map[string]any{"env": os.Environ(), "args": os.Args[1:], "dir": dir})
	default:
		return false
	}
	return true
}

// stream answers in ways of its own.
func (s *childServer) stream(w http.ResponseWriter, r *http.Request, do string) bool {
	q, rc := r.URL.Query(), http.NewResponseController(w)
	switch do {
	case "stream":
		fmt.Fprint(w, "one")
		_ = rc.Flush()
		select {
		case <-s.gate(q.Get("gate")):
			fmt.Fprint(w, "two")
		case <-r.Context().Done():
			note("cancelled")
		}
	case "drip":
		for range 20 {
			fmt.Fprint(w, ".")
			_ = rc.Flush()
			time.Sleep(100 * time.Millisecond)
		}
	case "answer":
		for name, values := range q {
			if header, ok := strings.CutPrefix(name, "h-"); ok {
				w.Header()[http.CanonicalHeaderKey(header)] = values
			}
		}
		code, _ := strconv.Atoi(q.Get("code"))
		w.WriteHeader(code)
		_, _ = io.WriteString(w, q.Get("body"))
	case "trailer":
		w.Header().Set("Trailer", "X-Announced")
		fmt.Fprint(w, "body")
		w.Header().Set("X-Announced", "a")
		w.Header().Set(http.TrailerPrefix+"X-Late", "b")
	case "firstchunk":
		_ = rc.EnableFullDuplex()
		buffer := make([]byte, 3)
		_, _ = io.ReadFull(r.Body, buffer)
		fmt.Fprintf(w, "got %s", buffer)
		_ = rc.Flush()
		_, _ = io.Copy(io.Discard, r.Body)
	default:
		return false
	}
	return true
}

// fail never answers completely.
func (s *childServer) fail(w http.ResponseWriter, r *http.Request, do string) bool {
	switch do {
	case "hang":
		note("hanging")
		<-r.Context().Done()
		note("cancelled")
	case "abort":
		panic(http.ErrAbortHandler)
	case "headersthenabort":
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case "partial":
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "begun")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

func (s *childServer) echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen{
		Method: r.Method, URI: r.RequestURI, Host: r.Host, Header: r.Header,
		Length: r.ContentLength, Encoding: r.TransferEncoding, Body: string(body), Trailer: r.Trailer,
	})
}

// answerJSON replies as CHILD_JSON says ("status type body") and keeps the
// invocation in a file.
func (s *childServer) answerJSON(w http.ResponseWriter, r *http.Request, answer string) {
	if r.URL.Path == "/redirected" {
		answer = `200 application/json {"Outputs":{"res":{"body":"redirected"}}}`
	}
	body, _ := io.ReadAll(r.Body)
	record, _ := json.Marshal(seen{Method: r.Method, URI: r.RequestURI, Host: r.Host, Header: r.Header, Body: string(body)})
	_ = os.WriteFile(filepath.Join(os.Getenv("FUNCTIONS_APP_ROOT_PATH"), "invocation"), record, 0o600)
	parts := strings.SplitN(answer, " ", 3)
	code, _ := strconv.Atoi(parts[0])
	if parts[1] != "-" {
		w.Header().Set("Content-Type", parts[1])
	}
	if code == http.StatusTemporaryRedirect {
		w.Header().Set("Location", "/redirected")
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, parts[2])
}

func (s *childServer) upgrade(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		s.echo(w, r)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Child: yes\r\n\r\n")
	for {
		line, err := buffered.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "echo "+line)
	}
}
