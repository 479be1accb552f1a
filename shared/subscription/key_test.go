package subscription_test

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"regexp"
	"strings"
	"testing"

	. "tollgate/shared/subscription"
)

func TestAKeyIsWellFormedInOneSpellingOnly(t *testing.T) {
	key, err := Mint(rand.Reader)
	if err != nil || !regexp.MustCompile(`^tgk_[a-z2-7]{39}$`).MatchString(key) || !WellFormed(key) {
		t.Fatalf("got %q, %v", key, err)
	}
	for i := range key { // G122: each character matters
		for _, c := range "abz27AZ018_- \x00" {
			if other := key[:i] + string(c) + key[i+1:]; other != key && WellFormed(other) {
				t.Errorf("%q is taken for a key besides %q", other, key)
			}
		}
	}
	for _, other := range []string{"", "tgk_", key + "a", key[1:], strings.ToUpper(key), " " + key, strings.Repeat("a", len(key))} {
		if WellFormed(other) {
			t.Errorf("%q is taken for a key", other)
		}
	}
}

// The checksum, by the standard library's own means.
func TestTheChecksumIsCRC32C(t *testing.T) {
	key, err := Mint(strings.NewReader(strings.Repeat("\x5a", 20)))
	if err != nil {
		t.Fatal(err)
	}
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum([]byte(key[:36]), crc32.MakeTable(crc32.Castagnoli)))
	if want := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum)); key[36:] != want {
		t.Errorf("got %s, want %s", key[36:], want)
	}
}

func TestAKeyIsNotMadeWithoutChance(t *testing.T) {
	if _, err := Mint(strings.NewReader("short")); err == nil {
		t.Error("got a key of too little chance")
	}
}

func FuzzWellFormed(f *testing.F) {
	key, _ := Mint(strings.NewReader(strings.Repeat("x", 20)))
	f.Add(key)
	f.Fuzz(func(t *testing.T, s string) {
		if WellFormed(s) && (len(s) != KeyLength || s != strings.ToLower(s)) {
			t.Errorf("%q is taken for a key", s)
		}
	})
}
