package parity_test

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/localrun/issuer"
	"tollgate/localrun/lambda"
	"tollgate/tests/lab"
)

// What isn't an event, and every beginning of one, ends its invocation and
// nothing more: the same process answers the next.
func TestAnEventThatIsNoneEndsItsInvocationAlone(t *testing.T) {
	l := lab.Surrounded(t, contracts(t))
	f := deployOne(t, l, lambda.URL)
	token := "Authorization: Bearer " + l.Token(t, issuer.Token{API: "orders", Roles: []string{"DataReader"}})
	odd := [][]byte{
		[]byte(`null`), []byte(`[]`), []byte(`"x"`), []byte(`{}`), []byte(`0`), []byte(`{"a":1,"a":2}`), []byte("\x00"), []byte("\xff\xfe"),
		[]byte(`{"version":"2.0","requestContext":{"http":{"method":"GET","path":"/"}}}`),
		[]byte(`{"version":"2.0","rawPath":5,"requestContext":{"http":{"method":"GET"}}}`),
		[]byte(`{"httpMethod":"GET","path":"/","requestContext":{"elb":{}},"multiValueHeaders":{"host":"x"}}`),
		[]byte(`{"httpMethod":"GET","path":"/orders/1","requestContext":{"elb":{}},"body":"@","isBase64Encoded":true}`),
		[]byte(strings.Repeat(`{"a":`, 100_000)),
		[]byte(strings.Repeat(`[`, 100_000)),
	}
	for _, kind := range lambda.Kinds() {
		whole := eventOf(t, kind, http.MethodPut, "/orders/42?a=%20&b", `{"a":1}`, token, "Cookie: a=1", "Content-Type: application/json")
		for at := 0; at < len(whole); at += 1 + len(whole)/60 {
			odd = append(odd, whole[:at])
		}
	}
	for _, event := range odd {
		status, err := f.invoke(t, event)
		if err == nil && (status < 400 || status > 499) {
			t.Errorf("%.120q (%d bytes): got %d, want an error or a refusal", event, len(event), status)
		}
		if err != nil && strings.Contains(err.Error(), "ExitError") {
			t.Fatalf("%.120q (%d bytes): got %v, want the process to live", event, len(event), err)
		}
	}
	if n := l.Backend.Count(); n != 0 {
		t.Errorf("got %d calls of the backend, want none", n)
	}
	if status, err := f.invoke(t, eventOf(t, lambda.URL, http.MethodGet, "/orders/42", "", token)); status != http.StatusOK || err != nil {
		t.Errorf("got %d, %v from the next, want 200", status, err)
	}
	t.Logf("%d events that are none, one process", len(odd))
}
