package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"tollgate/shared/contract"
)

// offline answers what the gateway asks trusted issuers for, discovery and key
// sets, out of one key set. It is the whole network: it dials nothing, and any
// other address is an error.
type offline map[string][]byte // by address, without the query

var _ http.RoundTripper = offline{}

// newOffline makes up each issuer's discovery: the exact issuer, and a key set below it.
func newOffline(plan *contract.Plan, jwks []byte) (offline, error) {
	o := offline{}
	for _, is := range plan.Issuers {
		keys := is.Discovery + "/.well-known/jwks.json"
		doc, err := json.Marshal(map[string]string{"issuer": is.Issuer, "jwks_uri": keys})
		if err != nil {
			return nil, err
		}
		o[is.Discovery+"/.well-known/openid-configuration"], o[keys] = doc, jwks
	}
	return o, nil
}

// RoundTrip ignores the query: Entra's discovery is asked for one application's keys by it.
func (o offline) RoundTrip(r *http.Request) (*http.Response, error) {
	address := *r.URL
	address.RawQuery = ""
	body, ok := o[address.String()]
	if !ok || r.Method != http.MethodGet {
		return nil, fmt.Errorf("offline: nothing answers %s %s", r.Method, address.Redacted())
	}
	return answered(r, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, body), nil
}

// readKeySet reads a JWKS, and says early what can't be one.
func readKeySet(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--jwks: %w; save the document at the issuer's jwks_uri there", err)
	}
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err = json.Unmarshal(text, &doc); err == nil && len(doc.Keys) == 0 {
		err = errors.New(`it has no "keys"`)
	}
	if err != nil {
		return nil, fmt.Errorf("--jwks: %s is not a key set (%w); save the document at the issuer's jwks_uri there", file, err)
	}
	return text, nil
}

// inProcess carries requests to a handler of this process, whatever host they name.
type inProcess struct{ http.Handler }

var _ http.RoundTripper = inProcess{}

func (p inProcess) RoundTrip(out *http.Request) (*http.Response, error) {
	r := out.Clone(out.Context())
	if r.RequestURI = r.URL.RequestURI(); r.Body == nil {
		r.Body = http.NoBody // as a server has it
	}
	w := &page{header: http.Header{}, status: http.StatusOK}
	p.ServeHTTP(w, r)
	return answered(out, w.status, w.header, w.Bytes()), nil
}

// page is an answer on its way from a handler.
type page struct {
	bytes.Buffer
	header http.Header
	status int
}

func (p *page) Header() http.Header    { return p.header }
func (p *page) WriteHeader(status int) { p.status = status }

func answered(r *http.Request, status int, h http.Header, body []byte) *http.Response {
	return &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}
