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
	"tollgate/shared/wire"
)

// failed tells apart whose fault it was that no answer came.
func (got *attempt) failed(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
	err, sent := got.err, got.sent
	timeout, isNet := errors.AsType[net.Error](err)
	cause := fmt.Errorf("call %s: %s", got.target.url.Host, plainly(err))
	switch {
	case sent != nil && sent.tooLong.Load():
		return tooLarge()
	case errors.Is(context.Cause(c.Request.Context()), pipeline.ErrOutOfTime):
		return refusal.New(refusal.GatewayTimeout, "invocation_timeout", "The backend did not answer in the time that the platform gives.").Because(cause)
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
	return got.unreachable(cause)
}

func tooLarge() *refusal.Refusal {
	return refusal.New(refusal.TooLarge, "body_too_large", "The request body is larger than this API takes.").By("maxBody")
}

func (got *attempt) unreachable(err error) *refusal.Refusal {
	return refusal.New(refusal.BadGateway, "backend_unreachable", "The backend could not be reached.").By(got.target.rule).Because(err)
}

// blame puts an answer that broke off on the request's body, if that is why the
// connection to the backend was given up.
func (got *attempt) blame(c *pipeline.Call) {
	switch sent := got.sent; {
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
	if errors.Is(err, wire.ErrNotSent) { // a handshake: nobody's content can be in it
		return err.Error()
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
