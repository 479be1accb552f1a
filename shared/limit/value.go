package limit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// A value's parts follow each other, each as its length plus one and its bytes;
// a part that is missing is a length of zero. So no two lists of parts are
// written alike, whatever they hold.
func appendPart(b []byte, part string) []byte {
	b = binary.AppendUvarint(b, uint64(len(part))+1)
	return append(b, part...)
}

// Value is that of parts that are all there.
func Value(parts ...string) []byte {
	var b []byte
	for _, part := range parts {
		b = appendPart(b, part)
	}
	return b
}

func appendMissing(b []byte) []byte { return append(b, 0) }

// Parts takes a value apart again: one text for each part of the rule's by, ""
// for one that was missing.
func Parts(value []byte) []string {
	var parts []string
	for len(value) > 0 {
		n, size := binary.Uvarint(value)
		if size <= 0 || n > uint64(len(value)-size)+1 {
			return parts
		}
		value = value[size:]
		if n == 0 {
			parts = append(parts, "")
			continue
		}
		parts, value = append(parts, string(value[:n-1])), value[n-1:]
	}
	return parts
}

// value appends what the call is counted by. missing names the part that has no
// value and may not be left out; "" if there is none.
func (r *Rule) value(b []byte, c *pipeline.Call) (value []byte, missing string) {
	for i := range r.By {
		part, ok := b, false
		if part, ok = appendCounted(b, &r.By[i], c); !ok {
			if !r.Shared {
				return b, r.By[i].Kind
			}
			part = appendMissing(b)
		}
		b = part
	}
	return b, ""
}

// appendCounted appends one part; ok is false if the call has none.
func appendCounted(b []byte, by *contract.CountedBy, c *pipeline.Call) (value []byte, ok bool) {
	switch by.Kind {
	case contract.PerSubscription:
		if c.Subscription == nil {
			return b, false
		}
		return appendPart(b, c.Subscription.ID), true
	case contract.PerClaim:
		return appendClaim(b, by.Names, c.Identity)
	case contract.PerToken:
		return appendToken(b, c)
	case contract.PerAddress:
		return appendAddress(b, c.Client)
	case contract.PerHeader:
		lines := c.Request.Header[by.Names[0]]
		return appendPart(b, strings.Join(lines, ",")), len(lines) > 0
	case contract.PerOperation:
		return appendPart(b, c.Operation), true
	}
	return appendPart(b, ""), true // all
}

// appendAddress appends an address; of IPv6 its /64, which one caller has to
// itself (RFC 6177 §2), so that it can't rotate through it.
func appendAddress(b []byte, a netip.Addr) (value []byte, ok bool) {
	if !a.IsValid() {
		return b, false
	}
	if a.Is6() {
		p, _ := a.WithZone("").Prefix(64) // fits every IPv6 address
		a = p.Addr()
	}
	var room [64]byte
	text := a.AppendTo(room[:0])
	return append(binary.AppendUvarint(b, uint64(len(text))+1), text...), true
}

// appendClaim appends who vouches for the claim, and the claim: two issuers may
// mean different people by one value.
func appendClaim(b []byte, names []string, id *pipeline.Identity) (value []byte, ok bool) {
	if id == nil {
		return b, false
	}
	for _, name := range names {
		if text, ok := id.Claims[name].(string); ok {
			return appendOwned(b, id.Authority, text), true
		}
		if texts, ok := id.Claims.Texts(name); ok {
			var list []byte
			for _, text := range texts {
				list = appendPart(list, text)
			}
			return appendOwned(b, id.Authority+"\x00", string(list)), true // no authority ends so: a list is no text
		}
	}
	return b, false
}

// appendOwned is one part, made of two that can be told apart: the authority's length is in it.
func appendOwned(b []byte, authority, text string) []byte {
	n := len(authority) + len(text)
	var length [binary.MaxVarintLen64]byte
	prefix := length[:binary.PutUvarint(length[:], uint64(len(authority)))]
	b = binary.AppendUvarint(b, uint64(len(prefix)+n)+1)
	b = append(b, prefix...)
	b = append(b, authority...)
	return append(b, text...)
}

// Owned takes such a part apart.
func Owned(part string) (authority, text string) {
	n, size := binary.Uvarint([]byte(part))
	if size <= 0 || n > uint64(len(part)-size) {
		return "", part
	}
	return part[size : size+int(n)], part[size+int(n):]
}

// appendToken appends what names the token: its own id where its issuer gives
// one, for the text of a token can be varied by whoever has it; else a digest of
// what is signed.
func appendToken(b []byte, c *pipeline.Call) (value []byte, ok bool) {
	if c.Identity == nil {
		return b, false
	}
	for _, name := range []string{"uti", "jti"} {
		if id, ok := c.Identity.Claims[name].(string); ok && id != "" {
			return appendOwned(b, c.Identity.Authority, name+":"+id), true
		}
	}
	scheme, text, found := strings.Cut(c.Request.Header.Get("Authorization"), " ")
	end := strings.LastIndexByte(text, '.')
	if !found || scheme == "" || end < 0 {
		return b, false
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(text[:end])))
	return appendOwned(b, c.Identity.Authority, hex.EncodeToString(sum[:])), true
}
