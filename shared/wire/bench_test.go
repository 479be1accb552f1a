package wire

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// usual is a request as the Functions host hands it over, with a token of 1,400 bytes.
var usual = "GET /orders/42?expand=lines HTTP/1.1\r\nHost: 127.0.0.1:7071\r\nUser-Agent: contoso-app/1.2\r\nAccept: application/json\r\nAccept-Encoding: gzip, deflate, br\r\n" +
	"Authorization: Bearer " + strings.Repeat("x", 1400) + "\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Host: api.contoso.example\r\nX-Forwarded-Proto: https\r\n" +
	"X-Azure-Functions-InvocationId: 0f9c1c2e-0000-4000-8000-000000000000\r\nX-Azure-Functions-HostVersion: 4.1052.200\r\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n"

func BenchmarkReadRequest(b *testing.B) {
	limits, ctx := DefaultLimits(), context.Background()
	in := scripted("")
	b.ReportAllocs()
	for b.Loop() {
		in.conn = script{Reader: strings.NewReader(usual)}
		if _, _, err := readRequest(ctx, in, &limits); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadRequestNetHTTP is the same by net/http, for the ratio.
func BenchmarkReadRequestNetHTTP(b *testing.B) {
	in := bufio.NewReader(nil)
	b.ReportAllocs()
	for b.Loop() {
		in.Reset(strings.NewReader(usual))
		r, err := http.ReadRequest(in)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}
}
