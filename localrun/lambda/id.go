package lambda

import (
	"crypto/rand"
	"fmt"
)

// newID is a random UUID, as Lambda names invocations.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// traceID is X-Ray's header, of the time and the call's id.
func traceID(a arrived) string {
	hex := a.id[:8] + a.id[9:13] + a.id[14:18] + a.id[19:23] + a.id[24:]
	return fmt.Sprintf("Root=1-%08x-%s", a.at.Unix(), hex[:24])
}
