package contract

import (
	"net/url"
	"strings"
	"time"
)

// Plan is an estate bound to one environment: every ${…} replaced, every
// default filled in, nothing left to look up. It is not changed after Estate.Plan made it.
type Plan struct {
	Name           string // the gateway's
	Environment    string
	Version        string // digest of the files it was made from
	ClaimsContract int
	PublicURL      string // "" where the environment has none
	ClockSkew      time.Duration
	Algorithms     []string
	Keys           KeyTimes
	MaxLifetime    time.Duration     // 0: any
	SignIn         string            // where Entra's users sign in, for challenges
	TenantID       string            // the Entra tenant that the environment is in
	Issuers        []TrustedIssuer   // all that some API accepts
	Forward        []Header          // by name
	Answer         map[string]string // responseHeaders of the gateway
	APIs           []PlannedAPI
	ClientAddress  ClientSource
	Addresses      AddressList // for every API
	FloodGuard     GuardLimit
	AssertionKey   *PlannedAssertionKey // nil: no API asks for assertions
	Store          *PlannedStore        // nil: nothing is kept
	Products       []PlannedProduct     // by name
	Clients        []PlannedClient      // those that have a contract
	Revocation     *PlannedRevocation   // nil: nothing can be revoked, for there is no store
	Audit          PlannedAudit         // what events hold, and where they go
	HealthDetail   bool                 // GET /_gateway/health tells more than the status
	Errors         string               // how refusals are written that belong to no API: problem or apim
	file           string               // the Gateway's
	lines          map[string]int       // its rules, by name
}

// Place is where a rule stands, such as "operations.get.allow.scopes" of an
// API, or "forward.X-Roles" or "gateway.addresses" of the gateway: the file within the folder of
// contracts, and the line. The line of what is around it, if it has none itself;
// 0 if the plan doesn't know the API.
func (p *Plan) Place(api, rule string) (file string, line int) {
	file, lines := p.file, p.lines
	rule, gateways := strings.CutPrefix(rule, "gateway.")
	for i := range p.APIs {
		if p.APIs[i].Name == api && !gateways && !strings.HasPrefix(rule, "forward.") {
			file, lines = p.APIs[i].File, p.APIs[i].lines
		}
	}
	for {
		if line, ok := lines[rule]; ok {
			return file, line
		}
		cut := strings.LastIndexByte(rule, '.')
		if cut < 0 {
			return file, lines[""]
		}
		rule = rule[:cut]
	}
}

// KeyTimes are KeySets, bound.
type KeyTimes struct{ Refresh, Refetch, MaxStale time.Duration }

// Profiles of an issuer: how its tokens are read.
const (
	ProfileEntra   = "entra"
	ProfileOAuth   = "oauth"
	ProfileRFC9068 = "rfc9068"
)

// TrustedIssuer is one exact iss, where its keys are found, and how its tokens are read.
type TrustedIssuer struct {
	Name         string // as contracts call it; "entra" twice if both token versions are accepted
	Issuer       string // exact iss
	Discovery    string // base of /.well-known/openid-configuration
	Profile      string // one of the profiles
	Tenant       string // what tid must be; "" where the issuer isn't bound to a tenant
	TokenVersion string // what ver must be: "1.0" or "2.0"; "" where it isn't looked at
	AppID        string // the application whose own keys sign; "" for the tenant's
}

// Header is one line of the claims contract.
type Header struct {
	Name   string
	Claims []string // the first one present is taken
}

// PlannedAPI is one API, bound.
type PlannedAPI struct {
	Name       string
	File       string
	Segments   []Segment // of its path
	Audience   string    // the Application ID URI
	ClientID   string    // the registration's, "" where the environment binds none
	Scopes     []string
	Roles      []string
	Backend    PlannedBackend
	MaxBody    int64
	Accepts    []Accepted
	Callers    Callers
	Proof      Proof
	Require    []RequiredClaim
	Operations []PlannedOperation
	PublicURL  string            // the plan's; "" where the environment has none
	Addresses  AddressList       // besides the plan's
	CORS       *PlannedCORS      // nil: the backend speaks for itself
	Headers    []RequiredHeader  // by name
	Answer     map[string]string // responseHeaders of the gateway and the API
	Keys       PlannedKeys
	KeyNames   KeyNames       // of every API
	Products   []string       // those that hold it, by name
	Reads      []string       // the claims that some rule of it reads, by name: its events hold those
	Errors     string         // how its refusals are written: problem or apim
	lines      map[string]int // its rules, by name
}

// PlannedBackend is where an API's granted calls go, and how.
type PlannedBackend struct {
	Targets []PlannedTarget // none only where every operation has a reply
	Timeout time.Duration   // each wait for a target, until its answer begins

	Breaker       *PlannedBreaker   // nil: none
	Retries       int               // 0: none
	MaxConcurrent int               // 0: any number
	CA            string            // PEM; "": the system's
	HTTP2         bool              // and no other
	Auth          *PlannedAuth      // how the gateway proves itself; nil: not at all
	Assertion     *PlannedAssertion // nil: calls carry none
}

// PlannedTarget is one address of a backend.
type PlannedTarget struct {
	URL    *url.URL
	Weight int    // from 1
	Rule   string // such as "backend.targets.0"
}

// Accepted is one issuer that an API trusts, and the audiences it may name.
type Accepted struct {
	Issuer    TrustedIssuer
	Audiences []string // any one, exactly
}

// Callers is who may call an API at all.
type Callers struct {
	Principals  string                  // users, applications or both
	Clients     map[string]ListedClient // by app id; nil: any
	Certificate bool                    // the client must have proved itself by more than a secret
	MembersOnly bool                    // no guests
}

// ListedClient is a client that an API lists.
type ListedClient struct {
	Name   string
	Strong bool // its contract says that it never uses a secret
}

// RequiredClaim is Required with its values bound.
type RequiredClaim struct {
	Claim, Separator string
	All              bool
	Values           []string
	Rule             string // such as "require.0"
}

// PlannedOperation is one operation with its whole path.
type PlannedOperation struct {
	ID       string
	Template Template
	Allow    *Allow // nil: public
	StepUp   string // authentication context; "" for none

	EncodedSlash bool             // a parameter may hold one
	Headers      []RequiredHeader // besides the API's, by name

	WebSocket bool        // a request may become one
	Rewrite   *Rewrite    // nil: the backend gets the request's path
	Query     *QueryRules // the API's and the operation's; nil: the query passes
	Reply     *Reply      // nil: the backend answers

	Key    KeyDemand
	Weight int64          // of a call, from 1
	Limits []PlannedLimit // the API's that concern it, and its own
}
