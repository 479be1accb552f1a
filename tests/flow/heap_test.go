package flow

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"tollgate/tests/lab"
)

// heapRoom is what the live heap of this process may grow by while a stream
// passes: the buffers of a call at its client, at the gateway and at its backend,
// for all three are here. It doesn't depend on the stream.
const heapRoom = 2 << 20

// live is what the heap holds after a collection.
func live() int64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64()) //nolint:gosec // far below 2^63
}

// watched looks at the heap 64 times while size bytes pass, from within the
// stream: the caller stands still meanwhile, so that what the stream leaves
// behind isn't mixed up with what is being allocated.
func watched(size int64, most *int64, looks *int) tally {
	var sent, next int64
	return func(n int) {
		if sent += int64(n); sent < next {
			return
		}
		next += size / 64
		*most, *looks = max(*most, live()), *looks+1
	}
}

// The stream's every byte goes through the gateway in this process, so what it
// would hold back is in this heap.
func TestAStreamLeavesNoTraceInMemoryOnTheHeap(t *testing.T) {
	b := newBehind()
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	s := stand{lab.InProcess(t, contracts(t, server.URL)), b, &http.Client{Transport: transport}, nil}
	ways := []struct {
		what string
		send func(stand, *testing.T, int64)
	}{{"up", stand.up}, {"down", stand.down}, {"both ways over a WebSocket", stand.echo}}
	for _, way := range ways {
		way.send(s, t, 4<<20) // what every process needs once
	}
	size, before := volume(), live()
	for _, way := range ways {
		began := time.Now()
		most, looks := int64(0), 0
		s.passed = watched(size, &most, &looks)
		way.send(s, t, size)
		took, after := time.Since(began), live()
		t.Logf("%d MiB %s in %.1f s: live heap %.2f MiB before, %.2f MiB at most in %d looks, %.2f MiB after",
			size>>20, way.what, took.Seconds(), mib(before), mib(most), looks, mib(after))
		if looks < 60 || most > before+heapRoom || after > before+heapRoom {
			t.Errorf("got %d live bytes at most in %d looks and %d after %d bytes went %s, want %d and not %d more", most, looks, after, size, way.what, before, heapRoom)
		}
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
