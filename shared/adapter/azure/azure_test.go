package azure_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/shared/adapter/azure"
)

// functions-host.md §1.2: any answer to GET / means ready.
func TestTheProbeIsAnsweredHere(t *testing.T) {
	gateway := &behind{}
	w := httptest.NewRecorder()
	azure.Handler(gateway, nil).ServeHTTP(w, request(t, "GET / HTTP/1.1\r\n"))
	if w.Code != 204 || w.Body.Len() != 0 || len(w.Header()) != 0 || gateway.calls != 0 {
		t.Errorf("got status %d, %d bytes, %v and %d calls of the gateway, want a bare 204 and none", w.Code, w.Body.Len(), w.Header(), gateway.calls)
	}
}

func TestAnythingButTheProbeIsTheGateways(t *testing.T) {
	for name, text := range map[string]string{
		"GET / of an invocation": "GET / HTTP/1.1\r\nX-Azure-Functions-InvocationId: 4ed26a2e-9d2e-4a6e-8c1f-0d6a4b1f2a33\r\n",
		"HEAD /":                 "HEAD / HTTP/1.1\r\n",
		"POST /":                 "POST / HTTP/1.1\r\nContent-Length: 0\r\n",
		"a query":                "GET /?x=1 HTTP/1.1\r\n",
		"a lone question mark":   "GET /? HTTP/1.1\r\n",
		"absolute-form":          "GET http://127.0.0.1/ HTTP/1.1\r\n",
		"no path":                "GET http://127.0.0.1 HTTP/1.1\r\n",
		"two slashes":            "GET // HTTP/1.1\r\n",
		"encoded":                "GET /%2e HTTP/1.1\r\n",
		"another path":           "GET /orders HTTP/1.1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			gateway, w := &behind{}, httptest.NewRecorder()
			azure.Handler(gateway, nil).ServeHTTP(w, request(t, text))
			if w.Code != http.StatusTeapot || gateway.calls != 1 {
				t.Errorf("got status %d and %d calls, want the gateway's answer", w.Code, gateway.calls)
			}
		})
	}
}

func TestTheHostsNameForACallIsTakenOnlyIfItLooksLikeOne(t *testing.T) {
	const id = "4ed26a2e-9d2e-4a6e-8c1f-0d6a4b1f2a33"
	for sent, want := range map[string]string{
		id: id, "": "", strings.Repeat("a", 64): strings.Repeat("a", 64), strings.Repeat("a", 65): "", strings.Repeat("a", 60_000): "",
		"a b": "", "a\x00b": "", "é": "", "a\tb": "", "\x7f": "", "a\u0085b": "", `"}`: `"}`,
	} {
		gateway, r := &behind{}, request(t, "GET /orders HTTP/1.1\r\n")
		r.Header["X-Azure-Functions-Invocationid"] = []string{sent}
		azure.Handler(gateway, nil).ServeHTTP(httptest.NewRecorder(), r)
		if gateway.invocation != want || gateway.calls != 1 {
			t.Errorf("%.70q: got %q in %d calls, want %q in one", sent, gateway.invocation, gateway.calls, want)
		}
	}
}

func TestOnlyThisMachineReachesTheListener(t *testing.T) {
	l, err := azure.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	address := l.Addr().(*net.TCPAddr)
	if address.IP.String() != "127.0.0.1" { // the host calls 127.0.0.1, not ::1
		t.Errorf("got %s, want 127.0.0.1", address)
	}
	// An address of this machine that isn't loopback must not answer.
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		ip, ok := a.(*net.IPNet)
		if !ok || ip.IP.IsLoopback() || ip.IP.To4() == nil {
			continue
		}
		dialer := net.Dialer{Timeout: time.Second}
		if conn, err := dialer.DialContext(t.Context(), "tcp", (&net.TCPAddr{IP: ip.IP, Port: address.Port}).String()); err == nil {
			conn.Close()
			t.Errorf("got a connection through %s, want none", ip.IP)
		}
	}
}

func TestAPortThatIsTakenIsAnError(t *testing.T) {
	l, err := azure.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	second, err := azure.Listen(l.Addr().(*net.TCPAddr).Port)
	if err == nil {
		second.Close()
		t.Fatal("got a second listener on one port, want an error")
	}
	if !strings.Contains(err.Error(), "listen") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %q, want one line about listening", err)
	}
}

func TestReadyIsOneLineOfJSON(t *testing.T) {
	l, err := azure.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var b bytes.Buffer
	azure.Ready(&b, l, "digest")
	var got map[string]string
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || strings.Count(b.String(), "\n") != 1 || got["event"] != "listening" || got["address"] != l.Addr().String() || got["contract"] != "digest" {
		t.Errorf("got %q (%v), want one line with the address and the contract", b.String(), err)
	}
}
