package host

import (
	"net"
	"net/http"
	"time"
)

// newTransport speaks HTTP/1.1 to the handler and changes nothing on the way:
// no compression, no proxy, no redirects.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 15 * time.Second}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        time.Minute,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
