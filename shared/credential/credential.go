// Package credential gets tokens for the gateway itself: of its managed
// identity, of registrations that trust that identity, and of users on whose
// behalf it calls.
//
// No error of this package holds a token, a secret or what a server wrote, for
// errors end up in events: a status, Entra's own error word and its number are told.
package credential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"tollgate/shared/renewal"
)

const (
	patience = 5 * time.Second // for one request for a token, its answer included
	skew     = time.Minute     // a token isn't used in its last minute: the backend's clock may be ahead
	early    = 5 * time.Minute // nor kept without a try to renew it in its last five
	maxBytes = 256 << 10       // of an answer
	maxToken = 64 << 10
)

// limits are those of every cache of tokens here.
func limits(most int) renewal.Options {
	return renewal.Options{Most: most, Patience: patience, Moment: 500 * time.Millisecond, First: time.Second, Last: 15 * time.Second}
}

// Refused is an answer that says no: asking again the same way won't help.
type Refused struct {
	Status int
	Word   string // the error code of RFC 6749 §5.2, such as interaction_required; "" if there was none
	Reason string // Entra's suberror, such as consent_required
	Number int    // Entra's AADSTS number
	Claims string // what the user must present, as Entra wrote it
}

func (r *Refused) Error() string {
	return fmt.Sprintf("the token endpoint answered %d %s (AADSTS%d)", r.Status, r.Word, r.Number)
}

// granted is a token as the endpoints write it: seconds as numbers, or as text.
type granted struct {
	AccessToken string  `json:"access_token"`
	TokenType   string  `json:"token_type"`
	ExpiresIn   seconds `json:"expires_in"`
	ExpiresOn   seconds `json:"expires_on"` // seconds since 1970; managed identity only
}

type seconds int64

func (s *seconds) UnmarshalJSON(text []byte) error {
	var n int64
	err := json.Unmarshal([]byte(strings.Trim(string(text), `"`)), &n)
	*s = seconds(n)
	return err
}

// client sends one request and reads the whole answer.
type client struct{ http.Client }

func newClient(transport http.RoundTripper) client {
	return client{http.Client{
		Transport: transport, Timeout: patience,
		// A redirect could carry the request's credentials to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (c *client) ask(r *http.Request, what string) (status int, body []byte, err error) {
	resp, err := c.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("ask %s: %s", what, plainly(err))
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBytes+1))
	switch {
	case err != nil:
		return 0, nil, fmt.Errorf("ask %s: the answer broke off", what)
	case len(body) > maxBytes:
		return 0, nil, fmt.Errorf("ask %s: it answered more than %d bytes", what, maxBytes)
	}
	return resp.StatusCode, body, nil
}

// plainly tells the network's own errors, and of others only that there was one:
// some repeat what they couldn't read.
func plainly(err error) string {
	if own, ok := errors.AsType[*net.OpError](err); ok {
		return own.Error()
	}
	if own, ok := errors.AsType[*net.DNSError](err); ok {
		return own.Error()
	}
	if own, ok := errors.AsType[net.Error](err); ok && own.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return "it didn't answer in time"
	}
	return "the connection failed, or what came back is not HTTP"
}

// read takes the token out of a granted answer.
func read(body []byte, what string, now time.Time) (string, renewal.Until, error) {
	var g granted
	if json.Unmarshal(body, &g) != nil || !presentable(g.AccessToken) || !strings.EqualFold(g.TokenType, "Bearer") {
		return "", renewal.Until{}, fmt.Errorf("ask %s: it answered 200 without a bearer token", what)
	}
	expires := time.Unix(int64(g.ExpiresOn), 0)
	if g.ExpiresOn == 0 {
		expires = now.Add(time.Duration(min(g.ExpiresIn, 1e9)) * time.Second)
	}
	return g.AccessToken, life(now, expires), nil
}

// life: a token that lives for hours is renewed at half its life, as Microsoft's
// own libraries do; others in their last minutes.
func life(now, expires time.Time) renewal.Until {
	u := renewal.Until{Renew: expires.Add(-early), End: expires.Add(-skew)}
	if left := expires.Sub(now); left > 2*time.Hour {
		u.Renew = now.Add(left / 2)
	}
	return u
}

// presentable: RFC 6750 §2.1 allows fewer characters still; a header can't carry others.
func presentable(token string) bool {
	return token != "" && len(token) <= maxToken && !slices.ContainsFunc([]byte(token), func(b byte) bool { return b <= ' ' || b > '~' })
}

var word = regexp.MustCompile(`^[a-z_]{1,40}$`)

// refused reads a no. What isn't one of a token endpoint is the source's failure.
func refused(status int, body []byte, what string) error {
	var said struct {
		Error    string `json:"error"`
		Suberror string `json:"suberror"`
		Codes    []int  `json:"error_codes"`
		Claims   string `json:"claims"`
	}
	if status >= 500 || status == http.StatusTooManyRequests || json.Unmarshal(body, &said) != nil || !word.MatchString(said.Error) {
		return fmt.Errorf("ask %s: it answered %d", what, status)
	}
	r := &Refused{Status: status, Word: said.Error}
	if word.MatchString(said.Suberror) {
		r.Reason = said.Suberror
	}
	if len(said.Codes) > 0 {
		r.Number = said.Codes[0]
	}
	if len(said.Claims) <= 4<<10 && json.Valid([]byte(said.Claims)) {
		r.Claims = said.Claims
	}
	return r
}
