package subscription_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/contract"
	. "tollgate/shared/subscription"
)

// after is long enough for every instance to have asked again.
const after = contract.DefaultKeyRefresh + time.Second

func TestOnlyADigestIsKept(t *testing.T) {
	d := newDesk()
	_, key := d.open(t, Wish{Product: "partner", Note: "n"})
	for at, row := range d.rows {
		for name, v := range row.Fields {
			if s, ok := v.(string); ok && (strings.Contains(s, key[4:36]) || strings.Contains(s, Prefix)) {
				t.Errorf("%v holds the key in %s", at, name)
			}
		}
		if strings.Contains(at.Partition+at.Row, key[4:36]) {
			t.Errorf("%v is the key", at)
		}
	}
	if len(d.rows) != 2 {
		t.Errorf("got %d rows, want the subscription's and the key's", len(d.rows))
	}
}

func TestTheStatesOfASubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		steps := map[string]func(id string) (*Record, error){
			"approve": func(id string) (*Record, error) { return d.Approve(t.Context(), id) }, "reject": func(id string) (*Record, error) { return d.Reject(t.Context(), id) },
			"suspend": func(id string) (*Record, error) { return d.Suspend(t.Context(), id) }, "resume": func(id string) (*Record, error) { return d.Resume(t.Context(), id) },
			"cancel": func(id string) (*Record, error) { return d.Cancel(t.Context(), id) },
		}
		for path, want := range map[string]struct {
			state   State
			verdict string
		}{
			"":                        {Submitted, "401 key_inactive"},
			"approve":                 {Active, "granted"},
			"approve approve":         {Active, "granted"},
			"reject":                  {Cancelled, "401 key_inactive"},
			"cancel":                  {Cancelled, "401 key_inactive"},
			"suspend!":                {Submitted, "401 key_inactive"},
			"resume!":                 {Submitted, "401 key_inactive"},
			"approve suspend":         {Suspended, "401 key_inactive"},
			"approve suspend resume":  {Active, "granted"},
			"approve reject!":         {Active, "granted"},
			"approve suspend cancel":  {Cancelled, "401 key_inactive"},
			"reject approve!":         {Cancelled, "401 key_inactive"},
			"approve cancel resume!":  {Cancelled, "401 key_inactive"},
			"approve cancel suspend!": {Cancelled, "401 key_inactive"},
		} {
			id, key := d.open(t, Wish{Product: "partner", Approval: true})
			for step := range strings.FieldsSeq(path) {
				name, refused := strings.CutSuffix(step, "!")
				if _, err := steps[name](id); (err != nil) != refused {
					t.Errorf("%s: %s: got %v", path, name, err)
				}
			}
			r, err := d.Show(t.Context(), id)
			if err != nil || r.State != want.state || (r.Started.IsZero() != !strings.HasPrefix(path, "approve")) {
				t.Errorf("%s: got %+v, %v, want %s", path, r, err, want.state)
			}
			d.want(t, key, want.verdict)
		}
	})
}

func TestASubscriptionExpiresByTheStoresClock(t *testing.T) {
	for name, skew := range map[string]time.Duration{"right": 0, "the store is ahead": 10 * time.Minute, "the store is behind": -10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			d.skew = skew
			id, key := d.open(t, Wish{Product: "partner", Expires: time.Now().Add(time.Hour)})
			end := time.Hour - skew
			time.Sleep(end - 2*time.Second)
			d.want(t, key, "granted")
			time.Sleep(1600 * time.Millisecond) // it may be over now
			if d.want(t, key, "401 key_expired"); t.Failed() {
				t.Log(name)
			}
			time.Sleep(2 * time.Second)
			if r, err := d.Show(t.Context(), id); err != nil || r.State != Expired {
				t.Errorf("%s: got %+v, %v", name, r, err)
			}
			if _, err := d.Resume(t.Context(), id); err == nil {
				t.Error("an expired subscription was resumed")
			}
			if _, _, err := d.Rotate(t.Context(), id, Rotation{}); err == nil {
				t.Error("an expired subscription got a key")
			}
		})
	}
}

func TestAfterAFreezeTheStoreIsAskedForTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		_, key := d.open(t, Wish{Product: "partner", Expires: time.Now().Add(time.Hour)})
		_, forever := d.open(t, Wish{Product: "partner"})
		d.want(t, key, "granted")
		d.want(t, forever, "granted")
		before := d.reads()
		d.blind = true
		if d.want(t, forever, "granted"); d.reads() != before {
			t.Error("the time was asked for a subscription that never ends")
		}
		if d.want(t, key, "granted"); d.reads() != before+1 {
			t.Errorf("got %d reads, want one", d.reads()-before)
		}
		d.blind, d.down = true, true
		d.want(t, key, "503 keys_unavailable")
		d.want(t, forever, "granted")
	})
}

func TestG122TheOldKeyEndsAfterItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		id, first := d.open(t, Wish{Product: "partner"})
		d.want(t, first, "granted")
		r, second, err := d.Rotate(t.Context(), id, Rotation{Grace: time.Hour})
		if err != nil || r.Slots[Primary].Ends.IsZero() || !r.Slots[Secondary].Ends.IsZero() {
			t.Fatalf("got %+v, %v", r, err)
		}
		d.want(t, first, "granted")
		d.want(t, second, "granted")
		if _, _, err := d.Rotate(t.Context(), id, Rotation{Grace: time.Hour}); !errors.Is(err, ErrGrace) {
			t.Errorf("got %v: a key in its grace was overwritten", err)
		}
		time.Sleep(time.Hour)
		d.want(t, first, "401 key_expired")
		d.want(t, second, "granted")
		_, third, err := d.Rotate(t.Context(), id, Rotation{Grace: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		d.want(t, first, "401 key_unknown") // its slot has another
		d.want(t, second, "granted")
		d.want(t, third, "granted")
		r, fourth, err := d.Rotate(t.Context(), id, Rotation{Overwrite: true}) // a leak: the other ends at once
		if err != nil || r.Slots[Primary].Ends.IsZero() || !r.Slots[Secondary].Ends.IsZero() {
			t.Fatalf("got %+v, %v", r, err)
		}
		time.Sleep(after)
		d.want(t, second, "401 key_unknown")
		d.want(t, third, "401 key_expired")
		d.want(t, fourth, "granted")
	})
}

func TestTheDigestsSecretCanBeRotated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		old := NewOffice(d.table, d.table, both, previous, rand.Reader)
		r, key, err := old.Open(t.Context(), Wish{Product: "partner", Owner: "o"})
		if err != nil {
			t.Fatal(err)
		}
		d.want(t, key, "granted") // found under previous, and kept under current
		p := plan()
		p.Store.Previous = contract.SecretRef{}
		later := &desk{d.table, d.Office, NewRegister(p, Source{d.table, d.table, secrets{"new": both["new"]}}, time.Now), p}
		later.want(t, key, "granted")
		if _, err := d.Suspend(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		later.want(t, key, "401 key_inactive")
		// One that can't be looked for under the previous secret is not unknown.
		_, other, err := old.Open(t.Context(), Wish{Product: "partner", Owner: "o"})
		if err != nil {
			t.Fatal(err)
		}
		half := &desk{d.table, d.Office, NewRegister(plan(), Source{d.table, d.table, secrets{"new": both["new"]}}, time.Now), plan()}
		half.want(t, other, "503 keys_unavailable")
	})
}

func TestChangesAtOnceDontUndoEachOther(t *testing.T) {
	d := newDesk()
	id, _ := d.open(t, Wish{Product: "partner"})
	var all sync.WaitGroup
	keys := make(chan string, 8)
	for range 4 {
		all.Go(func() {
			if _, key, err := d.Rotate(t.Context(), id, Rotation{Grace: time.Hour}); err == nil {
				keys <- key
			} else if !errors.Is(err, ErrGrace) {
				t.Error(err)
			}
		})
		all.Go(func() {
			if _, err := d.Suspend(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if r, err := d.Show(t.Context(), id); err != nil || r.State != Suspended || len(keys) != 1 {
		t.Errorf("got %+v, %v and %d new keys, want it suspended with one", r, err, len(keys))
	}
}

func TestALostAnswerIsLookedUp(t *testing.T) {
	d := newDesk()
	d.lost = true // what is written is there, but nobody is told
	r, key, err := d.Open(t.Context(), Wish{Product: "partner", Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	d.want(t, key, "granted")
	if r, err = d.Suspend(t.Context(), r.ID); err != nil || r.State != Suspended {
		t.Errorf("got %+v, %v", r, err)
	}
	d.lost, d.down = false, true
	if _, err := d.Resume(t.Context(), r.ID); err == nil {
		t.Error("a change was made without a store")
	}
}

func TestWhatNoSubscriptionCanBe(t *testing.T) {
	d := newDesk()
	for name, w := range map[string]Wish{
		"of nothing": {Owner: "o"}, "of both": {Owner: "o", Product: "partner", API: "orders"}, "of nobody": {Product: "partner"},
		"over already": {Product: "partner", Owner: "o", Expires: time.Now().Add(-time.Hour)},
	} {
		if _, _, err := d.Open(t.Context(), w); err == nil || len(d.rows) > 0 {
			t.Errorf("%s: got %v and %d rows", name, err, len(d.rows))
		}
	}
	for _, id := range []string{"", "abcdefghijkl", "../../x", "ABCDEFGHIJKL"} {
		if _, err := d.Show(t.Context(), id); !errors.Is(err, ErrNone) {
			t.Errorf("%q: got %v", id, err)
		}
	}
}

func TestWhatOpensNothingIsSweptInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		id, first := d.open(t, Wish{Product: "partner"})
		cancelled, _ := d.open(t, Wish{Product: "partner"})
		d.open(t, Wish{Product: "partner", Expires: time.Now().Add(time.Hour)})
		_, second, err := d.Rotate(t.Context(), id, Rotation{Grace: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Cancel(t.Context(), cancelled); err != nil {
			t.Fatal(err)
		}
		if n, err := d.Sweep(t.Context(), 100); n != 0 || err != nil {
			t.Errorf("got %d, %v: a row that was just written may belong to a subscription that is being written", n, err)
		}
		time.Sleep(2 * time.Hour)
		for _, want := range []int{2, 1, 0} { // the first key's, the cancelled one's and the expired one's
			if n, err := d.Sweep(t.Context(), 2); n != want || err != nil {
				t.Errorf("got %d, %v, want %d", n, err, want)
			}
		}
		d.want(t, second, "granted")
		d.want(t, first, "401 key_unknown")
		n := 0
		for _, err := range d.Office.List(t.Context()) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 3 || len(d.rows) != 4 {
			t.Errorf("got %d subscriptions and %d rows, want 3 and one key's more", n, len(d.rows))
		}
		d.down = true
		if _, err := d.Sweep(t.Context(), 2); err == nil {
			t.Error("swept without a store")
		}
	})
}

func BenchmarkKeyLookup(b *testing.B) {
	d := newDesk()
	_, key := d.open(b, Wish{Product: "partner"})
	require := d.Require(d.plan.APIs[0], needed)
	c, ctx := call(b, "/", with(key)), b.Context()
	if r := require(ctx, c); r != nil {
		b.Fatal(said(r))
	}
	b.ReportAllocs()
	for b.Loop() {
		if require(ctx, c) != nil {
			b.Fatal("refused")
		}
	}
}
