package adversarial

import (
	"fmt"
	"strings"
)

// plain is a request for a public operation with these header lines.
func plain(lines ...string) string {
	return "GET /public/x0000 HTTP/1.1\r\nHost: api.example\r\n" + strings.Join(append(lines, "", ""), "\r\n")
}

// requestLines: what begins a request and isn't a request line (RFC 9112 §3).
func requestLines() (frames []frame) {
	for name, line := range map[string]string{
		"two spaces before the target": "GET  /public/x0000 HTTP/1.1", "two spaces after it": "GET /public/x0000  HTTP/1.1", "a tab before the target": "GET\t/public/x0000 HTTP/1.1", "a tab after it": "GET /public/x0000\tHTTP/1.1",
		"a space first": " GET /public/x0000 HTTP/1.1", "a space last": "GET /public/x0000 HTTP/1.1 ", "a word too many": "GET /public/x0000 /manage/x HTTP/1.1", "no target": "GET HTTP/1.1", "an empty target": "GET  HTTP/1.1", "no method": "/public/x0000 HTTP/1.1", "an empty method": " /public/x0000 HTTP/1.1",
		"a method with a colon": "GE:T /public/x0000 HTTP/1.1", "a method with a NUL": "GET\x00 /public/x0000 HTTP/1.1", "a method with a bracket": "GET( /public/x0000 HTTP/1.1", "a method that isn't ASCII": "GÉT /public/x0000 HTTP/1.1", "a byte order mark": "\ufeffGET /public/x0000 HTTP/1.1",
		"a NUL in the target": "GET /public/x0000\x00 HTTP/1.1", "a bare CR in the target": "GET /public/x0000\rHTTP/1.1 HTTP/1.1", "a bare CR at the end": "GET /public/x0000 HTTP/1.1\r", "a vertical tab": "GET\x0b/public/x0000 HTTP/1.1", "a form feed": "GET /public/x0000\x0cHTTP/1.1",
		"no version": "GET /public/x0000", "a version in lower case": "GET /public/x0000 http/1.1", "another protocol": "GET /public/x0000 HTTPS/1.1", "ICY": "GET /public/x0000 ICY/1.1", "a version of one digit": "GET /public/x0000 HTTP/1", "a version without its last digit": "GET /public/x0000 HTTP/1.", "a version with two digits": "GET /public/x0000 HTTP/1.10",
		"a version with a leading zero": "GET /public/x0000 HTTP/01.1", "a version with a sign": "GET /public/x0000 HTTP/1.+1", "a version with a space": "GET /public/x0000 HTTP/1. 1", "a version with text behind it": "GET /public/x0000 HTTP/1.1x", "only a method": "GET", "nonsense": "\x16\x03\x01\x02\x00\x01\x00", "a status line": "HTTP/1.1 200 OK",
	} {
		want := "400"
		if strings.HasPrefix(name, "a version") { // no version, or one that nobody knows
			want = "400|505"
		}
		frames = append(frames, frame{id: "F109", name: "request line: " + name, request: line + "\r\nHost: api.example\r\n\r\n", want: want})
	}
	for _, version := range []string{"HTTP/0.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9", "HTTP/0.0"} {
		frames = append(frames, frame{id: "D80", name: "the version " + version, request: "GET /public/x0000 " + version + "\r\nHost: api.example\r\n\r\n", want: "505"})
	}
	return append(frames,
		frame{id: "D80", name: "HTTP/0.9, a lone line", request: "GET /public/x0000\r\n", want: "400|505"},
		frame{id: "F109", name: "bare LFs all through", request: "GET /public/x0000 HTTP/1.1\nHost: api.example\n\n", want: "400"},
		frame{id: "F109", name: "a bare LF after the request line", request: "GET /public/x0000 HTTP/1.1\nHost: api.example\r\n\r\n", want: "400"},
		frame{id: "F109", name: "a bare LF after a header line", request: "GET /public/x0000 HTTP/1.1\r\nHost: api.example\nX: y\r\n\r\n", want: "400"},
		frame{id: "F109", name: "a bare LF at the end of the header", request: "GET /public/x0000 HTTP/1.1\r\nHost: api.example\r\n\n", want: "400"},
		frame{id: "F109", name: "bare CRs all through", request: "GET /public/x0000 HTTP/1.1\rHost: api.example\r\r", want: "400"},
		frame{id: "F109", name: "CR CR LF", request: "GET /public/x0000 HTTP/1.1\r\r\nHost: api.example\r\r\n\r\n", want: "400"},
		frame{id: "F109", name: "LF CR", request: "GET /public/x0000 HTTP/1.1\n\rHost: api.example\n\r\n\r", want: "400"})
}

// hosts: RFC 9112 §3.2: exactly one Host, and one that is an authority.
func hosts() []frame {
	get := func(lines string) string { return "GET /public/x0000 HTTP/1.1\r\n" + lines + "\r\n" }
	frames := []frame{
		{id: "F109", name: "no Host", request: get("X: y\r\n"), want: "400"},
		{id: "F109", name: "no header at all", request: get(""), want: "400"},
		{id: "F109", name: "two Hosts", request: get("Host: api.example\r\nHost: evil.example\r\n"), want: "400"},
		{id: "F109", name: "two Hosts that are equal", request: get("Host: api.example\r\nHost: api.example\r\n"), want: "400"},
		{id: "F109", name: "two Hosts of different case", request: get("Host: api.example\r\nhost: evil.example\r\n"), want: "400"},
		{id: "F109", name: "two Hosts, one empty", request: get("Host: api.example\r\nHost:\r\n"), want: "400"},
		{id: "F109", name: "Host with a space before the colon", request: get("Host : api.example\r\n"), want: "400"},
		{id: "F109", name: "Host folded", request: get("Host:\r\n api.example\r\n"), want: "400"},
		{id: "F109", name: "two Hosts in HTTP/1.0", request: "GET /public/x0000 HTTP/1.0\r\nHost: api.example\r\nHost: evil.example\r\n\r\n", want: "400"},
	}
	for _, host := range []string{
		"api example", "api.example evil.example", "api.example, evil.example", "a/b", "api.example/manage", "a@b", "user:pass@api.example", "a#b", "a?b", `a"b`, `a\b`, "a<b", "a>b", "a{b}", "a|b", "a^b", "a`b", "a\x00b", "a\x01b", "a\x7fb", "api.\u00e9xample", "\xff", "[::1", "::1]", "[::1]x", "api.example:http", "api.example:80:80", "api.example:-1", "api.example:99999999", "http://api.example", "a%zzb", "%",
	} {
		frames = append(frames, frame{id: "F109", name: "the host " + visible(host), request: get("Host: " + host + "\r\n"), want: "400"})
	}
	return frames
}

// headerLines: case 101, and what else isn't a header line (RFC 9112 §5).
func headerLines() []frame {
	var frames []frame
	for name, line := range map[string]string{
		"a space in the name": "X Y: 1", "a tab in the name": "X\tY: 1", "a space before the colon": "X-Auth-Sub : admin", "a tab before the colon": "X-Auth-Sub\t: admin", "an empty name": ": 1", "no colon": "X-Auth-Sub", "no colon, in the middle": "X-Auth-Sub\r\nY: 1", "a leading space": " X: 1", "a leading tab": "\tX: 1",
		"a NUL in the name": "X\x00Y: 1", "a control in the name": "X\x01Y: 1", "DEL in the name": "X\x7f: 1", "a bracket in the name": "X(Y): 1", "a slash in the name": "X/Y: 1", "an at sign in the name": "X@Y: 1", "a quote in the name": `"X": 1`, "a comma in the name": "X,Y: 1", "a semicolon in the name": "X;Y: 1", "an equals sign in the name": "X=Y: 1",
		"a backslash in the name": `X\Y: 1`, "braces in the name": "{X}: 1", "é in the name": "X\u00e9: 1", "a byte that isn't UTF-8 in the name": "X\xff: 1", "the long s in the name": "X-Auth-\u017fub: admin", "a byte order mark before the name": "\ufeffX: 1", "a bare CR in the name": "X\rY: 1", "a bare CR before the name": "\rX: 1",
		"a bare CR in the value": "X: a\rb", "a bare CR and a name in the value": "X: a\rX-Auth-Sub: admin", "a bare LF in the value": "X: a\nX-Auth-Sub: admin", "a bare LF and nothing in the value": "X: a\nb", "a NUL in the value": "X: a\x00b", "a NUL at the end of the value": "X: a\x00", "a control in the value": "X: a\x01b", "ESC in the value": "X: \x1b[2J", "a backspace in the value": "X: a\x08b",
		"DEL in the value": "X: a\x7fb", "a vertical tab in the value": "X: a\x0bb", "a folded value": "X: a\r\n b", "a value folded by a tab": "X: a\r\n\tb", "a value folded twice": "X: a\r\n b\r\n c", "a fold that hides a name": "X: a\r\n X-Auth-Sub: admin", "an empty fold": "X: a\r\n ", "invalid UTF-8 in the value": "X: a\xff", "overlong UTF-8 in the value": "X: \xc0\x8d\xc0\x8a", "half a character in the value": "X: a\xc3",
	} {
		frames = append(frames, frame{id: "E101", name: name, request: plain(line), want: "400"})
	}
	return append(frames,
		frame{id: "E101", name: "a folded token", request: plain("Authorization: Bearer\r\n x"), want: "400"},
		frame{id: "E101", name: "the first line is folded", request: "GET /public/x0000 HTTP/1.1\r\n Host: api.example\r\nHost: api.example\r\n\r\n", want: "400"})
}

// sizes: more than any honest request has.
func sizes() []frame {
	many := func(n int, size int) string {
		var s strings.Builder
		for i := range n {
			fmt.Fprintf(&s, "X-%d: %s\r\n", i, strings.Repeat("y", size))
		}
		return "GET /public/x0000 HTTP/1.1\r\nHost: api.example\r\n" + s.String() + "\r\n"
	}
	line := func(bytes int) string {
		return "GET /public/x0000" + strings.Repeat("y", bytes) + " HTTP/1.1\r\nHost: api.example\r\n\r\n"
	}
	return []frame{
		{id: "F118", name: "a header block of 1 MB in one line", request: many(1, 1<<20), want: "431"},
		{id: "F118", name: "a header block of 1 MB in 100 lines", request: many(100, 10<<10), want: "431"},
		{id: "F118", name: "a header block of 1 MB in 20,000 lines", request: many(20_000, 45), want: "431"},
		{id: "F118", name: "1,000 headers", request: many(1000, 1), want: "431"},
		{id: "F118", name: "1,000 headers of one name", request: plain(strings.TrimSuffix(strings.Repeat("X: y\r\n", 1000), "\r\n")), want: "431"},
		{id: "F118", name: "1,000 headers without a value", request: plain(strings.TrimSuffix(strings.Repeat("X:\r\n", 1000), "\r\n")), want: "431"},
		{id: "F118", name: "a name of 64 KB", request: plain(strings.Repeat("X", 64<<10) + ": y"), want: "431"},
		{id: "F118", name: "a target of 64 KB", request: line(64 << 10), want: "414|431"},
		{id: "F118", name: "a target of 1 MB", request: line(1 << 20), want: "414|431"},
		{id: "F118", name: "a query of 64 KB", request: strings.Replace(line(64<<10), "x0000y", "x0000?y", 1), want: "414|431"},
		{id: "F118", name: "a method of 64 KB", request: strings.Repeat("G", 64<<10) + " /public/x0000 HTTP/1.1\r\nHost: api.example\r\n\r\n", want: "400|414|431|501"},
		{id: "F118", name: "a header block without an end, 1 MB", request: "GET /public/x0000 HTTP/1.1\r\nHost: api.example\r\n" + strings.Repeat("X: y\r\n", 170_000), want: "431"},
		{id: "F118", name: "1 MB without a line", request: strings.Repeat("x", 1<<20), want: "400|414|431"},
	}
}

// protocols: case 113 and 115: this port speaks HTTP/1.1 and nothing else.
func protocols() []frame {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	return []frame{
		{id: "F113", name: "the preface of HTTP/2", request: preface, want: "400|505"},
		{id: "F113", name: "the preface and a SETTINGS frame", request: preface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00", want: "400|505"},
		{id: "F115", name: "the preface with a Host", request: "PRI * HTTP/2.0\r\nHost: api.example\r\n\r\nSM\r\n\r\n", want: "400|505"},
		{id: "F113", name: "a TLS hello", request: "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\r\n\r\n", want: "400"},
		{id: "F113", name: "a PROXY line before the request", request: "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /public/x0000 HTTP/1.1\r\nHost: api.example\r\n\r\n", want: "400"},
		{id: "F113", name: "a binary PROXY header before the request", request: "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02GET /public/x0000 HTTP/1.1\r\nHost: api.example\r\n\r\n", want: "400"},
	}
}
