package adversarial

import (
	"fmt"
	"strings"
)

// post is a request for a public operation with these header lines, which say
// where its body ends, and with this body.
func post(body string, lines ...string) string {
	return "POST /public/x0000 HTTP/1.1\r\nHost: api.example\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

const (
	te    = "Transfer-Encoding: chunked"
	hello = "5\r\nhello\r\n0\r\n\r\n"
)

// codings: case 109. 501 is for a coding that nobody knows, 400 for one that
// leaves the end open (RFC 9112 §6.1, §6.3); servers may see one in the other.
func codings() []frame {
	const odd = "400|501"
	frames := []frame{
		{id: "F109", name: "two lines, both chunked", request: post(hello, te, te), want: odd},
		{id: "F109", name: "two lines, identity last", request: post(hello, te, "Transfer-Encoding: identity"), want: odd},
		{id: "F109", name: "two lines, identity first", request: post(hello, "Transfer-Encoding: identity", te), want: odd},
		{id: "F109", name: "two lines, the first empty", request: post(hello, "Transfer-Encoding:", te), want: odd},
		{id: "F109", name: "two lines, the second unknown", request: post(hello, te, "Transfer-Encoding: x"), want: odd},
		{id: "F109", name: "two lines of different case", request: post(hello, te, "transfer-encoding: cow"), want: odd},
		{id: "F109", name: "a space before the name", request: post(hello, "X: y", " "+te), want: "400"},
		{id: "F109", name: "a space before the name of the first line", request: "POST /public/x0000 HTTP/1.1\r\n " + te + "\r\nHost: api.example\r\n\r\n" + hello, want: "400"},
		{id: "F109", name: "a space before the colon", request: post(hello, "Transfer-Encoding : chunked"), want: "400"},
		{id: "F109", name: "a tab before the colon", request: post(hello, "Transfer-Encoding\t: chunked"), want: "400"},
		{id: "F109", name: "folded onto the next line", request: post(hello, "Transfer-Encoding:\r\n chunked"), want: "400"},
		{id: "F109", name: "folded by a tab", request: post(hello, "Transfer-Encoding:\r\n\tchunked"), want: "400"},
		{id: "F109", name: "behind a bare LF", request: post(hello, "X: y\n"+te), want: "400"},
		{id: "F109", name: "behind a bare CR", request: post(hello, "X: y\r"+te), want: "400"},
		{id: "F109", name: "behind a NUL", request: post(hello, "X: y\x00"+te), want: "400"},
		{id: "F109", name: "beside a length (CL.TE)", request: post("0\r\n\r\n", fmt.Sprintf("Content-Length: %d", 5+len(smuggled)), te), want: "400"},
		{id: "F109", name: "beside a length (TE.CL)", request: post(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled), te, "Content-Length: 4"), want: "400"},
		{id: "F109", name: "beside a length of 0", request: post(hello, "Content-Length: 0", te), want: "400"},
		{id: "F109", name: "beside a length that fits", request: post(hello, fmt.Sprintf("Content-Length: %d", len(hello)), te), want: "400"},
		{id: "F109", name: "beside a length, with a GET", request: "GET /public/x0000 HTTP/1.1\r\nHost: api.example\r\nContent-Length: 5\r\n" + te + "\r\n\r\n" + hello, want: "400"},
		{id: "F109", name: "in HTTP/1.0", request: "POST /public/x0000 HTTP/1.0\r\nHost: api.example\r\n" + te + "\r\n\r\n" + hello, want: odd},
		{id: "F109", name: "in HTTP/1.0 beside a length", request: "POST /public/x0000 HTTP/1.0\r\nHost: api.example\r\nContent-Length: 5\r\n" + te + "\r\n\r\n" + hello, want: odd},
		{id: "F109", name: "in HTTP/1.0, kept alive", request: "POST /public/x0000 HTTP/1.0\r\nHost: api.example\r\nConnection: keep-alive\r\n" + te + "\r\n\r\n" + hello, want: odd},
	}
	for _, coding := range []string{
		"chunked, identity", "identity, chunked", "xchunked", "chunkedx", "chunked\x0b", "\x0bchunked", "chunked\x0c", "chunked\x00", "chunked\x7f", "chunked\u00a0", "\xffchunked", "chunked, chunked", "chunked,chunked", "chunked,", ",chunked", ", ,chunked", "chunked;q=1", "chunked; a=b",
		`"chunked"`, "'chunked'", "chunked chunked", "chunked identity", "identity", "gzip", "gzip, chunked", "chunked, gzip", "deflate", "compress, chunked", "x-gzip, chunked", "", "0", "none", "chunk", "chunke\u0501", "ch\u2010unked", "(chunked)", "trailers, chunked", "chunked\r", "ｃhunked",
	} {
		frames = append(frames, frame{id: "F109", name: "the coding " + visible(coding), request: post(hello, "Transfer-Encoding: "+coding), want: odd})
	}
	return frames
}

// lengths: case 110.
func lengths() []frame {
	frames := []frame{
		{id: "F110", name: "two that differ", request: post("hello", "Content-Length: 5", "Content-Length: 72"), want: "400"},
		{id: "F110", name: "two that differ, the larger first", request: post("hello", "Content-Length: 72", "Content-Length: 5"), want: "400"},
		{id: "F110", name: "two that are equal", request: post("hello", "Content-Length: 5", "Content-Length: 5"), want: "400"},
		{id: "F110", name: "two of different case", request: post("hello", "Content-Length: 5", "content-length: 0"), want: "400"},
		{id: "F110", name: "two, one with a leading zero", request: post("hello", "Content-Length: 5", "Content-Length: 05"), want: "400"},
		{id: "F110", name: "two, one empty", request: post("hello", "Content-Length: 5", "Content-Length:"), want: "400"},
		{id: "F110", name: "a space before the colon", request: post("hello", "Content-Length : 5"), want: "400"},
		{id: "F110", name: "a space before the name", request: post("hello", "X: y", " Content-Length: 5"), want: "400"},
		{id: "F110", name: "folded onto the next line", request: post("hello", "Content-Length:\r\n 5"), want: "400"},
		{id: "F110", name: "continued on the next line", request: post("hello", "Content-Length: 5\r\n 0"), want: "400"},
		{id: "F110", name: "behind a bare LF", request: post("hello", "X: y\nContent-Length: 5"), want: "400"},
		{id: "F110", name: "behind a bare CR", request: post("hello", "X: y\rContent-Length: 5"), want: "400"},
		{id: "F110", name: "a lie with a GET", request: "GET /public/x0000 HTTP/1.1\r\nHost: api.example\r\nContent-Length: x\r\n\r\n", want: "400"},
		{id: "F110", name: "two with a GET", request: "GET /public/x0000 HTTP/1.1\r\nHost: api.example\r\nContent-Length: 0\r\nContent-Length: 67\r\n\r\n", want: "400"},
	}
	for _, length := range []string{
		"+5", "5, 5", "5,5", "5, 6", "5,", ",5", "0x5", "0X5", "-1", "-0", "+0", "18446744073709551616", "18446744073709551621", "18446744073709551615", "9223372036854775808", "99999999999999999999999999999999999999", "5 5", "5\t5", "5.0", "5e0", "1e1", "", "5;", "5;q=1", `"5"`, "'5'", "5_0", "5\x0b", "\x0b5", "5\x00", "\x005", "5\x7f",
		"5\r", "five", "٥", "５", "5 ,5", "0 5", "5h", "#5", "5\u00a0",
	} {
		frames = append(frames, frame{id: "F110", name: "the length " + visible(length), request: post("hello", "Content-Length: "+length), want: "400"})
	}
	return frames
}

// chunks: the body's own framing. The operation is public, so the backend may
// have been called when the fault shows; it must never take the body for whole.
func chunks() (frames []frame) {
	for _, size := range []string{
		"5;x=y", "5;", "5;x", "5; x", "5 ;x=y", `5;x="y"`, `5;x="\r\n"`, "5;\x00", "5 ", "5\t", " 5", "\t5", "0x5", "0X5", "+5", "-5", "", "g", "5g", "5.", "5,", "5_0", "00000000000000005", strings.Repeat("0", 100) + "5", "10000000000000005", "FFFFFFFFFFFFFFFFF",
		"8000000000000005", "FFFFFFFFFFFFFFFF", "5\x00", "\x005", "5\x0b", "5\r", "5\x7f", "5h", "٥", "５", `"5"`, "5;" + strings.Repeat("x", 70_000),
	} {
		frames = append(frames, chunked("the chunk size "+visible(size), size+"\r\nhello\r\n0\r\n\r\n"))
	}
	return frames
}

func chunked(name, body string) frame {
	return frame{id: "F109", name: name, request: post(body, te), want: "400", started: true}
}

// chunkEnds: what stands between chunks, and after the last.
func chunkEnds() (frames []frame) {
	for name, body := range map[string]string{
		"a bare LF after a chunk's size":           "5\nhello\r\n0\r\n\r\n",
		"a bare LF after a chunk's data":           "5\r\nhello\n0\r\n\r\n",
		"bare LFs all through the chunks":          "5\nhello\n0\n\n",
		"a bare LF after the last chunk's size":    "5\r\nhello\r\n0\n\r\n",
		"a bare LF at the end":                     "5\r\nhello\r\n0\r\n\n",
		"a bare CR after a chunk's size":           "5\rhello\r\n0\r\n\r\n",
		"a bare CR after a chunk's data":           "5\r\nhello\r0\r\n\r\n",
		"two CRs after a chunk's size":             "5\r\r\nhello\r\n0\r\n\r\n",
		"no CRLF after a chunk's data":             "5\r\nhello0\r\n\r\n",
		"two other bytes after a chunk's data":     "5\r\nhelloXX0\r\n\r\n",
		"a chunk longer than its size":             "4\r\nhello\r\n0\r\n\r\n",
		"a chunk shorter than its size":            "6\r\nhello\r\n0\r\n\r\n",
		"an extension with a bare LF":              "5;x\ny\r\nhello\r\n0\r\n\r\n",
		"an extension with a bare CR":              "5;x\ry\r\nhello\r\n0\r\n\r\n",
		"an extension of the last chunk":           "5\r\nhello\r\n0;x=y\r\n\r\n",
		"a last chunk with a sign":                 "5\r\nhello\r\n-0\r\n\r\n",
		"a last chunk of seventeen zeros":          "5\r\nhello\r\n00000000000000000\r\n\r\n",
		"a last chunk with a space":                "5\r\nhello\r\n0 \r\n\r\n",
		"an empty line before the first chunk":     "\r\n5\r\nhello\r\n0\r\n\r\n",
		"an empty line between chunks":             "5\r\nhello\r\n\r\n0\r\n\r\n",
		"something else in place of the last CRLF": "5\r\nhello\r\n0\r\nX",
		"a request in place of the last CRLF":      "5\r\nhello\r\n0\r\n",
		"a request in place of the next chunk":     "5\r\nhello\r\n",
		"a trailer with a space before the colon":  "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
		"a trailer with an empty name":             "5\r\nhello\r\n0\r\n: y\r\n\r\n",
		"a trailer without a colon":                "5\r\nhello\r\n0\r\nX\r\n\r\n",
		"a folded trailer":                         "5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n",
		"a trailer with a bare LF":                 "5\r\nhello\r\n0\r\nX: y\n\r\n\r\n",
		"a trailer with a bare CR":                 "5\r\nhello\r\n0\r\nX: y\rz\r\n\r\n",
		"a trailer with a NUL":                     "5\r\nhello\r\n0\r\nX: y\x00\r\n\r\n",
		"trailers of 1 MB":                         "5\r\nhello\r\n0\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 1000) + "\r\n",
	} {
		frames = append(frames, chunked(name, body))
	}
	return frames
}

// announcements are framing and routing names that Trailer must not announce (RFC 9110 §6.5.1).
func announcements() (frames []frame) {
	for _, name := range []string{"Transfer-Encoding", "Content-Length", "transfer-encoding", "Host, Content-Length", "Trailer"} {
		frames = append(frames, frame{id: "F109", name: "Trailer: " + name, request: post(hello, te, "Trailer: "+name), want: "400"})
	}
	return frames
}
