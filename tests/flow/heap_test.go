package flow

import (
	"context"
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
const heapRoom = 8 << 20

// live is what the heap holds after a collection.
func live() int64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64()) //nolint:gosec // far below 2^63
}

// peakHeap watches this process's heap while work is done, and gives the most
// that was live and how often it looked.
func peakHeap(work func()) (most int64, looks int) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			most, looks = max(most, live()), looks+1
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	work()
	stop()
	<-ended
	return most, looks
}

// The stream's every byte goes through the gateway in this process, so what it
// would hold back is in this heap.
func TestAStreamLeavesNoTraceInMemoryOnTheHeap(t *testing.T) {
	b := newBehind()
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	s := stand{lab.InProcess(t, contracts(t, server.URL)), b, &http.Client{Transport: transport}}
	ways := []struct {
		what string
		send func(*testing.T, int64)
	}{{"up", s.up}, {"down", s.down}, {"both ways over a WebSocket", s.echo}}
	for _, way := range ways {
		way.send(t, 4<<20) // what every process needs once
	}
	size, before := volume(), live()
	for _, way := range ways {
		began := time.Now()
		most, looks := peakHeap(func() { way.send(t, size) })
		took, after := time.Since(began), live()
		t.Logf("%d MiB %s in %.1f s: live heap %.2f MiB before, %.2f MiB at most in %d looks, %.2f MiB after",
			size>>20, way.what, took.Seconds(), mib(before), mib(most), looks, mib(after))
		if most > before+heapRoom || after > before+heapRoom {
			t.Errorf("got %d live bytes at most and %d after %d bytes went %s, want %d and not %d more", most, after, size, way.what, before, heapRoom)
		}
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
