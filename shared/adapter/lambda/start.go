package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// text is an event as it came: the runtime's own decoder would lose what it doesn't know.
type text []byte

func (t *text) UnmarshalJSON(b []byte) error {
	*t = append((*t)[:0], b...)
	return nil
}

// Start asks for events and answers them, for as long as the process lives.
func Start(h *Handler) {
	lambda.Start(func(ctx context.Context, event text) (io.ReadCloser, error) { return h.Invoke(ctx, event) })
}

// CannotStart tells Lambda why there will be no answers: it stands in its own
// log and in what the caller of a test sees.
func CannotStart(api string, why error) {
	body, _ := json.Marshal(map[string]string{"errorType": "Tollgate.Start", "errorMessage": why.Error()}) // texts always marshal
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body))
	if err != nil {
		return
	}
	r.Header.Set("Lambda-Runtime-Function-Error-Type", "Tollgate.Start")
	if resp, err := (&http.Transport{}).RoundTrip(r); err == nil {
		_ = resp.Body.Close() // the process ends
	}
}
