package subscription

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/renewal"
)

// Scheme is what a challenge for a key is called.
const Scheme = "SubscriptionKey"

// door is one operation, as keys see it.
type door struct {
	*Register
	api  contract.PlannedAPI
	need bool   // a call without a key is refused
	rule string // that asks for it
}

// Require is the stage that finds the key and asks whether it opens the operation.
func (g *Register) Require(api contract.PlannedAPI, op contract.PlannedOperation) pipeline.Stage {
	d := &door{g, api, op.Key == contract.KeyAnd || op.Key == contract.KeyAlone, "operations." + op.ID + ".allow.key"}
	if op.Allow == nil || op.Allow.Key == "" {
		d.rule = "operations." + op.ID
		for _, name := range slices.Backward(api.Products) {
			if d.need != g.products[name].Optional {
				d.rule = "gateway.products." + name
			}
		}
	}
	return d.judge
}

// Known tells whether Require, for any operation of the API, would judge the call
// without asking the store.
func (g *Register) Known(api contract.PlannedAPI) func(context.Context, *pipeline.Call) bool {
	return func(_ context.Context, c *pipeline.Call) bool {
		key, ambiguous := sent(c, api.Keys)
		return ambiguous || !WellFormed(key) || g.told(fingerprintOf(key))
	}
}

func fingerprintOf(key string) fingerprint {
	var room [KeyLength]byte
	return sha256.Sum256(room[:copy(room[:], key)])
}

func (d *door) judge(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
	key, ambiguous := sent(c, d.api.Keys)
	switch {
	case ambiguous:
		return refusal.New(refusal.Malformed, "key_ambiguous", "The request holds two different subscription keys; send one.").By(d.rule)
	case key == "" && !d.need:
		return nil
	case key == "":
		return refusal.New(refusal.Unauthenticated, "key_missing", "Send a subscription key in the header "+d.api.Keys.Header+".").
			Challenging(refusal.Challenge{Scheme: Scheme, Name: d.api.Keys.Header}).By(d.rule)
	case !WellFormed(key):
		return d.invalid("key_malformed")
	}
	h, err := d.find(ctx, key, fingerprintOf(key))
	if err != nil {
		return d.unavailable(err)
	}
	if h.slot < 0 {
		return d.invalid("key_unknown")
	}
	return d.admit(ctx, c, h)
}

// admit asks of a key that somebody has: is it good now, and for this?
func (d *door) admit(ctx context.Context, c *pipeline.Call, h *held) *refusal.Refusal {
	r, ends := &h.record, h.record.Slots[h.slot].Ends
	if !r.Expires.IsZero() || !ends.IsZero() {
		latest, err := d.latest(ctx)
		if err != nil {
			return d.unavailable(err)
		}
		if over(ends, latest) || r.At(latest) == Expired {
			return d.invalid("key_expired").Because(r.named())
		}
	}
	switch {
	case r.State != Active:
		return d.invalid("key_inactive").Because(r.named())
	case r.API != d.api.Name && (r.Product == "" || !slices.Contains(d.api.Products, r.Product)):
		return d.invalid("key_not_for_api").Because(r.named())
	}
	c.Subscription = h.said
	return nil
}

// invalid: the code tells operators which. Who calls hears one text for all, for
// it is nobody's matter who merely holds a key what became of it.
func (d *door) invalid(code string) *refusal.Refusal {
	return refusal.New(refusal.Unauthenticated, code, "The subscription key is not valid for this API.").
		Challenging(refusal.Challenge{Scheme: Scheme, Name: d.api.Keys.Header, Error: "invalid_key"}).By(d.rule)
}

// unavailable: an outage is not a bad key.
func (d *door) unavailable(err error) *refusal.Refusal {
	wait := time.Second
	if down, ok := errors.AsType[*renewal.Unavailable](err); ok {
		wait = max(wait, down.Wait)
	}
	return refusal.New(refusal.Unavailable, "keys_unavailable", "The subscription key can't be verified right now.").
		Because(err).Retry(wait).By(d.rule)
}

// sent is the key that the call holds, "" for none. ambiguous: it holds two that differ.
func sent(c *pipeline.Call, place contract.PlannedKeys) (key string, ambiguous bool) {
	for _, value := range c.Request.Header[place.Header] {
		if value == "" || value == key {
			continue
		}
		if key != "" {
			return "", true
		}
		key = value
	}
	if place.Query == "" || c.Request.URL.RawQuery == "" {
		return key, false
	}
	for pair := range strings.SplitSeq(c.Request.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if decoded(name) != place.Query {
			continue
		}
		if value = decoded(value); value == "" || value == key {
			continue
		}
		if key != "" {
			return "", true
		}
		key = value
	}
	return key, false
}

// decoded is a part of a query as it is meant. What can't be decoded stays as it stands.
func decoded(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	return s
}
