// Package sts gets tokens of AWS's Security Token Service by which a function's
// role proves itself elsewhere: outbound identity federation.
//
// Of AWS's own library it would need one operation of one service, for some two
// megabytes; the signature is sixty lines, held to AWS's published vectors.
package sts

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tollgate/shared/renewal"
)

const (
	// audience is the only one that Entra takes in a federated credential.
	audience = "api://AzureADTokenExchange"
	// life is the longest that the role is allowed to ask for.
	life     = 300 * time.Second
	skew     = time.Minute // a token isn't used in its last minute
	patience = 5 * time.Second
	maxBytes = 64 << 10
)

// Source asks AWS in one region. All but Endpoint is required.
type Source struct {
	Keys      func() Keys // asked at each use
	Region    string
	Endpoint  string // instead of the region's own; plain http for this machine alone
	Transport http.RoundTripper
	Now       func() time.Time
}

var regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`)

// Check says why nothing can be asked.
func (s *Source) Check() error {
	if !regionName.MatchString(s.Region) {
		return fmt.Errorf("%q is not an AWS region", s.Region)
	}
	u, err := url.Parse(s.address())
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return errors.New("the address of AWS STS is none")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Scheme != "https" && !(u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())) {
		return errors.New("the address of AWS STS is not https")
	}
	return nil
}

// address: the global endpoint doesn't have the operation.
func (s *Source) address() string {
	if s.Endpoint != "" {
		return strings.TrimSuffix(s.Endpoint, "/") + "/"
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(s.Region, "cn-") {
		domain += ".cn"
	}
	return "https://sts." + s.Region + "." + domain + "/"
}

// Token is a statement, signed with RS256 by AWS, of which role this is. It is
// for Entra alone. No error holds anything that AWS wrote but its error's name.
func (s *Source) Token(ctx context.Context) (string, renewal.Until, error) {
	keys := s.Keys()
	if keys.ID == "" || keys.Secret == "" {
		return "", renewal.Until{}, errors.New("there is no role here (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set)")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body := url.Values{
		"Action": {"GetWebIdentityToken"}, "Version": {"2011-06-15"}, "Audience.member.1": {audience},
		"SigningAlgorithm": {"RS256"}, "DurationSeconds": {strconv.Itoa(int(life.Seconds()))},
	}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address(), strings.NewReader(body))
	if err != nil {
		return "", renewal.Until{}, errors.New("the address of AWS STS is none")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sign(r, body, keys, scope{s.Region, "sts"}, s.Now())
	// One request, no redirect: it carries the role's session.
	resp, err := s.Transport.RoundTrip(r)
	if err != nil {
		return "", renewal.Until{}, errors.New("ask AWS STS: it can't be reached, or didn't answer in time")
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBytes))
	switch {
	case err != nil:
		return "", renewal.Until{}, errors.New("ask AWS STS: the answer broke off")
	case resp.StatusCode != http.StatusOK:
		return "", renewal.Until{}, refused(resp.StatusCode, text)
	}
	return s.read(text)
}

func (s *Source) read(text []byte) (string, renewal.Until, error) {
	var got struct {
		Token   string    `xml:"GetWebIdentityTokenResult>WebIdentityToken"`
		Expires time.Time `xml:"GetWebIdentityTokenResult>Expiration"`
	}
	now := s.Now()
	if xml.Unmarshal(text, &got) != nil || !compact.MatchString(got.Token) || !got.Expires.After(now.Add(skew)) {
		return "", renewal.Until{}, errors.New("ask AWS STS: it answered 200 without a token that is still good")
	}
	end := got.Expires.Add(-skew)
	if latest := now.Add(life); end.After(latest) { // nobody asked for more
		end = latest
	}
	return got.Token, renewal.Until{Renew: now.Add(end.Sub(now) / 2), End: end}, nil
}

// compact: a JWT goes into a form as it is.
var compact = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

var word = regexp.MustCompile(`^[A-Za-z0-9.]{1,80}$`)

func refused(status int, text []byte) error {
	var said struct {
		Code string `xml:"Error>Code"`
	}
	if xml.Unmarshal(text, &said) != nil || !word.MatchString(said.Code) {
		return fmt.Errorf("ask AWS STS: it answered %d", status)
	}
	hint := ""
	switch said.Code {
	case "OutboundWebIdentityFederationDisabled", "OutboundWebIdentityFederationDisabledException":
		hint = "; switch it on: aws iam enable-outbound-web-identity-federation"
	case "AccessDenied":
		hint = "; the function's role needs sts:GetWebIdentityToken"
	}
	return fmt.Errorf("ask AWS STS: it answered %d %s%s", status, said.Code, hint)
}
