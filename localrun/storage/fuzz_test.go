package storage_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"tollgate/localrun/storage"
)

// FuzzRequests: whatever comes, the answer has a status of a client's fault or a
// success, and what was there before is still to be read or was changed rightly.
func FuzzRequests(f *testing.F) {
	f.Add("POST", "/Tables", "", "", `{"TableName":"more"}`)
	f.Add("POST", "/things", "", "", `{"PartitionKey":"p","RowKey":"x","N":"5","N@odata.type":"Edm.Int64","F":1.5,"B":null}`)
	f.Add("GET", "/things()", "$filter=N gt 1 and (not (S eq 'it''s') or T le datetime'2026-01-01T00:00:00Z')&$top=3&$select=N", "", "")
	f.Add("GET", "/things(PartitionKey='p',RowKey='r')", "", "", "")
	f.Add("GET", "/things", "NextPartitionKey=1!4!cA==&NextRowKey=1!4!cg==", "", "")
	f.Add("PATCH", "/things(PartitionKey='p',RowKey='r')", "", `W/"x"`, `{"N":1}`)
	f.Add("DELETE", "/things(PartitionKey='p',RowKey='r')", "", "*", "")
	f.Add("PUT", "/things", "comp=acl", "", `<SignedIdentifiers/>`)
	f.Add("POST", "/$batch", "", "", crlf(asked))
	f.Fuzz(func(t *testing.T, method, path, query, tag, body string) {
		s := storage.New(storage.Options{})
		ask := func(method, path, query, tag, body string) int {
			r := httptest.NewRequest(http.MethodGet, "/", bytes.NewReader([]byte(body)))
			r.Method, r.URL = method, &url.URL{Path: "/devstoreaccount1" + path, RawQuery: sas + "&" + query}
			r.Header.Set("Content-Type", "multipart/mixed; boundary=batch_1")
			if tag != "" {
				r.Header.Set("If-Match", tag)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w.Code
		}
		ask("POST", "/Tables", "", "", `{"TableName":"things"}`)
		ask("POST", "/things", "", "", row)
		if got := ask(method, path, strings.ReplaceAll(query, " ", "%20"), tag, body); got < 200 || got >= 500 {
			t.Errorf("got %d", got)
		}
		if got := ask("GET", "/things(PartitionKey='p',RowKey='r')", "", "", ""); got != 200 && method != "DELETE" && path != "/$batch" {
			t.Errorf("the entity is gone: %d", got)
		}
	})
}
