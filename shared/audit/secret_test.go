package audit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/renewal"
)

// hanging is a vault that answers after so long, behind what shares its reads as
// secret.Source does.
type hanging struct {
	*renewal.Cache[contract.SecretRef, string]
	takes time.Duration
}

func hang(takes time.Duration) *hanging {
	return &hanging{renewal.New[contract.SecretRef, string](time.Now, renewal.Options{
		Most: 1, Patience: 5 * time.Second, Moment: 500 * time.Millisecond, First: time.Second, Last: 15 * time.Second,
	}), takes}
}

func (h *hanging) Read(ctx context.Context, ref contract.SecretRef) (string, error) {
	return h.Get(ctx, ref, func(ctx context.Context) (string, renewal.Until, error) {
		select {
		case <-time.After(h.takes):
			return strings.Repeat("s", 32), renewal.Until{Renew: time.Now().Add(5 * time.Minute), End: time.Now().Add(time.Hour)}, nil
		case <-ctx.Done():
			return "", renewal.Until{}, errors.New("the vault didn't answer in time")
		}
	})
}

func cloaked(secrets audit.Secrets) *audit.Cloak {
	return audit.NewCloak(contract.PlannedAudit{Pseudonymise: []string{"user"}, Secret: contract.SecretRef{Name: "k"}}, secrets, time.Now)
}

// over lets a read that nobody waits for come to its end.
func over() { <-time.After(5 * time.Second) }

// told applies the cloak and says how long that took, and whether there is a pseudonym.
func told(t *testing.T, k *audit.Cloak) (took time.Duration, pseudonym bool) {
	t.Helper()
	began, e := time.Now(), audit.Event{User: "ann"}
	k.Apply(t.Context(), &e)
	if pseudonym = strings.HasPrefix(e.User, "p-"); !pseudonym && (e.User != "" || !slices.Contains(e.Omitted, "user")) {
		t.Errorf("got %q and %v, want a pseudonym or nothing, and that it is told", e.User, e.Omitted)
	}
	return time.Since(began), pseudonym
}

func TestAVaultThatHangsDelaysFewCallsAndShortly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer over()
		k := cloaked(hang(time.Hour))
		if took, _ := told(t, k); took != time.Second {
			t.Errorf("the first call waited %s, want a second: the vault may be about to answer", took)
		}
		waited := map[time.Duration]int{}
		for range 600 { // a minute
			took, pseudonym := told(t, k)
			if waited[took]++; pseudonym {
				t.Fatal("got a pseudonym without a secret")
			}
			<-time.After(100 * time.Millisecond)
		}
		if len(waited) > 2 || waited[0] < 570 || waited[50*time.Millisecond] == 0 {
			t.Errorf("got %v, want 50 ms for some, and nothing for the others", waited)
		}
	})
}

func TestCallsThatComeTogetherWaitTogetherForAVaultThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer over()
		k := cloaked(hang(time.Hour))
		round := func() (longest time.Duration, waited int) {
			var mu sync.Mutex
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					took, _ := told(t, k)
					mu.Lock()
					defer mu.Unlock()
					if longest = max(longest, took); took > 0 {
						waited++
					}
				})
			}
			all.Wait()
			return longest, waited
		}
		if longest, _ := round(); longest != time.Second {
			t.Errorf("the first calls waited up to %s, want a second", longest)
		}
		<-time.After(10 * time.Second)
		if longest, waited := round(); longest > 50*time.Millisecond || waited > 1 {
			t.Errorf("later %d waited, up to %s, want one, for 50 ms", waited, longest)
		}
	})
}

func TestASlowVaultsSecretIsUsedAsSoonAsItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer over()
		k := cloaked(hang(2 * time.Second))
		if _, pseudonym := told(t, k); pseudonym {
			t.Error("got a pseudonym after a second")
		}
		<-time.After(500 * time.Millisecond)
		if _, pseudonym := told(t, k); pseudonym {
			t.Error("got a pseudonym after a second and a half")
		}
		<-time.After(time.Second) // nobody waits now
		if took, pseudonym := told(t, k); !pseudonym || took != 0 {
			t.Errorf("got %v after %s, want a pseudonym at once", pseudonym, took)
		}
	})
}
