package audit

import (
	"context"
	"errors"
	"slices"
	"time"
)

// What Send may say besides that it worked. Any other error means: not now.
var (
	ErrTooLarge = errors.New("more at once than is taken") // half of it is tried next
	ErrNever    = errors.New("it will never be taken")     // it is lost
)

// Again is "not now", with the time that whoever said so asks for.
type Again struct {
	Wait  time.Duration
	Cause error
}

func (a *Again) Error() string { return a.Cause.Error() }
func (a *Again) Unwrap() error { return a.Cause }

// BatchOptions say where a Batches sends to. All but AtOnce and Age is required.
type BatchOptions struct {
	Name   string
	Send   func(ctx context.Context, lines [][]byte) error // it must end when its context does, and not keep lines
	Now    func() time.Time
	Report func(error)   // told of losses that no call could be told of
	AtOnce int           // bytes of one batch at the most; 256 KiB if it isn't given
	Age    time.Duration // an event waits no longer for others; 5 s if it isn't given
}

const (
	patience  = 10 * time.Second // for one batch
	firstWait = time.Second      // after a failure, doubled with each in a row
	lastWait  = time.Minute
)

// Batches keeps events and sends them many at once. The call whose event fills a
// batch, or finds one that has waited long enough, starts the sending and goes on:
// a slow receiver slows nobody. A timer does the same for events that no call
// comes after; nothing breaks if it never fires.
//
// What waits is lost if the process is killed.
type Batches struct {
	waiting
	o         BatchOptions
	turn      chan struct{} // held by whoever sends
	oldest    time.Time
	notBefore time.Time
	wait      time.Duration
	atOnce    int
	timer     *time.Timer
}

var _ Outlet = (*Batches)(nil)

// NewBatches sends nothing yet.
func NewBatches(o BatchOptions) *Batches {
	if o.AtOnce == 0 {
		o.AtOnce = 256 << 10
	}
	if o.Age == 0 {
		o.Age = 5 * time.Second
	}
	b := &Batches{o: o, turn: make(chan struct{}, 1), atOnce: o.AtOnce}
	b.losses.outlet = o.Name
	return b
}

// Reserve keeps a place.
func (b *Batches) Reserve() bool { return b.reserve() }

// Record keeps the event.
func (b *Batches) Record(_ context.Context, e *Event) error { return hand(e, b) }

func (b *Batches) put(line []byte, reserved bool, _ string) error {
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if reserved {
		b.promised--
	}
	err := b.keep(line[:len(line)-1], reserved) // without the newline
	if len(b.lines) == 1 {
		b.oldest = now
	}
	if b.due(now) {
		b.start()
	}
	if b.timer == nil { // also then: the sending may fail, and no call may come after this one
		b.timer = time.AfterFunc(b.o.Age, b.ring)
	}
	return err
}

// due tells whether a batch is to be sent now. The caller holds the lock.
func (b *Batches) due(now time.Time) bool {
	return len(b.lines) > 0 && !now.Before(b.notBefore) && (b.bytes >= b.atOnce || now.Sub(b.oldest) >= b.o.Age)
}

// start sends on the side, unless somebody does. The caller holds the lock.
func (b *Batches) start() {
	select {
	case b.turn <- struct{}{}:
		go func() {
			defer func() { <-b.turn }()
			b.send(context.Background(), b.due)
		}()
	default:
	}
}

// ring is the timer's.
func (b *Batches) ring() {
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timer = nil
	if len(b.lines) == 0 {
		return
	}
	if b.due(now) {
		b.start()
	}
	b.timer = time.AfterFunc(max(b.o.Age, b.notBefore.Sub(now)), b.ring)
}

// Flush sends what waits, until nothing does, ctx ends, or the receiver says no.
func (b *Batches) Flush(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
		return b.send(ctx, func(time.Time) bool { return len(b.lines) > 0 })
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close sends what waits, and counts as lost what wasn't taken by the end of ctx,
// though some of it may be under way. Nothing may be recorded after it.
func (b *Batches) Close(ctx context.Context) {
	err := b.Flush(ctx)
	b.mu.Lock()
	if b.timer != nil {
		b.timer.Stop()
	}
	n := len(b.lines)
	b.lines, b.bytes = nil, 0
	var told error
	if n > 0 || b.losses.row > 0 {
		b.losses.next = 0 // there is no later
		told = b.losses.add(int64(n), err)
	}
	b.mu.Unlock()
	b.tell(told)
}

func (b *Batches) tell(err error) {
	if err != nil {
		b.o.Report(err)
	}
}

// send sends batch after batch while more says so. It is called by whoever has the turn.
func (b *Batches) send(ctx context.Context, more func(now time.Time) bool) error {
	for {
		batch := b.batch(more)
		if batch == nil {
			return nil
		}
		within, cancel := context.WithTimeout(ctx, patience)
		err := b.o.Send(within, batch)
		cancel()
		if !b.settle(batch, err) {
			return err
		}
	}
}

// batch is the oldest events, as many as are sent at once; they stay where they are.
func (b *Batches) batch(more func(time.Time) bool) [][]byte {
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !more(now) {
		return nil
	}
	n, size := 0, 0
	for n < len(b.lines) && (n == 0 || size+len(b.lines[n])+1 <= b.atOnce) {
		size += len(b.lines[n]) + 1
		n++
	}
	return slices.Clone(b.lines[:n])
}

// settle takes in what became of a batch; false: not now.
func (b *Batches) settle(batch [][]byte, err error) bool {
	now := b.o.Now()
	b.mu.Lock()
	var told error
	going := true
	switch {
	case err == nil:
		told = b.losses.over()
		b.gone(batch, now)
		b.wait, b.atOnce = 0, min(2*b.atOnce, b.o.AtOnce)
	case errors.Is(err, ErrTooLarge) && len(batch) > 1:
		size := 0
		for _, line := range batch {
			size += len(line) + 1
		}
		b.atOnce = size / 2
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrNever):
		b.gone(batch, now)
		told = b.losses.add(int64(len(batch)), err)
	default:
		b.wait = min(max(2*b.wait, firstWait), lastWait)
		if again, ok := errors.AsType[*Again](err); ok && again.Wait > b.wait {
			b.wait = min(again.Wait, 10*lastWait)
		}
		b.notBefore, going = now.Add(b.wait), false
	}
	b.mu.Unlock()
	b.tell(told)
	return going
}

// gone takes a batch out. The caller holds the lock.
func (b *Batches) gone(batch [][]byte, now time.Time) {
	if len(b.lines) < len(batch) {
		return // Close has given them up
	}
	for _, line := range batch {
		b.bytes -= len(line)
	}
	b.lines = slices.Delete(b.lines, 0, len(batch))
	b.oldest = now // at most one batch's time too late
}
