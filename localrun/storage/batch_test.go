package storage_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/localrun/storage"
)

// crlf ends lines as HTTP does.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// asked is a batch as other clients than aztables write it, too.
const asked = `--batch_1
Content-Type: multipart/mixed; boundary=changeset_1

--changeset_1
Content-Type: application/http
Content-Transfer-Encoding: binary

POST http://any.host/devstoreaccount1/things HTTP/1.1
Content-Type: application/json
Accept: application/json;odata=nometadata
Prefer: return-content

{"PartitionKey":"p","RowKey":"a"}
--changeset_1
Content-Type: application/http
Content-Transfer-Encoding: binary

PUT http://any.host/devstoreaccount1/things(PartitionKey='p',RowKey='it%27%27s') HTTP/1.1
Content-Type: application/json

{"N":1}
--changeset_1--
--batch_1--
`

func TestABatchAnswersEachOperation(t *testing.T) {
	_, service := table(t, storage.Options{})
	header := http.Header{"Content-Type": {"multipart/mixed; boundary=batch_1"}}
	resp, text := send(t, http.MethodPost, service.URL+"/$batch?"+sas, header, []byte(crlf(asked)))
	if resp.StatusCode != 202 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "multipart/mixed; boundary=batchresponse_") {
		t.Fatalf("got %s %s", resp.Status, text)
	}
	for _, part := range []string{"HTTP/1.1 201 Created\r\n", "HTTP/1.1 204 No Content\r\n", `{"PartitionKey":"p","RowKey":"a","Timestamp":`} {
		if strings.Count(text, part) != 1 {
			t.Errorf("want %q once in %s", part, text)
		}
	}
	if n := strings.Count(text, "\r\nEtag: W/"); n != 2 {
		t.Errorf("got %d ETags, want 2", n)
	}
	if resp, text := send(t, http.MethodGet, service.URL+"/things(PartitionKey='p',RowKey='it''s')?"+sas, nil, nil); resp.StatusCode != 200 {
		t.Errorf("got %s %s, want what the batch wrote", resp.Status, text)
	}
}

func TestBatchesThatAreMalformedAreRefused(t *testing.T) {
	_, service := table(t, storage.Options{})
	for name, change := range map[string][2]string{
		"a query":            {"POST http", "GET http"},
		"no change set":      {"multipart/mixed; boundary=changeset_1", "application/http"},
		"another boundary":   {"boundary=changeset_1", "boundary=changeset_2"},
		"no request line":    {"POST http://any.host/devstoreaccount1/things HTTP/1.1", "POST"},
		"another account":    {"devstoreaccount1", "other"},
		"an address of none": {"/things HTTP", "/:// HTTP"},
	} {
		header := http.Header{"Content-Type": {"multipart/mixed; boundary=batch_1"}}
		body := crlf(strings.ReplaceAll(asked, change[0], change[1]))
		resp, text := send(t, http.MethodPost, service.URL+"/$batch?"+sas, header, []byte(body))
		if resp.StatusCode < 400 && !strings.Contains(text, "HTTP/1.1 4") {
			t.Errorf("%s: got %s %s", name, resp.Status, text)
		}
		if resp, _ := send(t, http.MethodGet, service.URL+"/things(PartitionKey='p',RowKey='a')?"+sas, nil, nil); resp.StatusCode != 404 {
			t.Errorf("%s: something was written", name)
		}
	}
}
