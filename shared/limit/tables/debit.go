package tables

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/shared/limit"
	"tollgate/shared/tables"
)

var (
	errWaited    = errors.New("no decision came in time: the store is slow, or too many want this count at once")
	errContested = errors.New("others changed the count at each try")
	errUndated   = errors.New("the store's answer carries no date")
)

// flight is one exchange with the store, for all who wait for it.
type flight struct {
	done chan struct{}
	want int64 // of those who wait. Under the count's mu.
	err  error // set before done is closed
}

func unavailable(why error, wait time.Duration) error {
	return &limit.Unavailable{Cause: why, Wait: max(wait, time.Second)}
}

// patience is how long one call waits, for however many exchanges: two requests.
func (s *Store) patience() time.Duration { return 2 * s.options.Try }

// left is what is left of the patience of a call that first waited then.
func (s *Store) left(began time.Time) time.Duration {
	return min(s.patience()-s.options.Now().Sub(began), s.patience()) // a clock that was set back must not make it longer
}

// wait lets a debit into the part happen, and waits for it: the one that is under
// way, or a new one. Calls of one count share it. began is when the call first waited.
func (s *Store) wait(ctx context.Context, c *count, p *part, n int64, began time.Time) error {
	now := s.options.Now()
	if wait := s.outage.left(now); wait > 0 {
		return unavailable(s.outage.cause(), wait)
	}
	patience := s.left(began)
	if patience <= 0 { // the store answers, and each time others were quicker
		return unavailable(errContested, 0)
	}
	c.mu.Lock()
	if now.Before(p.rest) {
		c.mu.Unlock()
		return unavailable(errWaited, 0)
	}
	f := s.begin(ctx, c, p)
	f.want += n
	c.mu.Unlock()
	err := f.wait(ctx, patience)
	if errors.Is(err, errWaited) {
		c.mu.Lock()
		if p.flight == f { // or else it has just landed
			p.rest = s.options.Now().Add(time.Second) // a slow store makes no slow gateway
		}
		c.mu.Unlock()
	}
	return err
}

// begin is the exchange under way for the part, or a new one. Under the count's mu.
func (s *Store) begin(ctx context.Context, c *count, p *part) *flight {
	if p.flight == nil {
		p.flight = &flight{done: make(chan struct{})}
		go s.fly(context.WithoutCancel(ctx), c, p, p.flight) // it goes on without the call that started it
	}
	return p.flight
}

// charge has what the part owes debited, and waits for nothing: the caller's
// answer would not be over before it. What can't be debited now is owed until the
// next exchange.
func (s *Store) charge(ctx context.Context, c *count, p *part) error {
	now := s.options.Now()
	if wait := s.outage.left(now); wait > 0 {
		return unavailable(s.outage.cause(), wait)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(p.rest) {
		return unavailable(errWaited, 0)
	}
	s.begin(ctx, c, p)
	return nil
}

// wait gives up after a while; what comes of the flight is good for later calls.
func (f *flight) wait(ctx context.Context, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	why := errWaited
	select {
	case <-f.done:
		if f.err == nil {
			return nil
		}
		why = f.err
	case <-timer.C:
	case <-ctx.Done():
		why = ctx.Err()
	}
	return unavailable(why, 0)
}

func (s *Store) fly(ctx context.Context, c *count, p *part, f *flight) {
	err := s.safely(func() error { return s.debit(ctx, c, p, f) })
	c.mu.Lock()
	f.err, p.flight, p.rest = err, nil, time.Time{}
	switch {
	case errors.Is(err, tables.ErrUnreadable):
		p.rest = s.options.Now().Add(lastPause)
	case errors.Is(err, errContested):
		p.rest = s.options.Now().Add(time.Duration(s.chance(int64(time.Second))))
	}
	if err == nil && p.held < 0 { // charged while the exchange was under way
		s.begin(ctx, c, p)
	}
	c.mu.Unlock()
	close(f.done)
}

// debit reserves a block: read, decide, write if nobody else has. A write whose
// outcome isn't known counts as lost: the units may be debited, and are not spent.
func (s *Store) debit(ctx context.Context, c *count, p *part, f *flight) error {
	began := s.options.Now()
	for {
		asked := s.options.Now()
		err := s.once(ctx, c, p, f)
		now := s.options.Now()
		switch {
		case err == nil:
			s.outage.over()
			return nil
		case errors.Is(err, tables.ErrUnreadable): // the others' rows can be read
			return err
		case !errors.Is(err, tables.ErrChanged) && !errors.Is(err, tables.ErrExists) && !errors.Is(err, tables.ErrNotFound):
			s.outage.begin(now, err)
			return err
		case now.Sub(began) > 2*s.patience():
			return errContested
		}
		// Each exchange keeps all others out for as long as it takes, so those who share
		// the count take turns of that length, as far as a call may be kept waiting.
		turn := max(now.Sub(asked), 2*time.Millisecond)
		timer := time.NewTimer(time.Duration(s.chance(min(int64(turn)*s.contenders(c, p), int64(s.options.Try)))))
		<-timer.C
	}
}

// contenders are how many instances share the count.
func (s *Store) contenders(c *count, p *part) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(2, int64(p.pace.active))
}

// once reads the row and writes it with a block more.
func (s *Store) once(ctx context.Context, c *count, p *part, f *flight) error {
	r, name := c.key.Rule, rowKey(c.key.Rule, c.id, p.window)
	row, err := s.rows.Get(ctx, name)
	fresh := errors.Is(err, tables.ErrNotFound)
	if err != nil && !fresh {
		return err
	}
	lo, _, known := s.options.Clock.Bounds()
	if !known {
		return errUndated
	}
	if _, there := row.Fields["Used"].(int64); !there && !fresh {
		return fmt.Errorf("%w: it doesn't say what is used", tables.ErrUnreadable)
	}
	state := decode(row)
	state.Forget(r, p.window)
	state.join(s.instance, lo, r.Horizon(p.window))
	c.mu.Lock()
	block, owed := p.order(r, &state, f.want, s.options.Now(), lo)
	c.mu.Unlock()
	if block == 0 {
		return nil
	}
	state.Add(r, p.window, block)
	row = state.row(name, r, c.by, p.window)
	if fresh {
		_, err = s.rows.Insert(ctx, row)
	} else {
		_, err = s.rows.Replace(ctx, row)
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.receive(block, owed, state.Left(r, p.window), s.options.Now())
	return nil
}

// hear asks the store for anything at all: what time it is there stands on the answer.
func (s *Store) hear(ctx context.Context, patience time.Duration) error {
	if wait := s.outage.left(s.options.Now()); wait > 0 {
		return unavailable(s.outage.cause(), wait)
	}
	s.mu.Lock()
	f := s.hearing
	if f == nil {
		f = &flight{done: make(chan struct{})}
		s.hearing = f
		go s.listen(context.WithoutCancel(ctx), f)
	}
	s.mu.Unlock()
	return f.wait(ctx, patience)
}

// safely: a panic over an answer that nobody expected must not end the gateway.
// It names no value.
func (s *Store) safely(do func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the store's answer couldn't be read (%T)", fault)
			s.outage.begin(s.options.Now(), err)
		}
	}()
	return do()
}

func (s *Store) listen(ctx context.Context, f *flight) {
	err := s.safely(func() error {
		_, err := s.rows.Get(ctx, tables.Key{Partition: "clock", Row: "clock"})
		return err
	})
	if errors.Is(err, tables.ErrNotFound) {
		err = nil
	}
	if _, _, known := s.options.Clock.Bounds(); err == nil && !known {
		err = errUndated
	}
	if err != nil {
		s.outage.begin(s.options.Now(), err)
	}
	s.mu.Lock()
	f.err, s.hearing = err, nil
	s.mu.Unlock()
	close(f.done)
}
