// Package credentials tries, through the whole gateway, how it proves itself to
// backends: each kind of credential, right, rotated, expired, and with its
// source slow, down and back.
package credentials

import (
	"testing"
	"time"

	"tollgate/localrun/faults"
	"tollgate/tests/lab"
)

func TestEachKindIsRightWithItsSourcesUp(t *testing.T) {
	l := example(t)
	for _, k := range kinds() {
		t.Run(k.api, func(t *testing.T) {
			first := granted(t, l, k)
			if again := granted(t, l, k); again != first && k.api != "profile" { // each caller's token is exchanged by itself
				t.Errorf("got another credential a moment later, want the one that is kept")
			}
		})
	}
}

// Each fault of each source, at the first call: nothing goes out unproved. When
// the source is back, the next call after the wait is granted.
func TestNoKindEverCallsItsBackendUnproved(t *testing.T) {
	all := []faults.Fault{
		{Kind: faults.Status}, {Kind: faults.Status, Status: 401}, {Kind: faults.Status, Status: 302}, {Kind: faults.Refuse},
		{Kind: faults.Garbage}, {Kind: faults.Expired}, {Kind: faults.Slow, Delay: time.Hour},
	}
	for _, k := range kinds() {
		t.Run(k.api, func(t *testing.T) {
			t.Parallel()
			l := example(t)
			year, err := l.Authority.Client("gateway to ledger", 365*24*time.Hour, false)
			if err != nil {
				t.Fatal(err)
			}
			l.Vault.Put("ledger-client", year.PKCS12, "")
			for _, f := range all {
				for _, source := range k.sources(l) {
					if f.Kind == faults.Expired && source == &l.Vault.Set {
						continue // secrets don't expire; for certificates see below
					}
					source.Fail(f)
					refused(t, l, k)
					source.Heal()
					l.Pass(5 * time.Second)
					if f.Kind == faults.Slow { // a request of then may still hang, and this one joins it
						_ = call(t, l, k)
						l.Pass(5 * time.Second)
					}
					granted(t, l, k)
					l.Pass(48 * time.Hour) // nothing is kept for so long
				}
			}
		})
	}
}

// secret is where the kinds with a secret keep it.
func secret(l *lab.Lab, t *testing.T, k kind) bool {
	auth := l.API(t, k.api).Backend.Auth
	return auth.Secret.Name != ""
}

func TestARotatedSecretIsUsedWithinMinutes(t *testing.T) {
	l := example(t)
	for _, k := range kinds() {
		if !secret(l, t, k) {
			continue
		}
		t.Run(k.api, func(t *testing.T) {
			before := granted(t, l, k)
			if err := l.Rotate(l.API(t, k.api)); err != nil {
				t.Fatal(err)
			}
			if granted(t, l, k) != before {
				t.Error("got the new one before the old one was five minutes old, want it kept")
			}
			l.Pass(5 * time.Minute)
			after := granted(t, l, k)
			if after == before {
				t.Error("got the old one after five minutes, want the new one")
			}
		})
	}
}

func TestATokenIsRenewedBeforeItExpires(t *testing.T) {
	l := example(t)
	for _, k := range kinds() {
		if secret(l, t, k) {
			continue
		}
		t.Run(k.api, func(t *testing.T) {
			before := granted(t, l, k)
			exp := time.Unix(int64(claimsOf(before)["exp"].(float64)), 0)
			l.Pass(time.Until(exp) - time.Minute)
			if after := granted(t, l, k); after == before {
				t.Error("got the token that expires in a minute, want a new one")
			}
			l.Pass(48 * time.Hour)
		})
	}
}

// What is held already bridges an outage, and no longer than it is good.
func TestAnOutageIsBridgedByWhatIsHeld(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.api, func(t *testing.T) {
			if k.api == "profile" {
				return // each caller's token is exchanged by itself
			}
			t.Parallel()
			l := example(t)
			before := granted(t, l, k)
			for _, source := range k.sources(l) {
				source.Fail(faults.Fault{Kind: faults.Status})
			}
			l.Pass(59 * time.Minute)
			if granted(t, l, k) != before {
				t.Error("got another credential during the outage")
			}
			l.Pass(25 * time.Hour)
			refused(t, l, k)
		})
	}
}

func TestACertificateThatExpiredIsNotShown(t *testing.T) {
	l := example(t)
	k := kinds()[2]
	old, err := l.Authority.Client("gateway to ledger", -time.Minute, false)
	if err != nil {
		t.Fatal(err)
	}
	l.Vault.Put("ledger-client", old.PEM, "")
	refused(t, l, k)
	good, err := l.Authority.Client("gateway to ledger", time.Hour, false)
	if err != nil {
		t.Fatal(err)
	}
	l.Vault.Put("ledger-client", good.PEM, "")
	l.Pass(5 * time.Minute)
	granted(t, l, k)
}

func TestASecretThatNoHeaderCanCarryIsNotSent(t *testing.T) {
	l := example(t)
	for _, value := range []string{"secret-a\nX-Evil: 1", "secret-a\r\n", " secret-a", "secret-\u00e9", "secret-\x00"} {
		l.Vault.Put("stock-key", value, "")
		refused(t, l, kinds()[3])
		l.Pass(2 * time.Hour)
	}
}

func TestAPublicOperationIsProvedToo(t *testing.T) {
	l := example(t)
	k := kinds()[3]
	k.path = "/stock/health"
	granted(t, l, k)
}
