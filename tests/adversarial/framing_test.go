package adversarial

import "testing"

func TestNoOneElseReadsARequestsEndOtherwise(t *testing.T) {
	b := direct(t)
	for name, frames := range map[string][]frame{
		"codings": codings(), "lengths": lengths(), "chunk sizes": chunks(), "chunks' ends": chunkEnds(), "announced trailers": announcements(), "request lines": requestLines(),
		"hosts": hosts(), "header lines": headerLines(), "sizes": sizes(), "other protocols": protocols(), "expectations": expectations(), "bodies over the cap": overlong(),
	} {
		t.Run(name, func(t *testing.T) { b.assail(t, frames) })
	}
}
