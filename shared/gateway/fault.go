package gateway

import "tollgate/shared/pipeline"

// Fault is what a report says of one call, with the names by which its event and
// its trace are found.
type Fault struct {
	Correlation, Trace, Span string
	Err                      error
}

func (f *Fault) Error() string { return f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// fault reports an error of a call.
func (g *Gateway) fault(c *pipeline.Call, err error) {
	g.report(&Fault{Correlation: c.Correlation, Trace: c.Trace.ID, Span: c.Trace.Span, Err: err})
}
