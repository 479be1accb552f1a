package token

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"tollgate/shared/refusal"
)

const (
	// maxReplays is how many proofs are remembered at a time: 11 MB, or 18 MB if no
	// two are of one key. With a window of a minute that is 833 requests a second.
	maxReplays = 100_000
	// keyShare is the part of them that one key may have: a 16th, or 52 requests a second.
	keyShare = 16
)

// replays remembers proofs for as long as they would be accepted (RFC 9449
// §11.1), so that each passes once. Nothing runs in the background: what has
// expired is dropped by the next proof, each entry once.
//
// It goes by the wall clock, as iat does: a monotonic one stands still while a
// function is frozen.
type replays struct {
	lifetime time.Duration // how long an iat can be accepted: twice the window
	most     int
	share    int

	mu             sync.Mutex
	seen           map[proofID]struct{}
	owners         map[string]*owner // by thumbprint
	oldest, newest *sighting
	forgotten      int64 // the latest iat of those dropped
}

// proofID is a digest of (jkt, jti, htu), cut to 128 bits: two proofs that share
// one can't be found by less than 2^64 trials, and then the second is refused.
type proofID [16]byte

// owner is a key that some remembered proofs were signed with.
type owner struct {
	jkt  string
	held int
}

type sighting struct {
	id    proofID
	by    *owner
	iat   int64 // seconds
	until int64 // nanoseconds: may be dropped after
	next  *sighting
}

func newReplays(lifetime time.Duration, most int) *replays {
	return &replays{lifetime: lifetime, most: most, share: max(1, most/keyShare),
		seen: map[proofID]struct{}{}, owners: map[string]*owner{}}
}

// idOf puts each part's length before it: no two triples are the same text.
func idOf(jkt, jti, htu string) (id proofID) {
	h := sha256.New()
	for _, part := range []string{jkt, jti, htu} {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		_, _ = h.Write([]byte(part))
	}
	copy(id[:], h.Sum(nil))
	return id
}

// admit remembers a proof that passed every other check, or refuses it because
// it did so before.
func (s *replays) admit(now time.Time, f *proof) *refusal.Refusal {
	return s.insert(now, idOf(f.thumbprint, f.jti, f.target), f.thumbprint, f.iat.Unix())
}

func (s *replays) insert(now time.Time, id proofID, jkt string, iat int64) *refusal.Refusal {
	at := now.UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(at)
	if _, twice := s.seen[id]; twice {
		return badProof("The DPoP proof was used before; make one for each request.")
	}
	// A proof no younger than one that was dropped might be that one. Its iat is
	// outside the window by then, unless the clock was set back, or this request
	// read it long ago.
	if iat <= s.forgotten {
		return badProof("The DPoP proof is too old to tell whether it was used before.")
	}
	by := s.owners[jkt]
	if len(s.seen) >= s.most || by != nil && by.held >= s.share {
		return s.full(at)
	}
	if by == nil {
		by = &owner{jkt: jkt}
		s.owners[jkt] = by
	}
	by.held++
	s.seen[id] = struct{}{}
	s.append(&sighting{id: id, by: by, iat: iat, until: at + int64(s.lifetime)})
	return nil
}

// full fails closed: what isn't remembered could pass twice.
func (s *replays) full(at int64) *refusal.Refusal {
	wait := max(time.Second, time.Duration(s.oldest.until-at))
	return refusal.New(refusal.Unavailable, "replay_store_full", "Too many DPoP proofs were used just now to remember one more.").
		Retry(min(wait, s.lifetime))
}

func (s *replays) append(one *sighting) {
	if s.newest == nil {
		s.oldest = one
	} else {
		s.newest.next = one
	}
	s.newest = one
}

// expire drops what no window can hold any more: a proof's iat is at most one
// window after it was seen, and is accepted for one more.
func (s *replays) expire(at int64) {
	for s.oldest != nil && s.oldest.until < at {
		gone := s.oldest
		delete(s.seen, gone.id)
		if gone.by.held--; gone.by.held == 0 {
			delete(s.owners, gone.by.jkt)
		}
		s.forgotten = max(s.forgotten, gone.iat)
		s.oldest = gone.next
	}
	if s.oldest == nil {
		s.newest = nil
	}
}
