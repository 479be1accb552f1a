package sts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Keys are the credentials of a role, as AWS gives them to a function.
type Keys struct{ ID, Secret, Session string }

// scope is what a signature is good for: one day, one region, one service.
type scope struct{ region, service string }

const (
	algorithm = "AWS4-HMAC-SHA256"
	stamp     = "20060102T150405Z"
)

// sign proves a request without a query by the keys (AWS Signature Version 4).
// Every header that is there is signed, Host too.
func sign(r *http.Request, body string, keys Keys, s scope, at time.Time) {
	at = at.UTC()
	r.Header.Set("X-Amz-Date", at.Format(stamp))
	if keys.Session != "" {
		r.Header.Set("X-Amz-Security-Token", keys.Session)
	}
	names, lines := canonical(r)
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	request := strings.Join([]string{r.Method, path, "", lines, names, digest(body)}, "\n")
	day := at.Format("20060102")
	within := strings.Join([]string{day, s.region, s.service, "aws4_request"}, "/")
	text := strings.Join([]string{algorithm, at.Format(stamp), within, digest(request)}, "\n")
	key := []byte("AWS4" + keys.Secret)
	for _, part := range []string{day, s.region, s.service, "aws4_request", text} {
		key = mac(key, part)
	}
	r.Header.Set("Authorization", algorithm+" Credential="+keys.ID+"/"+within+", SignedHeaders="+names+", Signature="+hex.EncodeToString(key))
}

// canonical is the header as both sides write it to be signed.
func canonical(r *http.Request) (names, lines string) {
	values := map[string]string{"host": r.URL.Host}
	order := []string{"host"}
	for name, v := range r.Header {
		name = strings.ToLower(name)
		values[name], order = strings.TrimSpace(strings.Join(v, ",")), append(order, name)
	}
	slices.Sort(order)
	var b strings.Builder
	for _, name := range order {
		b.WriteString(name + ":" + values[name] + "\n")
	}
	return strings.Join(order, ";"), b.String()
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text)) // never fails
	return m.Sum(nil)
}
