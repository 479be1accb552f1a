package storage_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"tollgate/localrun/faults"
	"tollgate/localrun/storage"
	"tollgate/localrun/storage/storagetest"
)

const row = `{"PartitionKey":"p","RowKey":"r"}`

func things(t *testing.T) (*storage.Storage, *aztables.Client) {
	t.Helper()
	s, service := table(t, storage.Options{})
	s.Reset()
	return s, storagetest.Client(t, service).NewClient("things")
}

func want(t *testing.T, err error, outcome string) {
	t.Helper()
	if got := storagetest.Outcome(err); got != outcome {
		t.Errorf("got %s, want %s", got, outcome)
	}
}

// Gap 6 of the reference: Azurite never throttles.
func TestGap6TheAccountThrottlesOnRequest(t *testing.T) {
	for kind, outcome := range map[string]string{storage.Busy: "503 ServerBusy", storage.TimedOut: "500 OperationTimedOut"} {
		s, client := things(t)
		s.Fail(faults.Fault{Kind: kind, Times: 1})
		_, err := client.AddEntity(t.Context(), []byte(row), nil)
		want(t, err, outcome)
		_, err = client.GetEntity(t.Context(), "p", "r", nil)
		want(t, err, "404 ResourceNotFound")
		if got, want := s.Operations(), (storage.Counts{Writes: 1, Reads: 1, Throttled: 1}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestAStormOfConflictsMeetsConditionalWritesOnly(t *testing.T) {
	s, client := things(t)
	added, err := client.AddEntity(t.Context(), []byte(row), nil)
	want(t, err, "ok")
	s.Fail(faults.Fault{Kind: storage.Conflict, Times: 2})
	_, err = client.UpsertEntity(t.Context(), []byte(`{"PartitionKey":"p","RowKey":"other"}`), nil)
	want(t, err, "ok")
	_, err = client.GetEntity(t.Context(), "p", "r", nil)
	want(t, err, "ok")
	_, err = client.UpdateEntity(t.Context(), []byte(`{"PartitionKey":"p","RowKey":"other"}`), nil) // "*"
	want(t, err, "ok")
	named := &aztables.UpdateEntityOptions{IfMatch: &added.ETag, UpdateMode: aztables.UpdateModeMerge}
	_, err = client.UpdateEntity(t.Context(), []byte(row), named)
	want(t, err, "412 UpdateConditionNotSatisfied")
	_, err = client.SubmitTransaction(t.Context(), []aztables.TransactionAction{{ActionType: aztables.TransactionTypeUpdateMerge, Entity: []byte(row), IfMatch: &added.ETag}}, nil)
	want(t, err, "202 with 412 UpdateConditionNotSatisfied of 0")
	_, err = client.UpdateEntity(t.Context(), []byte(row), named)
	want(t, err, "ok")
	if got, want := s.Operations(), (storage.Counts{Writes: 5, Reads: 1, Batches: 1, Conflicts: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatIsLostWasWritten(t *testing.T) {
	for status, outcome := range map[int]string{0: "EOF", 500: "500 OperationTimedOut", 503: "503 ServerBusy", 502: "502 InternalError"} {
		s, client := things(t)
		s.Fail(faults.Fault{Kind: storage.Lost, Status: status, Times: 1})
		_, err := client.GetEntity(t.Context(), "p", "r", nil)
		want(t, err, "404 ResourceNotFound")
		_, err = client.AddEntity(t.Context(), []byte(row), nil)
		if got := storagetest.Outcome(err); !strings.HasSuffix(got, outcome) {
			t.Errorf("got %s, want %s", got, outcome)
		}
		_, err = client.GetEntity(t.Context(), "p", "r", nil)
		want(t, err, "ok")
	}
}

// entra-oauth.md §5: the first try succeeded, and the client doesn't know.
func TestARetriedAddThatHadSucceededIsAConflict(t *testing.T) {
	s, service := table(t, storage.Options{})
	s.Reset()
	cred, err := aztables.NewSharedKeyCredential(service.Account, service.Key)
	if err != nil {
		t.Fatal(err)
	}
	o := storagetest.Options(t)
	o.Retry = policy.RetryOptions{RetryDelay: time.Microsecond}
	client, err := aztables.NewServiceClientWithSharedKey(service.URL, cred, o)
	if err != nil {
		t.Fatal(err)
	}
	s.Fail(faults.Fault{Kind: storage.Lost, Status: 500, Times: 1})
	_, err = client.NewClient("things").AddEntity(t.Context(), []byte(row), nil)
	want(t, err, "409 EntityAlreadyExists")
	if got := s.Operations().Writes; got != 2 {
		t.Errorf("got %d writes, want 2", got)
	}

	t.Run("and what fails is tried three times more by default", func(t *testing.T) {
		s.Reset()
		s.Fail(faults.Fault{Kind: storage.Busy})
		_, err := client.NewClient("things").GetEntity(t.Context(), "p", "r", nil)
		want(t, err, "503 ServerBusy")
		if got, want := s.Operations(), (storage.Counts{Reads: 4, Throttled: 4}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		s.Heal()
	})
	t.Run("but neither is 412", func(t *testing.T) {
		s.Reset()
		tag := azcore.ETag(`W/"old"`)
		_, err := client.NewClient("things").DeleteEntity(t.Context(), "p", "r", &aztables.DeleteEntityOptions{IfMatch: &tag})
		want(t, err, "412 UpdateConditionNotSatisfied")
		if got := s.Operations().Writes; got != 1 {
			t.Errorf("got %d writes, want 1", got)
		}
	})
}

func TestASlowAccountAnswersRightly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storage.New(storage.Options{})
		start := time.Now()
		s.Fail(faults.Fault{Kind: faults.Slow, Delay: 3 * time.Second, Times: 1})
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/devstoreaccount1/Tables?"+sas, strings.NewReader(`{"TableName":"things"}`)))
		if took := time.Since(start); w.Code != 201 || took != 3*time.Second {
			t.Errorf("got %d after %s, want 201 after 3s", w.Code, took)
		}
		if got, want := w.Header().Get("Date"), time.Now().UTC().Format(http.TimeFormat); got != want {
			t.Errorf("got the date %s, want the one at the end, %s", got, want)
		}
	})
}

func TestOperationsAreCounted(t *testing.T) {
	s, client := things(t)
	_, _ = client.AddEntity(t.Context(), []byte(row), nil)
	_, _ = client.AddEntity(t.Context(), []byte(row), nil)
	_, _ = client.GetEntity(t.Context(), "p", "r", nil)
	_, _ = client.NewListEntitiesPager(nil).NextPage(t.Context())
	_, _ = client.SubmitTransaction(t.Context(), []aztables.TransactionAction{{ActionType: aztables.TransactionTypeAdd, Entity: []byte(row)}}, nil)
	_, _ = client.CreateTable(t.Context(), nil)
	counts := storage.Counts{Reads: 1, Writes: 2, Queries: 1, Batches: 1, Tables: 1, Conflicts: 3}
	if got := s.Operations(); got != counts || got.Total() != 6 {
		t.Errorf("got %+v, want %+v", got, counts)
	}
}
