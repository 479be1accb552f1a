package storage_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/storage"
	"tollgate/localrun/storage/storagetest"
)

// sas lets any request in.
const sas = "sv=2019-02-02&se=9999-01-01&sig=any"

func send(t *testing.T, method, url string, header http.Header, body []byte) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// table makes one named things, and gives its address.
func table(t *testing.T, o storage.Options) (*storage.Storage, storagetest.Service) {
	t.Helper()
	s, service := start(t, o)
	if _, err := storagetest.Client(t, service).CreateTable(t.Context(), "things", nil); err != nil {
		t.Fatal(err)
	}
	return s, service
}

const thing = `{"PartitionKey":"p","RowKey":"it's","Big":"5","Big@odata.type":"Edm.Int64","F":2.0}`

func TestMetadataIsWhatTheClientAsksFor(t *testing.T) {
	_, service := table(t, storage.Options{Now: func() time.Time { return time.Date(2026, 11, 26, 1, 2, 3, 4000, time.UTC) }})
	if resp, text := send(t, http.MethodPost, service.URL+"/things?"+sas, nil, []byte(thing)); resp.StatusCode != 201 {
		t.Fatalf("got %s %s, want 201", resp.Status, text)
	}
	one := service.URL + "/things(PartitionKey='p',RowKey='it''s')?" + sas
	plain := `"Big":"5","F":2.0,"PartitionKey":"p","RowKey":"it's","Timestamp":"2026-11-26T01:02:03.0000040Z"`
	typed := `"Big":"5","Big@odata.type":"Edm.Int64","F":2.0,"PartitionKey":"p","RowKey":"it's","Timestamp":"2026-11-26T01:02:03.0000040Z"`
	for asked, want := range map[string]string{
		"application/json;odata=nometadata":      "{" + plain + "}",
		"application/json;odata=minimalmetadata": "{" + typed + `,"odata.etag":`,
		"application/json;odata=fullmetadata":    `"Timestamp@odata.type":"Edm.DateTime"`,
	} {
		if _, text := send(t, http.MethodGet, one, http.Header{"Accept": {asked}}, nil); !strings.Contains(text, want) {
			t.Errorf("%s: got %s, want %s", asked, text, want)
		}
		if _, text := send(t, http.MethodGet, one+"&$format="+strings.ReplaceAll(asked, ";", "%3B"), nil, nil); !strings.Contains(text, want) {
			t.Errorf("$format=%s: got %s, want %s", asked, text, want)
		}
	}
}

func TestEveryAnswerTellsTheTime(t *testing.T) {
	now := time.Date(2026, 11, 26, 1, 2, 3, 999_000_000, time.UTC)
	s, service := table(t, storage.Options{Now: func() time.Time { return now }})
	for url, want := range map[string]int{"/Tables?" + sas: 200, "/things()?" + sas: 200, "/absent()?" + sas: 404, "/Tables": 401} {
		resp, _ := send(t, http.MethodGet, service.URL+url, nil, nil)
		if got := resp.Header.Get("Date"); resp.StatusCode != want || got != "Thu, 26 Nov 2026 01:02:03 GMT" {
			t.Errorf("%s: got %s at %s", url, resp.Status, got)
		}
	}
	s.Offset(-time.Minute)
	if resp, _ := send(t, http.MethodGet, service.URL+"/Tables?"+sas, nil, nil); resp.Header.Get("Date") != "Thu, 26 Nov 2026 01:01:03 GMT" {
		t.Errorf("with an offset got %s", resp.Header.Get("Date"))
	}
	_, text := send(t, http.MethodPost, service.URL+"/things?"+sas, nil, []byte(`{"PartitionKey":"p","RowKey":"r"}`))
	if !strings.Contains(text, `"Timestamp":"2026-11-26T01:01:03.9990000Z"`) {
		t.Errorf("with an offset got %s", text)
	}
}

func TestContinuationTokensAreOpaque(t *testing.T) {
	_, service := table(t, storage.Options{})
	for i := range 3 {
		send(t, http.MethodPost, service.URL+"/things?"+sas, nil, fmt.Appendf(nil, `{"PartitionKey":"p","RowKey":"%d"}`, i))
	}
	resp, _ := send(t, http.MethodGet, service.URL+"/things()?$top=2&"+sas, nil, nil)
	pk, rk := resp.Header.Get("x-ms-continuation-NextPartitionKey"), resp.Header.Get("x-ms-continuation-NextRowKey")
	if shape := regexp.MustCompile(`^1!\d+![\w=-]+$`); !shape.MatchString(pk) || !shape.MatchString(rk) {
		t.Errorf("got %q and %q", pk, rk)
	}
	if resp, text := send(t, http.MethodGet, service.URL+"/things()?NextPartitionKey=p&NextRowKey=2&"+sas, nil, nil); resp.StatusCode != 400 {
		t.Errorf("for keys as tokens got %s %s, want 400", resp.Status, text)
	}
}

func TestAFullPageNamesTheNextThoughNothingOfItMatches(t *testing.T) {
	_, service := table(t, storage.Options{})
	for i := range 3 {
		send(t, http.MethodPost, service.URL+"/things?"+sas, nil, fmt.Appendf(nil, `{"PartitionKey":"p","RowKey":"%d"}`, i))
	}
	resp, _ := send(t, http.MethodGet, service.URL+"/things()?$top=1&$filter=RowKey%20eq%20'0'&"+sas, nil, nil)
	if resp.Header.Get("x-ms-continuation-NextPartitionKey") == "" {
		t.Error("got no continuation")
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	_, service := table(t, storage.Options{})
	one := "/things(PartitionKey='p',RowKey='r')"
	for name, c := range map[string]struct{ method, path, body, want string }{
		"no JSON":                       {"POST", "/things", "{", "InvalidInput"},
		"more than an object":           {"POST", "/things", `{"PartitionKey":"p","RowKey":"r"} {}`, "InvalidInput"},
		"a property twice":              {"POST", "/things", `{"PartitionKey":"p","RowKey":"r","A":1,"A":2}`, "DuplicatePropertiesSpecified"},
		"no RowKey":                     {"POST", "/things", `{"PartitionKey":"p"}`, "PropertiesNeedValue"},
		"a number as key":               {"POST", "/things", `{"PartitionKey":"p","RowKey":1}`, "InvalidInput"},
		"a type that isn't known":       {"POST", "/things", `{"PartitionKey":"p","RowKey":"r","A":"1","A@odata.type":"Edm.Int16"}`, "InvalidInput"},
		"a time before 1601":            {"POST", "/things", `{"PartitionKey":"p","RowKey":"r","A":"1600-01-01T00:00:00Z","A@odata.type":"Edm.DateTime"}`, "InvalidInput"},
		"other keys than the address's": {"PUT", one, `{"PartitionKey":"p","RowKey":"s"}`, "InvalidInput"},
		"an address with one key":       {"GET", "/things(PartitionKey='p')", "", "InvalidInput"},
		"an address without its end":    {"GET", "/things(PartitionKey='p',RowKey='r'", "", "InvalidInput"},
		"a lone apostrophe":             {"GET", "/things(PartitionKey='p',RowKey='it's')", "", "InvalidInput"},
		"a delete without If-Match":     {"DELETE", one, "", "MissingRequiredHeader"},
		"a verb of another resource":    {"PATCH", "/Tables", "", "MethodNotAllowed"},
		"a batch that is none":          {"POST", "/$batch", "x", "InvalidInput"},
		"another account":               {"GET", "/../other/Tables", "", "ResourceNotFound"},
		"a table of no name":            {"POST", "/Tables", `{}`, "PropertiesNeedValue"},
	} {
		resp, text := send(t, c.method, service.URL+c.path+"?"+sas, nil, []byte(c.body))
		var said struct {
			Error struct{ Code string } `json:"odata.error"`
		}
		if err := json.Unmarshal([]byte(text), &said); err != nil || said.Error.Code != c.want || resp.StatusCode < 400 {
			t.Errorf("%s: got %s %s, want %s", name, resp.Status, text, c.want)
		}
	}
}

func TestTablesHaveAddresses(t *testing.T) {
	_, service := table(t, storage.Options{})
	for url, want := range map[string]string{
		"/Tables('things')?": `{"TableName":"things","odata.metadata":"` + service.URL + `/$metadata#Tables/@Element"}`,
		"/Tables?$format=application/json%3Bodata=nometadata&":   `{"value":[{"TableName":"things"}]}`,
		"/Tables?$format=application/json%3Bodata=fullmetadata&": `"odata.editLink":"Tables('things')"`,
		"/Tables('absent')?": `"code":"ResourceNotFound"`,
		"/Tables(absent)?":   `"code":"InvalidInput"`,
		"/?":                 `"code":"InvalidQueryParameterValue"`,
	} {
		if resp, text := send(t, http.MethodGet, service.URL+url+sas, nil, nil); !strings.Contains(text, want) {
			t.Errorf("%s: got %s %s, want %s", url, resp.Status, text, want)
		}
	}
	header := http.Header{"Prefer": {"return-no-content"}}
	if resp, _ := send(t, http.MethodPost, service.URL+"/Tables?"+sas, header, []byte(`{"TableName":"quiet"}`)); resp.StatusCode != 204 || resp.Header.Get("Preference-Applied") == "" {
		t.Errorf("got %s, want 204 with the preference applied", resp.Status)
	}
}

func TestPoliciesAndPropertiesAreXML(t *testing.T) {
	_, service := table(t, storage.Options{})
	six := "<SignedIdentifiers>" + strings.Repeat("<SignedIdentifier><Id>a</Id></SignedIdentifier>", 6) + "</SignedIdentifiers>"
	for url, bodies := range map[string]map[string]int{
		"/things?comp=acl&":                  {"": 204, "<SignedIdentifiers/>": 204, "{}": 400, six: 400},
		"/?restype=service&comp=properties&": {"<StorageServiceProperties/>": 202, "{}": 400},
		"/absent?comp=acl&":                  {"": 404},
	} {
		for body, want := range bodies {
			if resp, text := send(t, http.MethodPut, service.URL+url+sas, nil, []byte(body)); resp.StatusCode != want {
				t.Errorf("%s %s: got %s %s, want %d", url, body, resp.Status, text, want)
			}
		}
	}
}

func TestMERGEIsPATCH(t *testing.T) {
	_, service := table(t, storage.Options{})
	if resp, text := send(t, "MERGE", service.URL+"/things(RowKey='r',PartitionKey='p')?"+sas, nil, []byte(`{"A":1}`)); resp.StatusCode != 204 {
		t.Errorf("got %s %s, want 204", resp.Status, text)
	}
}
