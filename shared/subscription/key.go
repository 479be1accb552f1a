// Package subscription asks of a call: which product does this key open?
//
// A key is never kept. What is kept is its digest under a secret that the store
// doesn't hold, so whoever reads the store can neither call nor guess. A
// subscription is one row, and that row is the truth: who has it, its state, and
// the digests of its two keys. A second row for each key leads from the digest to
// the subscription and decides nothing.
package subscription

import (
	"encoding/base32"
	"hash/crc32"
	"io"
)

// A key is tgk_, 32 characters of chance (160 bits) and 7 of their checksum: 43
// in all. The prefix lets secret scanners find a leaked one, and the checksum
// lets a mistyped or made-up one be told without asking the store. It is no
// proof: whoever knows this format can make one that is well-formed.
const (
	Prefix    = "tgk_"
	random    = 20
	bodyEnd   = len(Prefix) + 32
	KeyLength = bodyEnd + 7
)

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// Mint makes a key.
func Mint(chance io.Reader) (string, error) {
	var b [random]byte
	if _, err := io.ReadFull(chance, b[:]); err != nil {
		return "", err
	}
	body := Prefix + base32.NewEncoding(alphabet).WithPadding(base32.NoPadding).EncodeToString(b[:])
	sum := checksum(body)
	return body + string(sum[:]), nil
}

// WellFormed tells a key from anything else. There is one spelling: case counts.
func WellFormed(key string) bool {
	if len(key) != KeyLength || key[:len(Prefix)] != Prefix {
		return false
	}
	for i := len(Prefix); i < bodyEnd; i++ {
		if c := key[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	sum := checksum(key[:bodyEnd])
	return key[bodyEnd:] == string(sum[:])
}

// checksum is CRC-32C, most significant bits first, in base32. Its seventh
// character has two bits of it and three of nothing.
func checksum(body string) (out [KeyLength - bodyEnd]byte) {
	sum := uint64(crc(body)) << 3
	for i := range out {
		out[i] = alphabet[sum>>(5*(len(out)-1-i))&31]
	}
	return out
}

// crc is crc32.Checksum of text: that one takes bytes, and would copy each key to
// have some.
func crc(body string) uint32 {
	table, sum := crc32.MakeTable(crc32.Castagnoli), ^uint32(0)
	for i := range len(body) {
		sum = table[byte(sum)^body[i]] ^ sum>>8
	}
	return ^sum
}
