package tables_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/faults"
	"tollgate/localrun/storage"
	"tollgate/shared/tables"
)

// operations are all that a table does, each of them one request if it goes wrong.
func operations(t *tables.Table) map[string]func(ctx context.Context) error {
	row := counted(one, 1)
	row.ETag = `W/"datetime'2026-01-01T00%3A00%3A00.0000000Z'"`
	return map[string]func(ctx context.Context) error{
		"get":     func(ctx context.Context) error { _, err := t.Get(ctx, one); return err },
		"insert":  func(ctx context.Context) error { _, err := t.Insert(ctx, row); return err },
		"replace": func(ctx context.Context) error { _, err := t.Replace(ctx, row); return err },
		"put":     func(ctx context.Context) error { _, err := t.Put(ctx, row); return err },
		"delete":  func(ctx context.Context) error { return t.Delete(ctx, one, row.ETag) },
		"list": func(ctx context.Context) error {
			var last error
			for _, last = range t.List(ctx, tables.Query{}) {
			}
			return last
		},
	}
}

// server answers as it is told, and counts.
func server(t testing.TB, answer http.HandlerFunc) (address string, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // the client may be gone
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/contoso", asked
}

func keyed(address string) string {
	return "AccountName=contoso;AccountKey=c2VjcmV0LWtleQ==;TableEndpoint=" + address
}

// What the service answers in distress is told by status and code, and nobody asks again.
func TestDistressIsToldPlainlyAndOnce(t *testing.T) {
	odata := func(code string) string {
		return `{"odata.error":{"code":"` + code + `","message":{"lang":"en-US","value":"Secret words.\nRequestId:1"}}}`
	}
	for want, c := range map[string]struct {
		status int
		body   string
	}{
		"the store answered 503 ServerBusy":        {503, odata("ServerBusy")},
		"the store answered 500 OperationTimedOut": {500, odata("OperationTimedOut")},
		"the store answered 429 TooManyRequests":   {429, odata("TooManyRequests")},
		"the store answered 408":                   {408, ""},
		"the store answered 502":                   {502, "<html>Secret words."},
		"the store answered 504":                   {504, odata("Secret words of no code")},
		"the store answered 403 AuthorizationFail": {403, `<?xml version="1.0"?><Error><Code>AuthorizationFail</Code><Message>Secret words.</Message></Error>`},
		"the store answered 404":                   {404, "<html>Secret words."}, // a page, not an account
		"the store answered 412":                   {412, "<html>Secret words."},
		"the store answered 409 TableBeingDeleted": {409, odata("TableBeingDeleted")},
		"the store answered 302":                   {302, ""},
		"the store answered 307":                   {307, ""},
		"the store answered 202":                   {202, "<html>Secret words."},
	} {
		var elsewhere atomic.Int64
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
		address, asked := server(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.Header().Set("Location", other.URL)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body) // the client may be gone
		})
		for name, do := range operations(open(t, keyed(address), patient).Table("things")) {
			asked.Store(0)
			if err := do(t.Context()); err == nil || !strings.HasSuffix(err.Error(), " things: "+want) || plain(err) != nil {
				t.Errorf("%s: got %v, want %q", name, err, want)
			}
			if asked.Load() != 1 || elsewhere.Load() != 0 {
				t.Errorf("%s, %d: got %d requests and %d elsewhere, want one", name, c.status, asked.Load(), elsewhere.Load())
			}
		}
		other.Close()
	}
}

func TestAnAnswerThatIsNoneIsAnError(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"far too long": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"PartitionKey":"p","RowKey":"r","N":"`+strings.Repeat("x", 9<<20)+`"}`) // the client leaves
		},
		"cut":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "100") },
		"none": func(w http.ResponseWriter, _ *http.Request) { faults.HangUp(w) },
		"a page": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title>") // the client may be gone
		},
	} {
		address, asked := server(t, answer)
		for what, do := range operations(open(t, keyed(address), patient).Table("things")) {
			asked.Store(0)
			if err := do(t.Context()); err == nil || plain(err) != nil || asked.Load() != 1 {
				t.Errorf("%s, %s: got %v by %d requests, want an unknown error by one", name, what, err, asked.Load())
			}
		}
	}
}

func TestAnotherRowThanTheOneAskedForIsAnError(t *testing.T) {
	for _, text := range []string{`{}`, `null`, `{"PartitionKey":"p"}`, `{"PartitionKey":"p","RowKey":"other"}`, `{"PartitionKey":1,"RowKey":"r"}`, `[]`} {
		address, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
		row, err := open(t, keyed(address), patient).Table("things").Get(t.Context(), one)
		if err == nil || plain(err) != nil || row.Fields != nil {
			t.Errorf("%s: got %+v, %v, want an error", text, row, err)
		}
	}
	address, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"value":[{"RowKey":"r"}]}`) })
	for row, err := range open(t, keyed(address), patient).Table("things").List(t.Context(), tables.Query{}) {
		if err == nil || row.Fields != nil {
			t.Errorf("listed: got %+v, %v, want an error", row, err)
		}
	}
}

// A try ends by itself. The server answers nothing until the test is over.
func TestATryIsBounded(t *testing.T) {
	for name, begin := range map[string]func(w http.ResponseWriter){
		"that isn't answered": func(http.ResponseWriter) {},
		"whose answer doesn't end": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"value":[`)
			_ = http.NewResponseController(w).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{})
			address, asked := server(t, func(w http.ResponseWriter, _ *http.Request) { begin(w); <-over })
			t.Cleanup(func() { close(over) }) // before the server is closed, which waits
			for what, do := range operations(open(t, keyed(address), 20*time.Millisecond).Table("things")) {
				asked.Store(0)
				err := do(context.Background())
				if err == nil || !strings.HasSuffix(err.Error(), ": the store didn't answer in time") || asked.Load() > 1 {
					t.Errorf("%s: got %v by %d requests, want that it didn't answer in time", what, err, asked.Load())
				}
			}
		})
	}
}

// A write that was begun ends, whatever becomes of the request that asked for it.
func TestTheEndOfItsCallerDoesNotCutAWrite(t *testing.T) {
	s, service := standIn(t, storage.Options{})
	if _, err := open(t, shared(service), patient).Table("things").Put(t.Context(), counted(key("p", "other"), 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	leaving := &leaver{transport(t), cancel}
	a, err := tables.Open(tables.Options{Address: shared(service), Transport: leaving, Now: time.Now, Try: patient})
	if err != nil {
		t.Fatal(err)
	}
	etag, err := a.Table("things").Insert(ctx, counted(one, 1))
	if err != nil || etag == "" || ctx.Err() == nil || s.Operations().Writes == 0 {
		t.Errorf("got %q, %v, want the write done though its caller left", etag, err)
	}
}

// leaver is a caller that leaves once its request is under way.
type leaver struct {
	http.RoundTripper
	leave context.CancelFunc
}

func (l *leaver) RoundTrip(r *http.Request) (*http.Response, error) {
	l.leave()
	return l.RoundTripper.RoundTrip(r)
}

func TestAnOutcomeThatIsNotKnownIsToldAsSuch(t *testing.T) {
	for status, want := range map[int]string{0: "the connection failed", 500: "500 OperationTimedOut", 503: "503 ServerBusy"} {
		for _, what := range []string{"insert", "put"} {
			s, service := standIn(t, storage.Options{})
			b := newBench(t, service)
			b.must(b.Put(b.ctx(), counted(key("p", "other"), 1)))
			s.Reset()
			s.Fail(faults.Fault{Kind: storage.Lost, Status: status, Times: 1})
			err := operations(b.Table)[what](b.ctx())
			if err == nil || plain(err) != nil || !strings.Contains(err.Error(), want) || s.Operations().Total() != 1 {
				t.Errorf("%s, %d: got %v by %+v, want %q by one request", what, status, err, s.Operations(), want)
			}
			b.holds(one, 1)
		}
	}
}

// A table that was made, though its maker wasn't told, is there for the next.
func TestATableWhoseMakingIsNotKnownIsThere(t *testing.T) {
	s, service := standIn(t, storage.Options{})
	b := newBench(t, service)
	s.Fail(faults.Fault{Kind: storage.Lost, Times: 1})
	if _, err := b.Insert(b.ctx(), counted(one, 1)); err == nil || plain(err) != nil || !strings.Contains(err.Error(), "create") {
		t.Errorf("got %v, want an unknown outcome of the table's making", err)
	}
	_, err := b.Get(b.ctx(), one)
	b.gives("the read", err, tables.ErrNotFound)
	b.must(b.Insert(b.ctx(), counted(one, 1)))
}

func TestAMissingTokenIsToldAsSuch(t *testing.T) {
	_, service := standIn(t, storage.Options{})
	net := &carrier{}
	a, err := tables.Open(tables.Options{Address: service.URL, Tokens: &tokens{fault: unavailable("no identity")}, Transport: net, Now: time.Now, Try: patient})
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range operations(a.Table("things")) {
		if err := do(t.Context()); err == nil || !strings.HasSuffix(err.Error(), ": no identity") || errors.Is(err, tables.ErrNotFound) || len(net.seen) > 0 {
			t.Errorf("%s: got %v and requests %q, want no identity and none", name, err, net.seen)
		}
	}
}

// hanging has no token until whoever asks gives up.
type hanging struct{}

func (hanging) Token(ctx context.Context, _, _ string) (string, error) {
	<-ctx.Done()
	return "", unavailable(ctx.Err().Error())
}

// The wait for a token is part of the try, also of a page's.
func TestATryIsBoundedBeforeItIsSent(t *testing.T) {
	net := &carrier{}
	a, err := tables.Open(tables.Options{Address: "https://contoso.table.core.windows.net", Tokens: hanging{}, Transport: net, Now: time.Now, Try: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range operations(a.Table("things")) {
		if err := do(context.Background()); err == nil || !strings.HasSuffix(err.Error(), "in time") || len(net.seen) > 0 {
			t.Errorf("%s: got %v and requests %q, want the end of the try and none", name, err, net.seen)
		}
	}
}
