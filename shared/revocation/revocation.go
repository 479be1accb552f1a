// Package revocation answers one question: has this caller been cut off?
//
// An entry says from when on: what was issued at that second or before is
// refused, whoever checks out otherwise. Entries stand in one table; one row
// beside them, the generation, changes whenever an entry did. An instance reads
// that row at most once in two seconds, however many requests it serves, and
// lists the entries only when the row changed. So a revocation holds everywhere
// within five seconds, for the price of one small read.
//
// Nothing here needs a timer to be right: how old the list is, is found by the
// request that needs it, by whichever of the two clocks has moved further.
package revocation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Stale is the mark of a call that was judged by an old list.
const Stale = "revocation_stale"

// Lists tells what is revoked now.
type Lists interface {
	// Current is the list, and whether it is an old one because the store can't be
	// asked. Its error is an *Unavailable.
	Current(ctx context.Context) (l *List, stale bool, err error)
}

// Unavailable says that there is no list that may be used, and when to ask again.
type Unavailable struct {
	Cause error
	Wait  time.Duration
}

func (u *Unavailable) Error() string { return u.Cause.Error() }
func (u *Unavailable) Unwrap() error { return u.Cause }

// Refuse is the stage that refuses whoever was cut off, by token or by key. It
// stands after the stages that verify those. signIn is where Entra's users sign
// in again. Without lists, it refuses everybody.
func Refuse(lists Lists, signIn string) pipeline.Stage {
	if lists == nil {
		lists = none{}
	}
	return func(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
		list, stale, err := lists.Current(ctx)
		if err != nil {
			return unavailable(err)
		}
		if stale {
			c.Marks = append(c.Marks, Stale)
		}
		if list.Empty() {
			return nil
		}
		if c.Identity != nil {
			if e := list.ofToken(c.Identity); e != nil && e.issuedBy(c.Identity.Claims) {
				return token(e, c.Identity, signIn)
			}
		}
		if c.Subscription != nil {
			if e := list.ofKey(c.Subscription); e != nil && e.madeBy(c.Subscription.Created) {
				return key(e, c.Style.KeyHeader)
			}
		}
		return nil
	}
}

// token refuses one. A client that can read it is told from when on a token must
// be, and asks Entra for such a one by itself; to the others the token is one
// that doesn't count (entra-oauth.md §2).
func token(e *Entry, id *pipeline.Identity, signIn string) *refusal.Refusal {
	r := refusal.New(refusal.Unauthenticated, "token_revoked", "The token was revoked. A new one may be accepted.").Because(e.why())
	if ofEntra(id) && id.Claims.TakesChallenge() {
		r.Challenging(pipeline.ClaimsChallenge(signIn, "nbf", strconv.FormatInt(e.NotBefore.Unix(), 10)))
	}
	return r
}

// key refuses one as the stage of keys does: who calls isn't told what became of it.
func key(e *Entry, header string) *refusal.Refusal {
	return refusal.New(refusal.Unauthenticated, "key_revoked", "The subscription key is not valid for this API.").Because(e.why()).
		Challenging(refusal.Challenge{Scheme: "SubscriptionKey", Name: header, Error: "invalid_key"})
}

// why is for operators. It names the entry, and nobody.
func (e *Entry) why() error {
	return fmt.Errorf("revoked by %s, up to %s", e.Name(), e.NotBefore.UTC().Format(time.RFC3339))
}

func unavailable(err error) *refusal.Refusal {
	wait := time.Second
	if u, ok := errors.AsType[*Unavailable](err); ok {
		wait = max(u.Wait, wait)
	}
	return refusal.New(refusal.Unavailable, "revocation_unavailable", "Whether the caller was cut off can't be told right now.").Because(err).Retry(wait)
}

// none is what a gateway has that was given no lists.
type none struct{}

func (none) Current(context.Context) (*List, bool, error) {
	return nil, false, &Unavailable{Cause: errors.New("the gateway was given no list of revocations")}
}

// Fixed is a list that nobody writes: for tests, and for judging calls where no
// store is asked, such as explain. A gateway that serves calls must not be given it.
func Fixed(l *List) Lists { return fixed{l} }

type fixed struct{ list *List }

func (f fixed) Current(context.Context) (*List, bool, error) { return f.list, false, nil }
