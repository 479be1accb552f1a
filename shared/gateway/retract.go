package gateway

import (
	"errors"
	"net/http"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// retract refuses a call whose answer broke off before any of it was out: behind
// a front end that takes whole answers, the caller can still be told.
func (g *Gateway) retract(w http.ResponseWriter, c *pipeline.Call) *refusal.Refusal {
	held, ok := w.(pipeline.Retractable)
	if c.Outcome.Broken == "" || !ok || !held.Retract() {
		return nil
	}
	kind, detail := broken(c.Outcome.Code)
	refused := refusal.New(kind, c.Outcome.Code, detail).Because(errors.New(c.Outcome.Broken))
	c.Outcome.Broken, c.Outcome.Code, c.Outcome.Bytes = "", "", 0
	return refused
}

func broken(code string) (refusal.Kind, string) {
	switch code {
	case "gateway_failed":
		return refusal.Internal, "The gateway failed."
	case "answer_too_large":
		return refusal.BadGateway, "The backend's answer is larger than the front end takes."
	case "invocation_timeout":
		return refusal.GatewayTimeout, "The answer was not complete in the time that the platform gives."
	case "body_too_large":
		return refusal.TooLarge, "The request body is larger than this API takes."
	case "body_broken":
		return refusal.Malformed, "The request body broke off, or can't be read."
	default:
		return refusal.BadGateway, "The backend's answer broke off."
	}
}
