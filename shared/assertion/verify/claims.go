package verify

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// claims are what an assertion says.
type claims struct {
	issuer, audience           string
	issued, notBefore, expires time.Time
	id                         string
	method, path, query        string // query: its digest; "" where the target has none
	api, operation, principal  string
	contract                   int64
	headers                    map[string]string
}

// decode takes every claim that the gateway writes; names it doesn't know are
// left to later versions.
func decode(o object) (*claims, error) {
	a, d := &claims{}, decoder{o: o}
	d.text("iss", &a.issuer)
	d.text("aud", &a.audience)
	d.text("jti", &a.id)
	d.text("htm", &a.method)
	d.text("path", &a.path)
	d.text("api", &a.api)
	d.text("operation", &a.operation)
	d.time("iat", &a.issued)
	d.time("exp", &a.expires)
	d.whole("claimsContract", &a.contract)
	d.member("headers", &a.headers)
	if _, there := o["nbf"]; there { // RFC 7519 §4.1.5: whoever reads it must obey it
		d.time("nbf", &a.notBefore)
	}
	if _, there := o["qh"]; there {
		d.text("qh", &a.query)
	}
	if _, there := o["principal"]; there {
		d.text("principal", &a.principal)
	}
	for name := range a.headers {
		if name != http.CanonicalHeaderKey(name) {
			d.note(errors.New("a header isn't named as it is sent"))
		}
	}
	return a, d.err
}

// matches compares a request target with the path and the digest of the query.
// "/a" and "/a?" are two targets.
func (a *claims) matches(target string) bool {
	path, query, asked := strings.Cut(target, "?")
	if path != a.path || asked != (a.query != "") {
		return false
	}
	if !asked {
		return true
	}
	sum := sha256.Sum256([]byte(query))
	return base64url.EncodeToString(sum[:]) == a.query
}

func (a *claims) caller() *Caller {
	return &Caller{
		Principal: a.principal, API: a.api, Operation: a.operation, Correlation: a.id,
		ClaimsContract: int(a.contract), Expires: a.expires, headers: a.headers,
	}
}

// decoder takes members out of an object; the first fault stays.
type decoder struct {
	o   object
	err error
}

func (d *decoder) text(name string, to *string) {
	text, err := d.o.text(name)
	if err == nil && text == "" {
		err = fmt.Errorf("%s is empty", name)
	}
	d.note(err)
	*to = text
}

// whole numbers only: RFC 7519 allows fractions, and one reading is better than two.
func (d *decoder) whole(name string, to *int64) {
	n, err := strconv.ParseInt(string(d.o[name]), 10, 64)
	if err != nil || n < 0 || n > 1<<40 || strconv.FormatInt(n, 10) != string(d.o[name]) {
		d.note(fmt.Errorf("%s isn't a whole number", name))
	}
	*to = n
}

func (d *decoder) time(name string, to *time.Time) {
	var seconds int64
	d.whole(name, &seconds)
	*to = time.Unix(seconds, 0)
}

func (d *decoder) member(name string, to any) {
	if d.o[name] == nil {
		d.note(fmt.Errorf("%s is missing", name))
		return
	}
	d.note(json.Unmarshal(d.o[name], to))
}

func (d *decoder) note(err error) {
	if d.err == nil {
		d.err = err
	}
}

// text: null would leave a string as it is, so it is refused.
func (o object) text(name string) (string, error) {
	var s *string
	if o[name] == nil || json.Unmarshal(o[name], &s) != nil || s == nil {
		return "", fmt.Errorf("%s isn't a text", name)
	}
	return *s, nil
}
