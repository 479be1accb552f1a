package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// How long a call waits for the secret of pseudonyms: its answer doesn't end before.
const (
	secretFirst = time.Second           // an instance that just started has none yet
	secretLater = 50 * time.Millisecond // after a read that failed, until one succeeds
	secretRest  = 3 * time.Second       // and only one call in this time waits at all
)

// leeway is how long calls may still wait. A vault that hangs would hold up every call
// whose event needs a pseudonym.
type leeway struct {
	now    func() time.Time
	mu     sync.Mutex
	failed bool // the last read did
	rest   time.Time
}

// left is how long this call may wait; 0: it takes what is at hand.
func (p *leeway) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now().Round(0) // a function can be frozen, and its monotonic clock with it
	switch {
	case !p.failed:
		return secretFirst
	case now.Before(p.rest):
		return 0
	}
	p.rest = now.Add(secretRest)
	return secretLater
}

func (p *leeway) heard(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && !p.failed {
		p.rest = p.now().Round(0).Add(secretRest)
	}
	p.failed = err != nil
}

// secret reads it. A source that shares its reads and remembers their results, as
// secret.Source does, goes on reading when nobody waits, and has it for the next call.
func (k *Cloak) secret(ctx context.Context) (string, error) {
	if k.secrets == nil {
		return "", errors.New("there is no source of secrets")
	}
	ctx, cancel := context.WithTimeout(ctx, k.leeway.left())
	defer cancel()
	secret, err := k.secrets.Read(ctx, k.ref)
	k.leeway.heard(err)
	if err == nil && len(secret) < minSecret {
		return "", fmt.Errorf("the secret %s for pseudonyms has %d bytes; it needs %d or more", k.ref, len(secret), minSecret)
	}
	return secret, err
}
