package adversarial

import (
	"os"
	"testing"
)

// Why a row waits. TOLLGATE_PENDING=1 runs them all the same.
const (
	server  = "waits for the strict server (shared/wire): net/http takes this, or answers it wrongly"
	address = "waits for clientAddress and addresses"
	defect  = "a fault of today's gateway"
)

// explained is what a fault of framing must be answered with, beside its status.
const explained = "F every fault of framing is a problem document with an event"

// pending are the rows that can't pass yet, by number and name. Each goes when
// what it waits for is there; none is a promise less.
func pending() map[string]string {
	all := map[string]string{"E95 client addresses": address, "E91 Content_Length": defect, "E91 Content.Length": defect, "E91 Content_Type": defect}
	for _, name := range netHTTP() {
		all[name] = server
	}
	// A backend may take its path or its host from these; they reach it.
	for _, name := range []string{"X-Script-Name", "Script-Name", "Path-Info", "X-Replaced-Path", "X-HTTP-Host-Override", "X-HTTP-DestinationURL"} {
		all["D82 "+name+" on a public one"] = defect
	}
	// Only - _ and . are folded.
	for _, name := range otherwise() {
		for _, row := range []string{"E89 " + name + " on a public path", "E91 " + name + " beside a token", "E91 " + name + " twice, beside a token"} {
			all[row] = defect
		}
	}
	for _, name := range otherPlatforms() {
		all["E97 "+name+" on a public path"], all["E97 "+underscored(name)+" on a public path"] = defect, defect
	}
	return all
}

// netHTTP are the rows that Go's own server fails.
func netHTTP() []string {
	return []string{
		explained,
		"D80 OPTIONS *", // answered 200, without an event
		"E101 a bare LF in the value",
		"E101 a fold that hides a name",
		"E101 a folded token",
		"E101 a folded value",
		"E101 a value folded by a tab",
		"E101 a value folded twice",
		"E101 an empty fold",
		"E101 half a character in the value",
		"E101 invalid UTF-8 in the value",
		"E101 overlong UTF-8 in the value",
		"E104 Expect: 100-continue, 200-ok",
		"F109 Host folded",
		"F109 a bare LF after a header line",
		"F109 a bare LF after the request line",
		"F109 a bare LF at the end of the header",
		"F109 a bare LF at the end",
		"F109 a folded trailer",
		"F109 a last chunk with a space",
		"F109 a space before the name",
		"F109 a trailer with a bare LF",
		"F109 a trailer with a space before the colon",
		"F109 an extension of the last chunk",
		"F109 bare LFs all through",
		"F109 behind a bare LF",
		"F109 beside a length (CL.TE)",
		"F109 beside a length (TE.CL)",
		"F109 beside a length of 0",
		"F109 beside a length that fits",
		"F109 beside a length, with a GET",
		"F109 folded by a tab",
		"F109 folded onto the next line",
		"F109 in HTTP/1.0 beside a length",
		"F109 in HTTP/1.0",
		"F109 in HTTP/1.0, kept alive",
		"F109 the chunk size 5;",
		"F109 the chunk size 5;\\x00",
		"F109 the chunk size 5;\\x20x",
		"F109 the chunk size 5;x",
		"F109 the chunk size 5;x=\"\\r\\n\"",
		"F109 the chunk size 5;x=\"y\"",
		"F109 the chunk size 5;x=y",
		"F109 the chunk size 5\\x09",
		"F109 the chunk size 5\\x20",
		"F109 the chunk size 8000000000000005",
		"F109 the chunk size FFFFFFFFFFFFFFFF",
		"F109 the host %",
		"F109 the host ::1]",
		"F109 the host [::1",
		"F109 the host [::1]x",
		"F109 the host a%zzb",
		"F109 the host api.example:-1",
		"F109 the host api.example:80:80",
		"F109 the host api.example:99999999",
		"F109 the host api.example:http",
		"F110 a space before the name",
		"F110 behind a bare LF",
		"F110 folded onto the next line",
		"F110 two that are equal",
		"F115 the preface with a Host",
		"F118 1,000 headers of one name",
		"F118 1,000 headers without a value",
		"F118 1,000 headers",
		"F118 a method of 64 KB",
		"F118 a name of 64 KB",
		"F118 a query of 64 KB",
		"F118 a target of 64 KB",
	}
}

// await skips a row that waits for something.
func await(t *testing.T, id, name string) {
	t.Helper()
	if waits(id + " " + name) {
		t.Skip(pending()[id+" "+name])
	}
}

func waits(row string) bool { return pending()[row] != "" && os.Getenv("TOLLGATE_PENDING") == "" }
