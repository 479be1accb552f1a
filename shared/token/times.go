package token

import (
	"errors"
	"strconv"
	"time"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// times are when a token is good. The zero time stands for a claim that is absent.
type times struct{ exp, nbf, iat time.Time }

// readTimes: exp is required (RFC 7519 lets it be absent), and times are whole seconds.
func (e *entry) readTimes(c pipeline.Claims) *refusal.Refusal {
	for _, t := range []struct {
		name string
		at   *time.Time
	}{{"exp", &e.times.exp}, {"nbf", &e.times.nbf}, {"iat", &e.times.iat}} {
		v, there := c[t.name]
		if !there {
			continue
		}
		when, err := seconds(v)
		if err != nil {
			return malformed("The token's " + t.name + " is not a time in whole seconds.").Because(err)
		}
		*t.at = when
	}
	if e.times.exp.IsZero() {
		return unauthenticated("exp_missing", "The token doesn't say when it expires.")
	}
	return nil
}

// checkTimes: the skew counts in the caller's favour at both ends. Nothing was
// issued in the future.
func (t *Trust) checkTimes(at times) *refusal.Refusal {
	now := t.now()
	latest := now.Add(t.skew)
	switch {
	case !now.Before(at.exp.Add(t.skew)):
		return unauthenticated("token_expired", "The token has expired.")
	case latest.Before(at.nbf), latest.Before(at.iat):
		return unauthenticated("token_not_yet_valid", "The token is not valid yet.")
	case t.maxLifetime > 0 && (at.iat.IsZero() || at.exp.Sub(at.iat) > t.maxLifetime):
		return unauthenticated("lifetime_exceeded", "The token lives longer than is allowed here, or doesn't say since when.")
	}
	return nil
}

// maxSeconds is the end of the year 9999: beyond it time arithmetic could wrap.
const maxSeconds = 253402300799

func seconds(v any) (time.Time, error) {
	n, ok := v.(pipeline.Number)
	if !ok {
		return time.Time{}, errors.New("not a number")
	}
	s, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil || s < 0 || s > maxSeconds {
		return time.Time{}, errors.New("out of range, or not a whole number") // the value itself is the caller's
	}
	return time.Unix(s, 0), nil
}

// readBinding: a token with cnf is bound to a key (RFC 7800), and worth nothing
// to whoever can't prove the key.
func (e *entry) readBinding(c pipeline.Claims) *refusal.Refusal {
	cnf, bound := c["cnf"]
	if !bound {
		return nil
	}
	members, _ := cnf.(map[string]any)
	if len(members) == 0 {
		return unauthenticated("binding_required", "The token is bound to a key in a way that can't be read.")
	}
	e.binding = members
	return nil
}
