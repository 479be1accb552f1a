package verify

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"tollgate/shared/contract"
)

// reserved are paths that belong to the host, the platform or the gateway, and must
// be closed to callers. /admin/host/ping isn't among them: the host answers it to anybody.
func reserved() []string {
	paths := []string{
		"/admin/host/status", "/admin/host/keys", "/admin/functions", "/admin/vfs/", "/admin/" + sample,
		"/runtime/webhooks/durabletask/instances", "/runtime/" + sample, "/_gateway/", "/_gateway/metrics", "/_gateway/" + sample,
	}
	for _, name := range contract.FunctionNames() {
		paths = append(paths, "/"+name)
	}
	return paths
}

func (p *prober) reserved(ctx context.Context, path string) []Result {
	a := p.client.ask(ctx, request{method: http.MethodGet, address: p.at(path)})
	return []Result{result("reserved"+path, Reserved, path+" is closed", closed(&a), a)}
}

// routes asks for what no contract has.
func (p *prober) routes(ctx context.Context) []Result {
	a := p.client.ask(ctx, request{method: http.MethodGet, address: p.at("/" + sample + "-" + p.nonce)})
	out := []Result{result("routes/unknown", Routes, "a path that no contract has is not found", noRoute(&a, http.StatusNotFound), a)}
	const id, promise = "routes/method", "a method that no contract has for a path is refused"
	path, ok := postOnly(p.plan)
	if !ok {
		return append(out, result(id, Routes, promise, open("every path of the contracts takes GET")))
	}
	b := p.client.ask(ctx, request{method: http.MethodGet, address: p.at(path)})
	return append(out, result(id, Routes, promise, noRoute(&b, http.StatusMethodNotAllowed, http.StatusNotFound), b))
}

// strict looks for the header by which browsers stay with https.
func (p *prober) strict(ctx context.Context) []Result {
	const id, promise = "transport/hsts", "browsers are told to stay with https"
	if p.base.Scheme != "https" {
		return []Result{result(id, Transport, promise, open("the address is plain http: a local run has no TLS"))}
	}
	a := p.client.ask(ctx, request{method: http.MethodGet, address: p.at("/_gateway/health")})
	said := a.header.Get("Strict-Transport-Security")
	v := pass("%s", short(said))
	switch {
	case a.err != nil:
		v = open("there was no answer: %s", a.Said)
	case said == "" && a.header.Get("X-Correlation-Id") == "":
		v = open("the gateway wasn't reached (%d)", a.Status)
	case said == "" || strings.Contains(strings.ReplaceAll(said, " ", ""), "max-age=0"):
		v = fail("the answer has no Strict-Transport-Security")
	}
	return []Result{result(id, Transport, promise, v, a)}
}

// plain asks by http at port 80.
func (p *prober) plain(ctx context.Context) []Result {
	const id, promise = "transport/http", "plain http is not served"
	if p.base.Scheme != "https" {
		return []Result{result(id, Transport, promise, open("the address is plain http: a local run has no TLS"))}
	}
	a := p.client.ask(ctx, request{method: http.MethodGet, address: "http://" + p.base.Hostname() + "/_gateway/health"})
	if a.err != nil {
		return []Result{result(id, Transport, promise, p.nothing(&a, "nothing answers at port 80"), a)}
	}
	return []Result{result(id, Transport, promise, plainHTTP(&a), a)}
}

// oldTLS offers TLS 1.0 and 1.1 only.
func (p *prober) oldTLS(ctx context.Context) []Result {
	const id, promise = "transport/tls", "TLS older than 1.2 is refused"
	if p.base.Scheme != "https" {
		return []Result{result(id, Transport, promise, open("the address is plain http: a local run has no TLS"))}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	port := p.base.Port()
	if port == "" {
		port = "443"
	}
	a := answer{Exchange: Exchange{At: p.Now().UTC(), Request: "TLS 1.0 and 1.1 at " + p.base.Hostname()}}
	p.client.made.Add(1)
	conn, err := p.client.dial(ctx, "tcp", net.JoinHostPort(p.base.Hostname(), port))
	if err != nil {
		return []Result{result(id, Transport, promise, open("there was no connection"), a.timed(p.client).failed(err))}
	}
	defer conn.Close()
	old := tls.Client(conn, &tls.Config{
		ServerName: p.base.Hostname(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
		InsecureSkipVerify: true, //nolint:gosec // nothing is sent; what is asked is whether it would be spoken
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
			tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
		},
	})
	err = old.HandshakeContext(ctx)
	a = a.timed(p.client)
	switch {
	case err == nil:
		a.Said = tls.VersionName(old.ConnectionState().Version)
		return []Result{result(id, Transport, promise, fail("%s was spoken", a.Said), a)}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.Canceled):
		return []Result{result(id, Transport, promise, open("there was no answer in time"), a.failed(err))}
	case !p.reached:
		return []Result{result(id, Transport, promise, open("it was not spoken, but the gateway wasn't reached from here either"), a.failed(err))}
	case strings.Contains(err.Error(), "remote error: tls"), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), strings.Contains(err.Error(), "reset by peer"):
		return []Result{result(id, Transport, promise, pass("the handshake was refused"), a.failed(err))}
	default:
		return []Result{result(id, Transport, promise, open("%s", short(err.Error())), a.failed(err))}
	}
}
