package storage_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/storage"
	"tollgate/localrun/storage/storagetest"
)

func TestEachFaultCanBeAskedForOverHTTP(t *testing.T) {
	_, service := table(t, storage.Options{})
	root := strings.TrimSuffix(service.URL, "/devstoreaccount1")
	client := storagetest.Client(t, service).NewClient("things")
	post := func(path, body string, status int) {
		t.Helper()
		if resp, text := send(t, http.MethodPost, root+path, nil, []byte(body)); resp.StatusCode != status {
			t.Errorf("%s %s: got %s %s, want %d", path, body, resp.Status, text, status)
		}
	}
	for body, outcome := range map[string]string{
		`{"kind":"busy","times":1}`:                    "503 ServerBusy",
		`{"kind":"timed-out","times":1,"delay":"1ms"}`: "500 OperationTimedOut",
		`{"kind":"lost","status":500,"times":1}`:       "500 OperationTimedOut",
		`{"kind":"status","status":502,"times":1}`:     "502",
		`{"kind":"slow","delay":"1ms","times":1}`:      "ok",
	} {
		post("/_control/fault", body, 204)
		_, err := client.UpsertEntity(t.Context(), []byte(row), nil)
		if got := storagetest.Outcome(err); got != outcome {
			t.Errorf("%s: got %s, want %s", body, got, outcome)
		}
	}
	post("/_control/fault", `{"kind":"conflict","times":1}`, 204)
	post("/_control/fault", `{"kind":"unknown"}`, 400)
	post("/_control/offset", `{"offset":"soon"}`, 400)
	post("/_control/offset", `{"offset":"1h"}`, 204)
	resp, _ := send(t, http.MethodGet, service.URL+"/Tables?"+sas, nil, nil)
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if ahead := time.Until(at); err != nil || ahead < 59*time.Minute || ahead > 61*time.Minute {
		t.Errorf("got %s, %v, want an hour from now", resp.Header.Get("Date"), err)
	}
}

func TestCountsAndTablesCanBeClearedOverHTTP(t *testing.T) {
	s, service := table(t, storage.Options{})
	root := strings.TrimSuffix(service.URL, "/devstoreaccount1")
	s.Reset()
	send(t, http.MethodGet, service.URL+"/things()?"+sas, nil, nil)
	resp, text := send(t, http.MethodGet, root+"/_control/operations", nil, nil)
	if want := `{"reads":0,"writes":0,"queries":1,"batches":0,"tables":0,"conflicts":0,"throttled":0}`; resp.StatusCode != 200 || text != want {
		t.Errorf("got %s %s, want %s", resp.Status, text, want)
	}
	if resp, _ := send(t, http.MethodDelete, root+"/_control/operations", nil, nil); resp.StatusCode != 204 || s.Operations().Total() != 0 {
		t.Errorf("got %s and %+v", resp.Status, s.Operations())
	}
	if resp, _ := send(t, http.MethodDelete, root+"/_control/tables", nil, nil); resp.StatusCode != 204 {
		t.Errorf("got %s", resp.Status)
	}
	if resp, _ := send(t, http.MethodGet, service.URL+"/things()?"+sas, nil, nil); resp.StatusCode != 404 {
		t.Errorf("got %s, want 404", resp.Status)
	}
	page := http.Header{"Origin": {"https://page.example"}}
	if resp, _ := send(t, http.MethodGet, root+"/_control/operations", page, nil); resp.StatusCode != 403 {
		t.Errorf("for a web page got %s, want 403", resp.Status)
	}
}
