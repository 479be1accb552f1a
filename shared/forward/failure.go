package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// failed tells apart whose fault it was that no answer came.
func (t *route) failed(ctx context.Context, c *pipeline.Call, sent *body, err error) *refusal.Refusal {
	timeout, isNet := errors.AsType[net.Error](err)
	cause := fmt.Errorf("call %s: %s", t.target.Host, plainly(err))
	switch {
	case sent != nil && sent.tooLong.Load():
		return tooLarge()
	case c.Request.Context().Err() != nil:
		c.Outcome.ClientGone = true
		return nil
	case sent != nil && sent.slow.Load():
		return refusal.New(refusal.RequestTimeout, "body_timeout", "The request body did not arrive in time.")
	case sent != nil && sent.broken.Load():
		return refusal.New(refusal.Malformed, "body_broken", "The request body broke off, or can't be read.")
	case errors.Is(context.Cause(ctx), errDeadline), isNet && timeout.Timeout():
		return refusal.New(refusal.GatewayTimeout, "backend_timeout", "The backend did not answer in time.").
			By("backend.timeout").Because(cause)
	}
	return badGateway(cause)
}

func tooLarge() *refusal.Refusal {
	return refusal.New(refusal.TooLarge, "body_too_large", "The request body is larger than this API takes.").By("maxBody")
}

func badGateway(err error) *refusal.Refusal {
	return refusal.New(refusal.BadGateway, "backend_unreachable", "The backend could not be reached.").By("backend.url").Because(err)
}

// blame puts an answer that broke off on the request's body, if that is why the
// connection to the backend was given up.
func (t *route) blame(c *pipeline.Call, sent *body) {
	switch {
	case c.Outcome.Broken == "" || sent == nil:
	case sent.tooLong.Load():
		c.Outcome.Broken, c.Outcome.Code = "the request body is over the cap", "body_too_large"
	case sent.broken.Load():
		c.Outcome.Broken, c.Outcome.Code = "the request body broke off", "body_broken"
	}
}

// plainly says what happened. The network's own errors are told; what the
// backend answered is not, for it could hold anything.
func plainly(err error) string {
	if own, ok := errors.AsType[net.Error](err); ok { // dial, look-up, time-out, context
		return own.Error()
	}
	if own, ok := errors.AsType[*os.SyscallError](err); ok {
		return own.Error()
	}
	if own, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return own.Error()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection"
	default:
		return "the connection failed, or what came back is not HTTP"
	}
}
