// Package sts is a stand-in for the one operation of AWS's Security Token
// Service that a function's role proves itself to Entra by: GetWebIdentityToken
// (outbound identity federation). As the role's policy does, it gives tokens for
// Entra alone, signed with RS256, that live five minutes at the most.
package sts

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"tollgate/localrun/faults"
)

const (
	audience = "api://AzureADTokenExchange"
	longest  = 300 * time.Second
)

// Options says who may ask.
type Options struct {
	KeyID, Session string // of the role, as the function has them
	Mint           func(audience string, life time.Duration) (token string, _ error)
	Now            func() time.Time // nil = time.Now
}

// STS is the stand-in. It is safe for concurrent use.
type STS struct {
	faults.Set
	options Options
	mux     *http.ServeMux
	asked   atomic.Int64
}

// New makes one; the operation is posted to /.
func New(o Options) *STS {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &STS{options: o, mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /{$}", s.serve)
	s.Control(s.mux)
	return s
}

func (s *STS) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Asked is how often a token was asked for.
func (s *STS) Asked() int { return int(s.asked.Load()) }

func (s *STS) serve(w http.ResponseWriter, r *http.Request) {
	over, expired := s.Meet(w, r)
	if over {
		return
	}
	s.asked.Add(1)
	seconds, err := strconv.Atoi(r.FormValue("DurationSeconds"))
	life := time.Duration(seconds) * time.Second
	switch {
	// The signature itself is held to AWS's vectors in shared/credential/sts.
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="+s.options.KeyID+"/") || r.Header.Get("X-Amz-Security-Token") != s.options.Session:
		complain(w, http.StatusForbidden, "InvalidClientTokenId")
	case r.FormValue("Action") != "GetWebIdentityToken" || r.FormValue("Version") != "2011-06-15":
		complain(w, http.StatusBadRequest, "InvalidAction")
	case err != nil || life < time.Minute:
		complain(w, http.StatusBadRequest, "ValidationError")
	case life > longest || r.FormValue("Audience.member.1") != audience || r.FormValue("SigningAlgorithm") != "RS256":
		complain(w, http.StatusForbidden, "AccessDenied") // the condition of the role's policy
	default:
		s.grant(w, life, expired)
	}
}

func (s *STS) grant(w http.ResponseWriter, life time.Duration, expired bool) {
	token, err := s.options.Mint(audience, life)
	if err != nil {
		complain(w, http.StatusInternalServerError, "InternalFailure")
		return
	}
	end := s.options.Now().Add(life)
	if expired {
		end = s.options.Now().Add(-time.Minute)
	}
	var answer struct {
		XMLName xml.Name `xml:"GetWebIdentityTokenResponse"`
		Token   string   `xml:"GetWebIdentityTokenResult>WebIdentityToken"`
		Expires string   `xml:"GetWebIdentityTokenResult>Expiration"`
	}
	answer.Token, answer.Expires = token, end.UTC().Format(time.RFC3339)
	write(w, http.StatusOK, answer)
}

func complain(w http.ResponseWriter, status int, code string) {
	var answer struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Code    string   `xml:"Error>Code"`
	}
	answer.Code = code
	write(w, status, answer)
}

func write(w http.ResponseWriter, status int, value any) {
	text, _ := xml.Marshal(value) // texts always marshal
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may be gone
}
