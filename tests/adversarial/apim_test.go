package adversarial

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Every attack on a token, answered as API Management would: whatever stands in
// it, the answer is one small JSON object that agrees with the status.
func TestNoTokenBreaksAPIManagementsEnvelope(t *testing.T) {
	b := inProcess(t, edit{"claimsContract: 1\n", "claimsContract: 1\nerrors: apim\n"})
	refused := 0
	for _, r := range table(b) {
		a := b.send(t, r.request)
		if a.StatusCode == 200 != (r.want == "200") {
			t.Errorf("%s %s: got %d %s, want %s", r.id, r.name, a.StatusCode, a.body, r.want)
		}
		if a.StatusCode == 200 || strings.HasPrefix(r.request, "HEAD ") {
			continue
		}
		refused++
		if why := notAnEnvelope(a); why != "" {
			t.Errorf("%s %s: got %s: %s", r.id, r.name, a.body, why)
		}
	}
	t.Logf("%d requests refused", refused)
}

// notAnEnvelope is what is wrong with a refusal, "" for nothing.
func notAnEnvelope(a answer) string {
	var members map[string]any
	if err := json.Unmarshal(a.body, &members); err != nil {
		return err.Error()
	}
	message, isText := members["message"].(string)
	fault := strings.Contains(string(a.body), "activityId")
	switch {
	case fault:
		return "a fault"
	case len(members) != 2 || !isText || message == "":
		return "want a statusCode and a message"
	case !strings.HasPrefix(string(a.body), fmt.Sprintf(`{ "statusCode": %d, "message": "`, a.StatusCode)) || !strings.HasSuffix(string(a.body), `" }`):
		return fmt.Sprintf("want it as API Management writes it, with %d", a.StatusCode)
	case a.Header.Get("Content-Type") != "application/json":
		return "as " + a.Header.Get("Content-Type")
	case a.StatusCode == 401 && a.Header.Get("WWW-Authenticate") == "":
		return "no challenge"
	}
	return ""
}
