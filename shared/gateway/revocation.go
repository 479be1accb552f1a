package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/shared/revocation"
)

// cutOff is the stage that refuses whoever was revoked, right after the one that
// says who it is; none where the plan has no store to write that in.
func (g *Gateway) cutOff() []step {
	if g.plan.Revocation == nil {
		return nil
	}
	var lists revocation.Lists
	if g.parts.Revocations != nil {
		lists = g.parts.Revocations(g.plan)
	}
	g.revocations, _ = lists.(stateful)
	return []step{{"revocation", revocation.Refuse(lists, g.plan.SignIn)}}
}

// stateful is a list that tells what is known of it.
type stateful interface{ State() revocation.State }

// Chore is work that is done now and then, such as removing what has ended. It
// does at most that much at once, for anyone may be able to start it.
type Chore struct {
	Name string
	Do   func(ctx context.Context, most int) (done int, err error)
}

// atOnce bounds one round of a chore, and atLength all its rounds: more than so
// many may have ended since the last time, and the others want their turn too.
const (
	atOnce   = 500
	atLength = 8 * time.Second
)

// Refresh does ahead of time what a request would otherwise wait for: it
// fetches key sets that are growing old. Then it does the chores. It may be
// called by anyone at any time.
func (g *Gateway) Refresh(ctx context.Context) (report []string, err error) {
	report, err = g.trust.Refresh(ctx)
	if g.parts.Chores == nil {
		return report, err
	}
	for _, c := range g.parts.Chores(g.plan) {
		done, failed := g.rounds(ctx, c)
		report = append(report, fmt.Sprintf("%s: %d removed", c.Name, done))
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", c.Name, failed))
		}
	}
	return report, err
}

// rounds does a chore until nothing is left to do, or its time is over.
func (g *Gateway) rounds(ctx context.Context, c Chore) (done int, err error) {
	for began := g.parts.Now(); ; {
		n, err := c.Do(ctx, atOnce)
		done += n
		if err != nil || n < atOnce || ctx.Err() != nil || g.parts.Now().Sub(began) >= atLength {
			return done, err
		}
	}
}
